/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The three forms have fixed places, but for the length of RFC 850's day:
 *
 *   Sun, 06 Nov 1994 08:49:37 GMT
 *   Sunday, 06-Nov-94 08:49:37 GMT
 *   Sun Nov  6 08:49:37 1994
 */
#include "http/date.h"

#include "holdfast/err.h"

#define SECONDS_PER_DAY INT64_C(86400)
#define LAST_SECOND	INT64_C(253402300799) /* of the year 9999 */

struct date {
	int64_t year;
	unsigned month, day, hour, minute, second; /* month and day from 1 */
};

static const char *const day_names[] = {
	"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
};
static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* Days since 1970-01-01. Years are counted from March, so that the leap day is
 * the last one; 400 years are 146097 days. */
static int64_t days_from_date(int64_t year, unsigned month, unsigned day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year =
		(153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

/* The reverse, for days from 0. */
static void date_from_days(int64_t days, struct date *out)
{
	int64_t z = days + 719468;
	int64_t era = z / 146097;
	int64_t day_of_era = z - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153; /* from March */

	out->day = (unsigned)(day_of_year - (153 * month + 2) / 5 + 1);
	out->month = (unsigned)(month < 10 ? month + 3 : month - 9);
	out->year = year_of_era + era * 400 + (out->month <= 2);
}

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned days_in_month(int64_t year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static bool is_valid(const struct date *d)
{
	return d->day >= 1 && d->day <= days_in_month(d->year, d->month) && d->hour <= 23 &&
	       d->minute <= 59 && d->second <= 60;
}

/* ---- reading: each takes its part from the front of @s ---- */

static bool take_span(struct hf_span *s, struct hf_span text)
{
	if (s->len < text.len || !hf_span_ieq(hf_span(s->ptr, text.len), text))
		return false;
	*s = hf_span_skip(*s, text.len);
	return true;
}

static bool take(struct hf_span *s, const char *text)
{
	return take_span(s, hf_span_str(text));
}

static bool take_number(struct hf_span *s, size_t digits, unsigned *out)
{
	uint64_t number;

	if (s->len < digits || !hf_span_u64(hf_span(s->ptr, digits), &number))
		return false;
	*out = (unsigned)number;
	*s = hf_span_skip(*s, digits);
	return true;
}

static bool take_month(struct hf_span *s, unsigned *out)
{
	for (*out = 1; *out <= 12; ++*out)
		if (take_span(s, hf_span(month_names + 3 * (*out - 1), 3)))
			return true;
	return false;
}

static bool take_time(struct hf_span *s, struct date *d)
{
	return take_number(s, 2, &d->hour) && take(s, ":") && take_number(s, 2, &d->minute) &&
	       take(s, ":") && take_number(s, 2, &d->second);
}

static bool take_year(struct hf_span *s, struct date *d)
{
	unsigned year;

	if (!take_number(s, 4, &year))
		return false;
	d->year = year;
	return true;
}

/* "Sun" or, for RFC 850, "Sunday". */
static bool take_day_name(struct hf_span *s, bool *is_long)
{
	size_t i;

	for (i = 0; i < 7; i++) {
		*is_long = take(s, day_names[i]);
		if (*is_long || take_span(s, hf_span(day_names[i], 3)))
			return true;
	}
	return false;
}

static bool take_imf(struct hf_span *s, struct date *d)
{
	return take(s, ", ") && take_number(s, 2, &d->day) && take(s, " ") &&
	       take_month(s, &d->month) && take(s, " ") && take_year(s, d) && take(s, " ") &&
	       take_time(s, d) && take(s, " GMT");
}

static bool take_rfc850(struct hf_span *s, struct date *d)
{
	unsigned year;

	if (!take(s, ", ") || !take_number(s, 2, &d->day) || !take(s, "-") ||
	    !take_month(s, &d->month) || !take(s, "-") || !take_number(s, 2, &year))
		return false;
	d->year = year < 70 ? 2000 + year : 1900 + year;
	return take(s, " ") && take_time(s, d) && take(s, " GMT");
}

static bool take_asctime(struct hf_span *s, struct date *d)
{
	if (!take(s, " ") || !take_month(s, &d->month) || !take(s, " "))
		return false;
	if (!(take(s, " ") ? take_number(s, 1, &d->day) : take_number(s, 2, &d->day)))
		return false;
	return take(s, " ") && take_time(s, d) && take(s, " ") && take_year(s, d);
}

int hf_http_date_parse(struct hf_span text, int64_t *unix_s)
{
	struct date d = { 0 };
	bool is_long, ok;

	if (!take_day_name(&text, &is_long))
		return HF_EINVAL;
	if (is_long)
		ok = take_rfc850(&text, &d);
	else if (text.len > 0 && text.ptr[0] == ',')
		ok = take_imf(&text, &d);
	else
		ok = take_asctime(&text, &d);
	if (!ok || text.len > 0 || !is_valid(&d))
		return HF_EINVAL;
	*unix_s = days_from_date(d.year, d.month, d.day) * SECONDS_PER_DAY +
		  (int64_t)(d.hour * 3600 + d.minute * 60 + d.second);
	return 0;
}

/* ---- writing ---- */

static void date_from_unix(int64_t unix_s, struct date *out)
{
	unsigned second = (unsigned)(unix_s % SECONDS_PER_DAY);

	date_from_days(unix_s / SECONDS_PER_DAY, out);
	out->hour = second / 3600;
	out->minute = second / 60 % 60;
	out->second = second % 60;
}

static int64_t clamp(int64_t x, int64_t max)
{
	if (x < 0)
		return 0;
	return x > max ? max : x;
}

static char *put_number(char *at, unsigned number, int digits)
{
	int i;

	for (i = digits - 1; i >= 0; i--, number /= 10)
		at[i] = (char)('0' + number % 10);
	return at + digits;
}

static char *put(char *at, const char *text, size_t len)
{
	memcpy(at, text, len);
	return at + len;
}

static char *put_time(char *at, const struct date *d)
{
	at = put_number(at, d->hour, 2);
	*at++ = ':';
	at = put_number(at, d->minute, 2);
	*at++ = ':';
	return put_number(at, d->second, 2);
}

void hf_http_date_format(int64_t unix_s, char out[HF_HTTP_DATE_LEN + 1])
{
	struct date d;
	char *at = out;

	unix_s = clamp(unix_s, LAST_SECOND);
	date_from_unix(unix_s, &d);
	at = put(at, day_names[(unix_s / SECONDS_PER_DAY + 4) % 7], 3); /* day 0: Thursday */
	at = put(at, ", ", 2);
	at = put_number(at, d.day, 2);
	*at++ = ' ';
	at = put(at, month_names + 3 * (d.month - 1), 3);
	*at++ = ' ';
	at = put_number(at, (unsigned)d.year, 4);
	*at++ = ' ';
	at = put_time(at, &d);
	put(at, " GMT", 5);
}

void hf_rfc3339_format(int64_t unix_ms, char out[25])
{
	struct date d;
	char *at = out;

	unix_ms = clamp(unix_ms, LAST_SECOND * 1000 + 999);
	date_from_unix(unix_ms / 1000, &d);
	at = put_number(at, (unsigned)d.year, 4);
	*at++ = '-';
	at = put_number(at, d.month, 2);
	*at++ = '-';
	at = put_number(at, d.day, 2);
	*at++ = 'T';
	at = put_time(at, &d);
	*at++ = '.';
	at = put_number(at, (unsigned)(unix_ms % 1000), 3);
	put(at, "Z", 2);
}
