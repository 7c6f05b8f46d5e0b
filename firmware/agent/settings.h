/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast.conf (INI) and what it names, read and checked as a whole.
 *
 *   [agent]         listen, control, state-dir, log-level, allow-remote, metered,
 *                   ignore-links, captive-api, captive-ca-file, metrics-listen,
 *                   coap-listen, coaps-listen, coap-devices, coap-request-key
 *   [origin NAME]   url, host, ca-file, ca-dir, pin (repeatable), client-cert,
 *                   client-key, probe, connect-timeout-ms, first-byte-timeout-ms,
 *                   psk-identity, psk-file, coap-key
 *   [worker NAME]   origin, scope, manifest
 *   [credential NAME] origin, identity-file, and header, file or token-endpoint,
 *                   token-ca-file, client-id, client-secret-file, client-auth,
 *                   refresh-token-file, scope
 *   [probe]         url, status
 *
 * Unknown sections and keys, repeated ones, missing ones and bad values are
 * faults with file:line and the nearest known word. Manifests are read and
 * checked too. All faults are collected, not only the first.
 */
#ifndef HF_AGENT_SETTINGS_H
#define HF_AGENT_SETTINGS_H

#include "base/buf.h"
#include "base/log.h"
#include "holdfast/port.h"
#include "http/url.h"
#include "worker/manifest.h"

struct hf_origin_settings {
	char *name;
	char *url_text;
	struct hf_url url; /* points into url_text; path "/" only */
	char *host;	   /* by which a page reaches it; NULL: only as the first one */
	char *ca_file, *ca_dir, *client_cert, *client_key;
	char **pins;
	size_t pins_n;
	char *probe; /* target, NULL: none */
	uint32_t connect_timeout_ms, first_byte_timeout_ms;
	uint32_t replay_interval_ms; /* 0: as fast as it answers */
	uint32_t replay_burst;
	bool http_cache;
	/* CoAP */
	char *psk_identity, *psk_file; /* NULL: certificates */
	char *coap_key_query;	       /* query parameter for the Idempotency-Key; NULL: none */
	uint16_t coap_key_option;      /* option for it; 0: none */
	unsigned line;
};

struct hf_worker_settings {
	char *name;
	unsigned origin; /* index */
	char *scope;	 /* begins with '/' */
	char *manifest_path;
	struct hf_manifest *manifest;
	unsigned line;
};

enum hf_metered {
	HF_METERED_AUTO, /* what the port says of the link */
	HF_METERED_YES,
	HF_METERED_NO,
};

/* An OAuth 2.0 token. */
struct hf_token_settings {
	char *endpoint;	   /* as it is written; NULL: none */
	unsigned origin;   /* that has it: index, UINT_MAX: none, and then */
	struct hf_url url; /* in endpoint */
	char *ca_file;	   /* NULL: what the credential's origin trusts */
	char *client_id;
	char *secret_file, *refresh_file; /* one of them at least */
	char *scope;			  /* NULL: none */
	bool secret_in_body;
};

struct hf_credential_settings {
	char *name;
	unsigned origin; /* index */
	char *header;
	char *file; /* where it is read; NULL: */
	struct hf_token_settings token;
	char *identity_file; /* NULL: none */
};

#define HF_SENSOR_LISTEN_MAX 8

/* The sensor side; without addresses there is none. */
struct hf_sensor_settings {
	struct hf_addr coap[HF_SENSOR_LISTEN_MAX], coaps[HF_SENSOR_LISTEN_MAX];
	size_t coap_n, coaps_n;
	unsigned coap_line, coaps_line;
	char *devices_file;  /* NULL: none */
	char *key_query;     /* query parameter with a sensor's own key; NULL: none */
	uint16_t key_option; /* option with it; 0: none */
};

struct hf_settings {
	char *path; /* of holdfast.conf */
	/* Lines of [agent]'s keys, 0: not given. */
	unsigned listen_line, metrics_line, control_line, state_dir_line;
	struct hf_addr *listen; /* "127.0.0.1:8480", "[::1]:8480", "localhost:8480"
				 * (both families); comma-separated list */
	size_t listen_n;
	struct hf_addr metrics[2]; /* where GET /metrics is answered: loopback */
	size_t metrics_n;	   /* 0: nowhere */
	char *control;		   /* socket path */
	char *state_dir;
	enum hf_log_level log_level;
	bool allow_remote;
	enum hf_metered metered;
	char *captive_api; /* "auto": as the network says; "off", or an https URL */
	char *captive_ca_file;
	char *ignore_links; /* patterns of names, separated by commas */
	struct hf_sensor_settings sensor;
	struct hf_origin_settings *origins;
	size_t origins_n;
	struct hf_worker_settings *workers;
	size_t workers_n;
	struct hf_credential_settings *credentials;
	size_t credentials_n;
	char *probe_url_text; /* NULL: no net probe */
	struct hf_url probe_url;
	int probe_status;
};

/* Reads @path through port->file_read, and the manifests (paths relative to the
 * directory of @path). HF_ECONFIG with lines "file:line: words" in @faults;
 * HF_ENOENT, HF_EPERM with one line. */
int hf_settings_load(struct hf_port *port, const char *path, struct hf_settings **out,
		     struct hf_buf *faults);
void hf_settings_destroy(struct hf_settings *s);
const char *hf_settings_state_dir(const struct hf_settings *s);
/* The origin that a Host field value (name without port) addresses: an origin's
 * host; "localhost", a loopback literal, or a listen address: the first. -1:
 * none (421 Misdirected Request). */
int hf_settings_origin_by_host(const struct hf_settings *s, struct hf_span host);
/* The worker of @origin with the longest scope that is a prefix of @path. */
const struct hf_worker_settings *hf_settings_worker(const struct hf_settings *s, unsigned origin,
						    struct hf_span path);

#endif
