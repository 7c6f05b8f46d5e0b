/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies that come block by block (RFC 7959 section 2.5), each with the options of the
 * first: told apart by their sender, method, path, query and Request-Tag (RFC 9175).
 * They are put together in memory, so that a request is accepted as a whole or not at
 * all.
 */
#include <stdlib.h>

#include "base/strmap.h"
#include "holdfast/err.h"
#include "sensor/sensor_private.h"

#define IDLE_MS 93000 /* MAX_TRANSMIT_WAIT: no block comes later */
#define SLOW_MS 5000  /* one that did not move for so long gives way to another */

struct hf_sensor_upload {
	struct hf_list link; /* the one that moved last at the end */
	struct hf_sensors *sensors;
	struct hf_sensor_peer peer;
	uint64_t what;
	uint64_t moved_ms;
	struct hf_buf body;
	struct hf_buf first; /* the datagram of the first block */
	size_t before;	     /* length of the body before the last block */
};

void hf_sensor_upload_end(struct hf_sensor_upload *u)
{
	u->sensors->figures.uploads--;
	hf_list_remove(&u->link);
	hf_buf_finish(&u->body);
	hf_buf_finish(&u->first);
	free(u);
}

static uint64_t what_of(const struct hf_sensors *s, const struct hf_coap_head *head)
{
	uint64_t hash = head->code;

	for (size_t i = 0; i < head->n; i++) {
		const struct hf_coap_option *o = &head->options[i];
		uint64_t part[3] = { hash, o->number, hf_siphash13(s->seed, o->value) };

		if (o->number == HF_COAP_URI_HOST || o->number == HF_COAP_URI_PATH ||
		    o->number == HF_COAP_URI_QUERY || o->number == HF_COAP_CONTENT_FORMAT ||
		    o->number == HF_COAP_REQUEST_TAG)
			hash = hf_siphash13(s->seed, hf_span(part, sizeof(part)));
	}
	return hash;
}

static struct hf_sensor_upload *find(struct hf_sensors *s, const struct hf_sensor_in *in)
{
	uint64_t what = what_of(s, &in->m.head), now = hf_sensor_now(s);
	struct hf_sensor_upload *found = NULL;
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &s->uploads) {
		struct hf_sensor_upload *u = hf_container_of(it, struct hf_sensor_upload, link);

		if (now - u->moved_ms > IDLE_MS)
			hf_sensor_upload_end(u);
		else if (u->what == what && hf_sensor_same_peer(&u->peer, &in->ask.peer))
			found = u;
	}
	return found;
}

static struct hf_sensor_upload *begin(struct hf_sensors *s, const struct hf_sensor_in *in)
{
	struct hf_list *oldest = hf_list_first(&s->uploads);
	struct hf_sensor_upload *u = NULL;

	if (s->figures.uploads == CONFIG_HF_SENSOR_UPLOADS_MAX) {
		u = hf_container_of(oldest, struct hf_sensor_upload, link);
		if (hf_sensor_now(s) - u->moved_ms > SLOW_MS)
			hf_sensor_upload_end(u);
		u = NULL;
	}
	if (s->figures.uploads < CONFIG_HF_SENSOR_UPLOADS_MAX)
		u = calloc(1, sizeof(*u));
	if (!u)
		return NULL;
	u->sensors = s;
	u->peer = in->ask.peer;
	u->what = what_of(s, &in->m.head);
	hf_buf_init(&u->body, CONFIG_HF_SENSOR_BODY_BYTES_MAX);
	hf_buf_init(&u->first, HF_COAP_DATAGRAM_MAX);
	hf_list_push(&s->uploads, &u->link);
	s->figures.uploads++;
	if (hf_buf_append(&u->first, in->bytes)) {
		hf_sensor_upload_end(u);
		return NULL;
	}
	return u;
}

static void go_on(struct hf_sensors *s, struct hf_sensor_in *in, const struct hf_coap_block *block)
{
	struct hf_coap_head head = { .code = HF_COAP_CONTINUE };
	char bytes[4];

	(void)hf_coap_option_add(&head, HF_COAP_BLOCK1, hf_coap_block_format(block, bytes));
	hf_sensor_answer(s, &in->ask, &head, hf_span(NULL, 0));
}

