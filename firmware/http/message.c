/* SPDX-License-Identifier: Apache-2.0 */
/* Fields as an array in the message's arena, and the tables of HTTP's words. */
#include "http/message.h"

#include "holdfast/err.h"

#define FIELDS_CAP_MIN 8

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void hf_fields_init(struct hf_fields *f, struct hf_arena *arena)
{
	*f = (struct hf_fields){ .arena = arena };
}

static int grow(struct hf_fields *f)
{
	size_t cap = f->cap ? f->cap * 2 : FIELDS_CAP_MIN;
	struct hf_field *v;

	if (cap > SIZE_MAX / sizeof(*v))
		return HF_ENOMEM;
	v = hf_arena_alloc(f->arena, cap * sizeof(*v));
	if (!v)
		return HF_ENOMEM;
	if (f->n > 0)
		memcpy(v, f->v, f->n * sizeof(*v));
	f->v = v;
	f->cap = cap;
	return 0;
}

int hf_fields_add(struct hf_fields *f, struct hf_span name, struct hf_span value)
{
	int err;

	if (f->n == f->cap) {
		err = grow(f);
		if (err)
			return err;
	}
	f->v[f->n++] = (struct hf_field){ name, value };
	return 0;
}

int hf_fields_add_first(struct hf_fields *f, struct hf_span name, struct hf_span value)
{
	int err = hf_fields_add(f, name, value);

	if (err)
		return err;
	memmove(f->v + 1, f->v, (f->n - 1) * sizeof(*f->v));
	f->v[0] = (struct hf_field){ name, value };
	return 0;
}

const struct hf_span *hf_fields_get(const struct hf_fields *f, const char *name)
{
	struct hf_span wanted = hf_span_str(name);
	size_t i;

	for (i = 0; i < f->n; i++)
		if (hf_span_ieq(f->v[i].name, wanted))
			return &f->v[i].value;
	return NULL;
}

size_t hf_fields_count(const struct hf_fields *f, const char *name)
{
	struct hf_span wanted = hf_span_str(name);
	size_t i, n = 0;

	for (i = 0; i < f->n; i++)
		n += hf_span_ieq(f->v[i].name, wanted);
	return n;
}

static size_t remove_all(struct hf_fields *f, struct hf_span name)
{
	size_t i, kept = 0, removed;

	for (i = 0; i < f->n; i++)
		if (!hf_span_ieq(f->v[i].name, name))
			f->v[kept++] = f->v[i];
	removed = f->n - kept;
	f->n = kept;
	return removed;
}

size_t hf_fields_remove(struct hf_fields *f, const char *name)
{
	return remove_all(f, hf_span_str(name));
}

int hf_fields_set(struct hf_fields *f, struct hf_span name, struct hf_span value)
{
	remove_all(f, name);
	return hf_fields_add(f, name, value);
}

/* Length of the list's first member, up to its comma or the end. */
static size_t member_len(struct hf_span list)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < list.len; i++) {
		char c = list.ptr[i];

		if (c == ',' && !quoted)
			break;
		if (c == '"')
			quoted = !quoted;
		else if (c == '\\' && quoted)
			i++;
	}
	return i < list.len ? i : list.len;
}

bool hf_list_next(struct hf_span *rest, struct hf_span *member)
{
	while (rest->len > 0) {
		size_t n = member_len(*rest);

		*member = hf_span_trim(hf_span(rest->ptr, n));
		*rest = hf_span_skip(*rest, n + 1);
		if (member->len > 0)
			return true;
	}
	return false;
}

static bool list_has(struct hf_span list, struct hf_span token)
{
	struct hf_span member;

	while (hf_list_next(&list, &member)) {
		if (hf_span_ieq(hf_span_trim(hf_span_cut(&member, ';')), token))
			return true;
	}
	return false;
}

static bool has_token(const struct hf_fields *f, struct hf_span name, struct hf_span token)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (hf_span_ieq(f->v[i].name, name) && list_has(f->v[i].value, token))
			return true;
	return false;
}

bool hf_fields_has_token(const struct hf_fields *f, const char *name, const char *token)
{
	return has_token(f, hf_span_str(name), hf_span_str(token));
}

static struct hf_span put(char **at, struct hf_span s)
{
	struct hf_span copy = hf_span(*at, s.len);

	if (s.len > 0)
		memcpy(*at, s.ptr, s.len);
	*at += s.len;
	return copy;
}

int hf_fields_copy(struct hf_fields *to, const struct hf_fields *from, struct hf_arena *arena)
{
	size_t i, bytes = 0;
	char *at;

	hf_fields_init(to, arena);
	if (from->n == 0)
		return 0;
	for (i = 0; i < from->n; i++)
		bytes += from->v[i].name.len + from->v[i].value.len;
	to->v = hf_arena_alloc(arena, from->n * sizeof(*to->v) + bytes);
	if (!to->v)
		return HF_ENOMEM;
	to->n = to->cap = from->n;
	at = (char *)(to->v + to->n);
	for (i = 0; i < from->n; i++) {
		to->v[i].name = put(&at, from->v[i].name);
		to->v[i].value = put(&at, from->v[i].value);
	}
	return 0;
}

static bool is_one_of(struct hf_span name, const char *const *names, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (hf_span_ieq_str(name, names[i]))
			return true;
	return false;
}

