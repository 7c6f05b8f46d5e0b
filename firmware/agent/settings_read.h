/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From sections to settings: each value is understood, files it names are read,
 * and what is missing gets its default. Shared between settings_*.c only.
 */
#ifndef HF_AGENT_SETTINGS_READ_H
#define HF_AGENT_SETTINGS_READ_H

#include "agent/settings.h"
#include "agent/settings_conf.h"
#include "worker/fault.h"

#define HF_ORIGINS_MAX	   64
#define HF_WORKERS_MAX	   256
#define HF_CREDENTIALS_MAX 64
#define HF_LISTEN_MAX	   8

struct hf_settings_reader {
	struct hf_port *port;
	struct hf_faults *faults;
	struct hf_span dir; /* of holdfast.conf, with its slash; empty: none */
	struct hf_settings *s;
	struct hf_buf manifest_faults; /* lines, each with its own file */
};

/* @section NULL: all defaults. */
void hf_settings_read_agent(struct hf_settings_reader *r, const struct hf_conf_section *section);
void hf_settings_read_probe(struct hf_settings_reader *r, const struct hf_conf_section *section);
void hf_settings_read_origins(struct hf_settings_reader *r, const struct hf_conf *conf);
/* After the origins. */
void hf_settings_read_workers(struct hf_settings_reader *r, const struct hf_conf *conf);

/* What a token needs of a credential's section. */
void hf_settings_read_token(struct hf_settings_reader *r, const struct hf_conf_section *section,
			    struct hf_credential_settings *c);
/* After the workers: their manifests name them. */
void hf_settings_read_credentials(struct hf_settings_reader *r, const struct hf_conf *conf);

/* What a CoAP origin needs of its section; a fault if it is none. */
/* A coaps origin with certificates: no other key is named. */
bool hf_settings_coap_certified(const struct hf_conf_section *section,
				const struct hf_origin_settings *o);
void hf_settings_read_coap(struct hf_settings_reader *r, const struct hf_conf_section *section,
			   struct hf_origin_settings *o);

/* Where a key goes or comes from: "query:NAME", "option:NUMBER" or "none". */
void hf_settings_coap_key(struct hf_settings_reader *r, const struct hf_conf_section *section,
			  unsigned key, char **query, uint16_t *option);
/* The sensor side of [agent]; before the origins. */
void hf_settings_read_sensor(struct hf_settings_reader *r, const struct hf_conf_section *section);

/* ---- helpers ---- */

/* The number of the origin that @key of the section names; -1 after a fault. */
int hf_settings_find_origin(struct hf_settings_reader *r, const struct hf_conf_section *section,
			    unsigned key);

/* A fault of a key's value. */
void hf_settings_fault(struct hf_settings_reader *r, const struct hf_conf_section *section,
		       unsigned key, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* A copy; NULL without memory (noted). */
char *hf_settings_dup(struct hf_settings_reader *r, const char *text);
/* @text relative to the folder of holdfast.conf. */
char *hf_settings_path(struct hf_settings_reader *r, const char *text);
/* yes or no; @otherwise when it is not given. */
bool hf_settings_yes_no(struct hf_settings_reader *r, const struct hf_conf_section *section,
			unsigned key, bool otherwise);
/* A whole number of a key's value, or @fallback. */
uint32_t hf_settings_number(struct hf_settings_reader *r, const struct hf_conf_section *section,
			    unsigned key, uint32_t min, uint32_t max, uint32_t fallback);
/* The path in @key of a file that is one line of text of at most @max bytes now. NULL:
 * not given, or no memory. */
char *hf_settings_line_file(struct hf_settings_reader *r, const struct hf_conf_section *section,
			    unsigned key, size_t max);
/* The path in @key of a PEM file with a @sort, "CERTIFICATE" or "PRIVATE KEY". */
char *hf_settings_pem_file(struct hf_settings_reader *r, const struct hf_conf_section *section,
			   unsigned key, const char *sort);
/* "does not exist", ... for an error of the port's file operations. */
const char *hf_settings_file_problem(int err);

#endif
