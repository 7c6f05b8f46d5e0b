/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the ends of an exchange. */
#include "http/transport.h"

const char *hf_end_name(enum hf_end end)
{
	switch (end) {
	case HF_END_COMPLETE:
		return "complete";
	case HF_END_UPGRADED:
		return "upgraded";
	case HF_END_DNS:
		return "dns";
	case HF_END_CONNECT:
		return "refused";
	case HF_END_TLS:
		return "tls";
	case HF_END_TLS_CERT:
		return "tls-cert";
	case HF_END_TLS_TIME:
		return "tls-time";
	case HF_END_LIMIT:
		return "limit";
	case HF_END_RESET:
		return "reset";
	case HF_END_TIMEOUT:
		return "timeout";
	case HF_END_MALFORMED:
		return "malformed";
	case HF_END_TRUNCATED:
		return "truncated";
	case HF_END_INTERNAL:
		return "internal";
	}
	return "unknown";
}
