/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors: every function that can fail returns 0 or one of these negative
 * numbers. hf_strerror() gives the words, hf_errname() the stable identifier
 * ("EFULL") used in logs and JSON.
 */
#ifndef HOLDFAST_ERR_H
#define HOLDFAST_ERR_H

/* X(name, number, words) */
#define HF_ERRORS(X)                                                        \
	X(ENOMEM, 1, "out of memory")                                       \
	X(EINVAL, 2, "the value is not valid")                              \
	X(ELIMIT, 3, "a configured limit is reached")                       \
	X(ENOENT, 4, "it does not exist")                                   \
	X(EEXIST, 5, "it exists already")                                   \
	X(EAGAIN, 6, "not possible now, later it may be")                   \
	X(ECANCELED, 7, "cancelled")                                        \
	X(EPROTO, 8, "malformed message")                                   \
	X(ETOOBIG, 9, "too large")                                          \
	X(ETIMEDOUT, 10, "timed out")                                       \
	X(ECONNREFUSED, 11, "connection refused")                           \
	X(ECONNRESET, 12, "connection reset")                               \
	X(EUNREACH, 13, "network or host unreachable")                      \
	X(EDNS, 14, "name resolution failed")                               \
	X(ETLS, 15, "the TLS connection failed")                            \
	X(ECERT, 16, "the certificate is not trusted")                      \
	X(ECERTTIME, 17, "the certificate is not yet valid or has expired") \
	X(EEOF, 18, "the other side has closed the connection")             \
	X(EFULL, 19, "no space left in the store")                          \
	X(EIO, 20, "input/output error")                                    \
	X(ECORRUPT, 21, "stored data is damaged")                           \
	X(EBUSY, 22, "another program is using it")                         \
	X(EPERM, 23, "this user has no permission")                         \
	X(ECONFIG, 24, "the configuration has a fault")                     \
	X(ESTATE, 25, "not possible in its present state")                  \
	X(ENOTSUP, 26, "this version does not support it")                  \
	X(EBADMSG, 27, "the content is not what was announced")

enum hf_err {
#define HF_ERR_ENUM(name, number, words) HF_##name = -(number),
	HF_ERRORS(HF_ERR_ENUM)
#undef HF_ERR_ENUM
};

/* Words for @err (0 gives "ok"); never NULL, static storage. */
const char *hf_strerror(int err);
/* "EFULL" for HF_EFULL, "OK" for 0, "EUNKNOWN" otherwise; static storage. */
const char *hf_errname(int err);

#endif
