/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors: every function that can fail returns 0 or one of these negative
 * numbers. hf_strerror() gives the words, hf_errname() the stable identifier
 * ("EFULL") used in logs and JSON.
 */
#ifndef HOLDFAST_ERR_H
#define HOLDFAST_ERR_H

/* X(name, number, words) */
#define HF_ERRORS(X)                                             \
	X(ENOMEM, 1, "out of memory")                            \
	X(EINVAL, 2, "invalid argument")                         \
	X(ELIMIT, 3, "a configured limit is reached")            \
	X(ENOENT, 4, "no such entry")                            \
	X(EEXIST, 5, "entry exists already")                     \
	X(EAGAIN, 6, "try again later")                          \
	X(ECANCELED, 7, "cancelled")                             \
	X(EPROTO, 8, "malformed message")                        \
	X(ETOOBIG, 9, "message too large")                       \
	X(ETIMEDOUT, 10, "timed out")                            \
	X(ECONNREFUSED, 11, "connection refused")                \
	X(ECONNRESET, 12, "connection reset")                    \
	X(EUNREACH, 13, "network or host unreachable")           \
	X(EDNS, 14, "name resolution failed")                    \
	X(ETLS, 15, "TLS failure")                               \
	X(ECERT, 16, "certificate verification failed")          \
	X(ECERTTIME, 17, "certificate not yet valid or expired") \
	X(EEOF, 18, "end of stream")                             \
	X(EFULL, 19, "no space left in the store")               \
	X(EIO, 20, "input/output error")                         \
	X(ECORRUPT, 21, "stored data is damaged")                \
	X(EBUSY, 22, "busy")                                     \
	X(EPERM, 23, "not permitted")                            \
	X(ECONFIG, 24, "configuration error")                    \
	X(ESTATE, 25, "not possible in this state")              \
	X(ENOTSUP, 26, "not supported")

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
