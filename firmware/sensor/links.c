/* SPDX-License-Identifier: Apache-2.0 */
/* /.well-known/core: where a sensor may send to, in link format (RFC 6690). */
#include "http/values.h"
#include "sensor/sensor_private.h"

#define LINKS_MAX   16384
#define LINK_FORMAT 40

struct list {
	struct hf_buf text;
	struct hf_span href; /* of the filter, ptr NULL: none */
	int err;
};

/* "href=/a*": a star at the end stands for anything. */
static bool is_wanted(const struct list *l, struct hf_span path)
{
	struct hf_span want = l->href;

	if (!want.ptr)
		return true;
	if (want.len > 0 && want.ptr[want.len - 1] == '*')
		return hf_span_starts(path, hf_span(want.ptr, want.len - 1));
	return hf_span_eq(want, path);
}

static void add(struct list *l, struct hf_span path, const char *attributes)
{
	if (l->err || !is_wanted(l, path))
		return;
	l->err = hf_buf_appendf(&l->text, "%s<%.*s>%s", l->text.len > 0 ? "," : "",
				HF_SPAN_ARG(path), attributes);
}

static void add_path(void *to, struct hf_span path)
{
	add(to, path, ";rt=\"holdfast.queue\"");
}

/* False: by something that no link has. */
static bool read_filter(const struct hf_coap_head *head, struct list *l, bool *reads, bool *queue)
{
	const struct hf_span *query = hf_coap_option_get(head, HF_COAP_URI_QUERY);

	*reads = *queue = true;
	if (!query)
		return true;
	if (hf_span_starts(*query, HF_SPAN("href="))) {
		l->href = hf_span_skip(*query, 5);
		return true;
	}
	*reads = hf_span_eq_str(*query, "rt=holdfast.requests");
	*queue = hf_span_eq_str(*query, "rt=holdfast.queue");
	if (hf_span_eq_str(*query, "rt=holdfast.*"))
		*reads = *queue = true;
	return *reads || *queue;
}

void hf_sensor_links(struct hf_sensors *s, struct hf_sensor_in *in)
{
	const struct hf_span *value = hf_coap_option_get(&in->m.head, HF_COAP_BLOCK2);
	struct list l = { .err = 0 };
	struct hf_coap_block block;
	bool reads, queue;

	hf_buf_init(&l.text, LINKS_MAX);
	if (value && !hf_coap_block_parse(*value, &block)) {
		hf_sensor_refuse(s, &in->ask, HF_COAP_CODE(4, 0), 0,
				 "Block2 is no block option (RFC 7959).");
		return;
	}
	if (read_filter(&in->m.head, &l, &reads, &queue)) {
		if (queue)
			s->opt.each_path(s->opt.user, add_path, &l);
		if (reads)
			add(&l, HF_SPAN("/.holdfast/requests"),
			    ";rt=\"holdfast.requests\";ct=50;obs");
	}
	if (l.err)
		hf_sensor_refuse(s, &in->ask, HF_COAP_CODE(5, 3), HF_SENSOR_BUSY_S,
				 "The list of paths is too long.");
	else
		hf_sensor_content(s, &in->ask, value ? &block : NULL, LINK_FORMAT, -1,
				  hf_buf_span(&l.text));
	hf_buf_finish(&l.text);
}
