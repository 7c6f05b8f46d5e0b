/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the HTTP/1.1 reader share. */
#ifndef HF_HTTP_H1_PRIVATE_H
#define HF_HTTP_H1_PRIVATE_H

#include <assert.h>
#include <llhttp.h>

#include "base/buf.h"
#include "http/h1_reader.h"

enum h1_state {
	H1_HEAD,
	H1_LENGTH,
	H1_CLOSE,
	H1_CHUNK_LINE,
	H1_CHUNK_DATA,
	H1_CHUNK_END,
	H1_TRAILERS,
	H1_COMPLETE,
	H1_DONE,
	H1_FAILED,
};

/* What a step of the loop came to; errors are negative. */
enum h1_step {
	H1_MORE, /* needs more bytes */
	H1_ON,	 /* the state has changed or bytes were used */
};

/* Lines that are being collected: a head, trailers or one chunk line. */
struct h1_section {
	size_t left;	  /* bytes it may still have */
	size_t line_len;  /* of the line being read */
	size_t lines;	  /* complete ones, without the empty last one */
	char first, last; /* of the line being read */
};

struct hf_h1_reader {
	llhttp_t llhttp;
	const struct hf_h1_events *events;
	void *user;
	struct hf_arena *arena;
	struct hf_h1_limits limits;
	uint8_t kind, state;
	bool no_body, paused;
	bool empty_line_cr; /* the CR of an empty line before a request was seen */
	uint8_t empty_lines, interims;
	uint8_t chunk_end; /* how much of the CRLF behind a chunk was seen */
	uint16_t chunk_spare;
	short status; /* of the error */
	int err;
	const char *error;
	uint64_t body_left; /* of the body or the chunk */
	struct h1_section section;
	struct hf_buf partial; /* the section's bytes of earlier feeds */
	struct hf_message msg;
	struct hf_fields trailers;
};

/* h1_reader.c: all of them end the reading. @words are static. */
int hf_h1_fail(struct hf_h1_reader *r, int err, int status, const char *words);
int hf_h1_bad(struct hf_h1_reader *r, const char *words);
int hf_h1_no_memory(struct hf_h1_reader *r);
/* What an event returned. */
int hf_h1_heed(struct hf_h1_reader *r, int err);

/* A section begins; then bytes are taken from @rest. 1: all of the section is
 * in *@out, which is valid until release. 0: more is needed. */
static inline void hf_h1_section_begin(struct hf_h1_reader *r, size_t bytes_max)
{
	assert(r->partial.len == 0);
	r->section = (struct h1_section){ .left = bytes_max };
}

/* h1_section.c */
int hf_h1_section_collect(struct hf_h1_reader *r, struct hf_span *rest, struct hf_span *out);

static inline void hf_h1_section_release(struct hf_h1_reader *r)
{
	hf_buf_clear(&r->partial);
}

/* The next line of a complete section, without its CRLF. */
static inline struct hf_span hf_h1_next_line(struct hf_span *rest)
{
	struct hf_span line = hf_span_cut(rest, '\n');

	assert(line.len > 0 && line.ptr[line.len - 1] == '\r');
	line.len--;
	return line;
}

/* h1_fields.c: copies @section into the arena with room for @cap fields before
 * it. */
int hf_h1_fields_take(struct hf_h1_reader *r, struct hf_span *section, struct hf_fields *fields,
		      size_t cap);
/* @section lies in the arena, behind the room for its fields. */
int hf_h1_fields_parse(struct hf_h1_reader *r, struct hf_span section, struct hf_fields *fields);
/* Those that must not stand in trailers are dropped. */
int hf_h1_trailers_parse(struct hf_h1_reader *r, struct hf_span section);

/* h1_head.c: sets msg from a complete head. */
int hf_h1_head_parse(struct hf_h1_reader *r, struct hf_span head);

/* h1_framing.c: sets body, body_len and keep_alive of msg from its fields. */
int hf_h1_frame(struct hf_h1_reader *r);

/* True when llhttp takes all of @bytes, a head or a chunk line, and stops
 * behind the last one, as its callbacks make it. */
static inline bool hf_h1_llhttp_stops_behind(struct hf_h1_reader *r, struct hf_span bytes)
{
	return llhttp_execute(&r->llhttp, bytes.ptr, bytes.len) == HPE_PAUSED &&
	       llhttp_get_error_pos(&r->llhttp) == bytes.ptr + bytes.len;
}

/* h1_llhttp.c */
void hf_h1_llhttp_init(struct hf_h1_reader *r);
/* It accepts @head and frames its body as msg says. */
int hf_h1_llhttp_agrees(struct hf_h1_reader *r, struct hf_span head);

/* h1_body.c: the state behind msg's head; then steps in the body until it is
 * complete, an event has paused or more bytes are needed. */
void hf_h1_body_begin(struct hf_h1_reader *r);
int hf_h1_body_steps(struct hf_h1_reader *r, struct hf_span *rest);

#endif
