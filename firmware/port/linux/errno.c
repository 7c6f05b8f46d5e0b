/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the kernel's error numbers to ours.
 */
#include <errno.h>

#include "port/linux/loop.h"

int hf_linux_err(int errnum)
{
	switch (errnum) {
	case ENOMEM:
	case ENOBUFS:
		return HF_ENOMEM;
	case EMFILE:
	case ENFILE:
		return HF_ELIMIT;
	case ENOENT:
		return HF_ENOENT;
	case EACCES:
	case EPERM:
	case EROFS:
		return HF_EPERM;
	case ENOSPC:
	case EDQUOT:
		return HF_EFULL;
	case ENOTDIR:
		return HF_ESTATE;
	case EADDRINUSE:
		return HF_EBUSY;
	case ECONNREFUSED:
		return HF_ECONNREFUSED;
	case ECONNRESET:
	case EPIPE:
	case ECONNABORTED:
		return HF_ECONNRESET;
	case ETIMEDOUT:
		return HF_ETIMEDOUT;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		return HF_EUNREACH;
	default:
		return HF_EIO;
	}
}
