/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions that cmake/deps/mbedtls_config.h leaves to us. Without a
 * current port the time is 1970 and there is no randomness.
 */
#include "net/tls_platform.h"

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/platform_time.h>
#include <mbedtls/platform_util.h>
#include <psa/crypto.h>

static _Thread_local struct hf_port *current;

struct hf_port *hf_tls_platform_enter(struct hf_port *port)
{
	struct hf_port *before = current;

	current = port;
	return before;
}

void hf_tls_platform_leave(struct hf_port *before)
{
	current = before;
}

int hf_tls_platform_random(void *user, unsigned char *out, size_t len)
{
	(void)user;
	if (!current || current->entropy(current, out, len))
		return MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
	return 0;
}

psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *context,
					     uint8_t *output, size_t output_size,
					     size_t *output_length)
{
	(void)context;
	*output_length = 0;
	if (hf_tls_platform_random(NULL, output, output_size))
		return PSA_ERROR_INSUFFICIENT_ENTROPY;
	*output_length = output_size;
	return PSA_SUCCESS;
}

mbedtls_time_t hf_mbedtls_time(mbedtls_time_t *out)
{
	int64_t ms = 0;

	if (current)
		(void)current->wall_ms(current, &ms);
	if (out)
		*out = (mbedtls_time_t)(ms / 1000);
	return (mbedtls_time_t)(ms / 1000);
}

mbedtls_ms_time_t mbedtls_ms_time(void)
{
	return current ? (mbedtls_ms_time_t)current->boottime_ms(current) : 0;
}

/* Days since 1970 to a date: the year begins in March, so that the leap day is
 * its last (era of 400 years, 146097 days). */
static void civil_from_days(int64_t days, struct tm *out)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	int64_t month = mp < 10 ? mp + 3 : mp - 9;

	out->tm_mday = (int)(doy - (153 * mp + 2) / 5 + 1);
	out->tm_mon = (int)month - 1;
	out->tm_year = (int)(yoe + era * 400 + (month <= 2)) - 1900;
}

struct tm *mbedtls_platform_gmtime_r(const mbedtls_time_t *tt, struct tm *tm_buf)
{
	int64_t days = *tt / 86400, rest = *tt % 86400;

	if (rest < 0) {
		rest += 86400;
		days--;
	}
	*tm_buf = (struct tm){ 0 };
	civil_from_days(days, tm_buf);
	tm_buf->tm_hour = (int)(rest / 3600);
	tm_buf->tm_min = (int)(rest / 60 % 60);
	tm_buf->tm_sec = (int)(rest % 60);
	return tm_buf;
}