static const char *const hop_names[] = {
	"Connection",
	"Keep-Alive",
	"Proxy-Connection",
	"Transfer-Encoding",
	"TE",
	"Upgrade",
	"Proxy-Authenticate",
	"Proxy-Authorization",
	"Proxy-Authentication-Info",
};

/* Meant for every recipient, so that a Connection that names one of these is
 * an attempt to make the proxy drop it. */
static const char *const end_to_end_names[] = {
	"Accept",
	"Age",
	"Authorization",
	"Cache-Control",
	"Content-Encoding",
	"Content-Length",
	"Content-Location",
	"Content-Range",
	"Content-Type",
	"Cookie",
	"Date",
	"ETag",
	"Expires",
	"Forwarded",
	"Host",
	"Idempotency-Key",
	"If-Match",
	"If-Modified-Since",
	"If-None-Match",
	"If-Range",
	"If-Unmodified-Since",
	"Last-Modified",
	"Location",
	"Origin",
	"Pragma",
	"Range",
	"Retry-After",
	"Set-Cookie",
	"Trailer",
	"Vary",
	"Via",
	"WWW-Authenticate",
	"X-Forwarded-For",
	"X-Forwarded-Host",
	"X-Forwarded-Proto",
};

static bool is_nominated(const struct hf_fields *f, struct hf_span name)
{
	return has_token(f, HF_SPAN("Connection"), name) &&
	       !is_one_of(name, end_to_end_names, COUNT(end_to_end_names));
}

/* Fields that Connection names go while Connection is still there to ask. */
static void strip_nominated(struct hf_fields *f)
{
	bool asked = hf_fields_get(f, "Connection") != NULL;
	size_t i = 0;

	while (i < f->n) {
		struct hf_span name = f->v[i].name;

		if (!hf_span_ieq_str(name, "Connection") &&
		    (is_one_of(name, hop_names, COUNT(hop_names)) ||
		     (asked && is_nominated(f, name))))
			remove_all(f, name);
		else
			i++;
	}
}

void hf_fields_strip_hop(struct hf_fields *f)
{
	strip_nominated(f);
	hf_fields_remove(f, "Connection");
}

/* IANA's method registry; CONNECT, LOCK, PATCH and POST are neither. */
static const char *const safe_methods[] = {
	"GET", "HEAD", "OPTIONS", "PRI", "PROPFIND", "QUERY", "REPORT", "SEARCH", "TRACE",
};

static const char *const idempotent_methods[] = {
	"ACL",
	"BASELINE-CONTROL",
	"BIND",
	"CHECKIN",
	"CHECKOUT",
	"COPY",
	"DELETE",
	"LABEL",
	"LINK",
	"MERGE",
	"MKACTIVITY",
	"MKCALENDAR",
	"MKCOL",
	"MKREDIRECTREF",
	"MOVE",
	"MKWORKSPACE",
	"ORDERPATCH",
	"PROPPATCH",
	"PUT",
	"REBIND",
	"UNBIND",
	"UNCHECKOUT",
	"UNLINK",
	"UNLOCK",
	"UPDATE",
	"UPDATEREDIRECTREF",
	"VERSION-CONTROL",
};

static bool is_method(struct hf_span method, const char *const *names, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (hf_span_eq_str(method, names[i])) /* methods are case-sensitive */
			return true;
	return false;
}

bool hf_method_is_safe(struct hf_span method)
{
	return is_method(method, safe_methods, COUNT(safe_methods));
}

bool hf_method_is_idempotent(struct hf_span method)
{
	return hf_method_is_safe(method) ||
	       is_method(method, idempotent_methods, COUNT(idempotent_methods));
}

static bool is_tchar(unsigned char c)
{
	static const uint32_t set[8] = {
		0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff, /* 0 to 127, lowest bit first */
	};

	return set[c >> 5] >> (c & 31) & 1;
}

bool hf_is_token(struct hf_span s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (!is_tchar((unsigned char)s.ptr[i]))
			return false;
	return s.len > 0;
}

bool hf_is_visible(struct hf_span s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c <= 0x20 || c >= 0x7f)
			return false;
	}
	return s.len > 0;
}

bool hf_is_field_value(struct hf_span s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

const char *hf_status_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{ 100, "Continue" },
		{ 101, "Switching Protocols" },
		{ 102, "Processing" },
		{ 103, "Early Hints" },
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 203, "Non-Authoritative Information" },
		{ 204, "No Content" },
		{ 205, "Reset Content" },
		{ 206, "Partial Content" },
		{ 207, "Multi-Status" },
		{ 208, "Already Reported" },
		{ 226, "IM Used" },
		{ 300, "Multiple Choices" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 305, "Use Proxy" },
		{ 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 402, "Payment Required" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 407, "Proxy Authentication Required" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 411, "Length Required" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 417, "Expectation Failed" },
		{ 421, "Misdirected Request" },
		{ 422, "Unprocessable Content" },
		{ 423, "Locked" },
		{ 424, "Failed Dependency" },
		{ 425, "Too Early" },
		{ 426, "Upgrade Required" },
		{ 428, "Precondition Required" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 451, "Unavailable For Legal Reasons" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
		{ 506, "Variant Also Negotiates" },
		{ 507, "Insufficient Storage" },
		{ 508, "Loop Detected" },
		{ 511, "Network Authentication Required" },
	};
	size_t i;

	for (i = 0; i < COUNT(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "";
}