static void refuse_length(struct hf_sensors *s, struct hf_sensor_in *in)
{
	struct hf_coap_head head = { .code = HF_COAP_TOO_LARGE };
	char bytes[4];

	(void)hf_coap_option_add(&head, HF_COAP_SIZE1,
				 hf_coap_uint(CONFIG_HF_SENSOR_BODY_BYTES_MAX, bytes));
	hf_sensor_answer(s, &in->ask, &head, hf_span(NULL, 0));
}

static bool is_too_long(const struct hf_sensor_in *in, size_t at)
{
	const struct hf_span *size = hf_coap_option_get(&in->m.head, HF_COAP_SIZE1);
	uint32_t announced = 0;

	if (size && !hf_coap_uint_parse(*size, &announced))
		announced = UINT32_MAX;
	return announced > CONFIG_HF_SENSOR_BODY_BYTES_MAX ||
	       at + in->m.payload.len > CONFIG_HF_SENSOR_BODY_BYTES_MAX;
}

/* The upload that this block goes on with; NULL: it was answered. */
static struct hf_sensor_upload *place(struct hf_sensors *s, struct hf_sensor_in *in,
				      const struct hf_coap_block *block)
{
	size_t at = (size_t)block->num << (block->szx + 4);
	struct hf_sensor_upload *u = find(s, in);

	if (u && block->num == 0 &&
	    !(block->more && hf_span_eq(hf_buf_span(&u->first), in->bytes))) {
		hf_sensor_upload_end(u);
		u = NULL;
	}
	if (u && at == u->before && block->more && u->body.len == at + in->m.payload.len) {
		go_on(s, in, block); /* again */
		return NULL;
	}
	if (!u && block->num == 0) {
		u = begin(s, in);
		if (!u)
			hf_sensor_refuse(s, &in->ask, HF_COAP_CODE(5, 3), HF_SENSOR_BUSY_S,
					 "As many bodies come block by block as may.");
		return u;
	}
	if (u && at == u->body.len)
		return u;
	hf_sensor_refuse(s, &in->ask, HF_COAP_INCOMPLETE, 0,
			 "This block does not follow the ones before; begin with the first.");
	return NULL;
}

bool hf_sensor_upload_take(struct hf_sensors *s, struct hf_sensor_in *in,
			   const struct hf_coap_block *block, struct hf_span *body,
			   struct hf_span *first, struct hf_sensor_upload **out)
{
	struct hf_sensor_upload *u;

	if (block->num == 0 && !block->more && !is_too_long(in, 0))
		return true; /* the only one */
	if (block->more && in->m.payload.len != hf_coap_block_size(block->szx)) {
		hf_sensor_refuse(s, &in->ask, HF_COAP_CODE(4, 0), 0,
				 "The block has not the size that Block1 says.");
		return false;
	}
	if (is_too_long(in, (size_t)block->num << (block->szx + 4))) {
		u = find(s, in);
		if (u)
			hf_sensor_upload_end(u);
		refuse_length(s, in);
		return false;
	}
	u = place(s, in, block);
	if (!u)
		return false;
	u->before = u->body.len;
	u->moved_ms = hf_sensor_now(s);
	hf_list_remove(&u->link);
	hf_list_push(&s->uploads, &u->link);
	if (hf_buf_append(&u->body, in->m.payload)) {
		hf_sensor_upload_end(u);
		hf_sensor_refuse(s, &in->ask, HF_COAP_CODE(5, 3), HF_SENSOR_BUSY_S,
				 "Holdfast is short of memory.");
		return false;
	}
	if (block->more) {
		go_on(s, in, block);
		return false;
	}
	*body = hf_buf_span(&u->body);
	*first = hf_buf_span(&u->first);
	*out = u;
	return true;
}

void hf_sensor_upload_forget(struct hf_sensors *s, struct hf_sensor_session *session)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &s->uploads) {
		struct hf_sensor_upload *u = hf_container_of(it, struct hf_sensor_upload, link);

		if (u->peer.session == session)
			hf_sensor_upload_end(u);
	}
}

void hf_sensor_uploads_finish(struct hf_sensors *s)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &s->uploads)
		hf_sensor_upload_end(hf_container_of(it, struct hf_sensor_upload, link));
}
