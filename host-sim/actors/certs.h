/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates of simulated origins, all over one key. */
#ifndef SIM_CERTS_H
#define SIM_CERTS_H

enum sim_cert {
	SIM_CERT_GOOD,	    /* of *.example, from October 2026 on */
	SIM_CERT_EXPIRED,   /* the same, until four days before the world begins */
	SIM_CERT_WRONG,	    /* of *.stranger */
	SIM_CERT_UNTRUSTED, /* of *.example, by another CA */
	SIM_CERTS,
};

/* PEM. */
extern const char sim_cert_ca[];
extern const char *const sim_certs[SIM_CERTS];
extern const char sim_cert_key[];

#endif
