/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast.conf as sections of keys and values, before anything is understood:
 * which sections and keys there are, and where each stands.
 */
#ifndef HF_AGENT_SETTINGS_CONF_H
#define HF_AGENT_SETTINGS_CONF_H

#include "base/span.h"

struct hf_faults; /* worker/fault.h */

#define HF_CONF_KEYS_MAX 16
#define HF_CONF_PINS_MAX 16

enum hf_conf_kind {
	HF_CONF_AGENT,
	HF_CONF_ORIGIN,
	HF_CONF_WORKER,
	HF_CONF_PROBE,
	HF_CONF_CREDENTIAL,
};

enum hf_conf_agent {
	HF_AGENT_LISTEN,
	HF_AGENT_CONTROL,
	HF_AGENT_STATE_DIR,
	HF_AGENT_LOG_LEVEL,
	HF_AGENT_ALLOW_REMOTE,
	HF_AGENT_METERED,
	HF_AGENT_IGNORE_LINKS,
	HF_AGENT_CAPTIVE_API,
	HF_AGENT_CAPTIVE_CA_FILE,
	HF_AGENT_METRICS_LISTEN,
#ifdef CONFIG_HF_SENSOR
	HF_AGENT_COAP_LISTEN,
	HF_AGENT_COAPS_LISTEN,
	HF_AGENT_COAP_DEVICES,
	HF_AGENT_COAP_REQUEST_KEY,
#endif
	HF_AGENT_KEYS_N
};
enum hf_conf_origin {
	HF_ORIGIN_URL,
	HF_ORIGIN_HOST,
	HF_ORIGIN_CA_FILE,
	HF_ORIGIN_CA_DIR,
	HF_ORIGIN_PIN,
	HF_ORIGIN_CLIENT_CERT,
	HF_ORIGIN_CLIENT_KEY,
	HF_ORIGIN_PROBE,
	HF_ORIGIN_CONNECT_TIMEOUT,
	HF_ORIGIN_FIRST_BYTE_TIMEOUT,
	HF_ORIGIN_REPLAY_INTERVAL,
	HF_ORIGIN_REPLAY_BURST,
	HF_ORIGIN_HTTP_CACHE,
#ifdef CONFIG_HF_COAP
	HF_ORIGIN_PSK_IDENTITY,
	HF_ORIGIN_PSK_FILE,
	HF_ORIGIN_COAP_KEY,
#endif
	HF_ORIGIN_KEYS_N
};
enum hf_conf_worker {
	HF_WORKER_ORIGIN,
	HF_WORKER_SCOPE,
	HF_WORKER_MANIFEST
};
enum hf_conf_credential {
	HF_CREDENTIAL_ORIGIN,
	HF_CREDENTIAL_HEADER,
	HF_CREDENTIAL_FILE,
	HF_CREDENTIAL_IDENTITY_FILE,
	HF_CREDENTIAL_TOKEN_ENDPOINT,
	HF_CREDENTIAL_TOKEN_CA_FILE,
	HF_CREDENTIAL_CLIENT_ID,
	HF_CREDENTIAL_CLIENT_SECRET_FILE,
	HF_CREDENTIAL_CLIENT_AUTH,
	HF_CREDENTIAL_REFRESH_TOKEN_FILE,
	HF_CREDENTIAL_SCOPE
};
enum hf_conf_probe {
	HF_PROBE_URL,
	HF_PROBE_STATUS
};

struct hf_conf_value {
	char *text;    /* NULL: not given, or faulty */
	unsigned line; /* 0: not given */
};

struct hf_conf_section {
	enum hf_conf_kind kind;
	char *title;	  /* "origin shop" */
	const char *name; /* "shop", in title; "" where sections have no name */
	unsigned line;
	struct hf_conf_value v[HF_CONF_KEYS_MAX]; /* by the enums above */
	struct hf_conf_value pins[HF_CONF_PINS_MAX];
	size_t pins_n;
};

struct hf_conf {
	struct hf_conf_section *sections;
	size_t n, cap;
};

/* Unknown, repeated and misplaced things are faults; what is left is in @conf,
 * which is finished in any case. */
void hf_conf_init(struct hf_conf *conf, struct hf_span text, struct hf_faults *faults);
void hf_conf_finish(struct hf_conf *conf);
/* The name of key @key in sections of @kind. */
const char *hf_conf_key_name(enum hf_conf_kind kind, unsigned key);

#endif
