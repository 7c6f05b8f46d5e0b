/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In the clear, data passes through without a copy. Under TLS, ciphertext is
 * handed to the session where it lies; what it encrypts is gathered in @out, so
 * that several records leave in one write, and the session itself never sees a
 * full pipe.
 *
 * When the owner stops reading in the middle of what came, the ciphertext that
 * is left waits in @cipher, within one read of the port.
 */
#include "net/channel.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "net/tls.h"

#define PLAIN_BYTES 16384 /* the largest TLS record */
#define OUT_BYTES   16384 /* ciphertext gathered for one write */
#define RECORD_ROOM 4352  /* one more record of MBEDTLS_SSL_OUT_CONTENT_LEN fits */
#define CIPHER_MAX  (4u * 1024 * 1024)

enum {
	CONNECTING,
	OPEN,
	HANDSHAKE,
	DEAD,
};

struct hf_channel {
	struct hf_port *port;
	struct hf_timerq *timers;
	struct hf_stream *stream; /* NULL: closed */
	const struct hf_channel_events *events;
	void *user;
	struct hf_tls_session *tls; /* NULL: in the clear */
	struct hf_buf cipher, out;
	struct hf_span in;	/* under TLS: ciphertext in hand */
	struct hf_timer resume; /* goes on with @cipher */
	int state;
	int depth;     /* how many of our events are on the stack */
	int err;       /* the connection's end, told after @cipher; 0: none */
	int write_err; /* of the first failed write */
	bool reading, port_reading;
	bool eof;	    /* close_notify came, not told yet */
	bool want_writable; /* a short write was answered */
	bool finishing;	    /* our direction ends when @out is empty */
	bool closed;
};

static void channel_free(struct hf_channel *ch)
{
	hf_tls_session_destroy(ch->tls);
	hf_buf_finish(&ch->cipher);
	hf_buf_finish(&ch->out);
	free(ch);
}

/* Around everything that calls the owner: it may close the channel inside. */
static void enter(struct hf_channel *ch)
{
	ch->depth++;
}

static void leave(struct hf_channel *ch)
{
	assert(ch->depth > 0);
	if (--ch->depth == 0 && ch->closed)
		channel_free(ch);
}

static void port_read(struct hf_channel *ch, bool on)
{
	if (ch->closed || ch->err || ch->port_reading == on)
		return;
	ch->port_reading = on;
	ch->port->stream_read(ch->port, ch->stream, on);
}

static bool has_rest(const struct hf_channel *ch)
{
	return ch->cipher.len > 0 || ch->eof;
}

static void resume_soon(struct hf_channel *ch)
{
	/* Without memory for the timer the owner's timeout ends it. */
	(void)hf_timerq_set(ch->timers, &ch->resume, ch->port->boottime_ms(ch->port));
}

/* The connection's end, told now or behind what waits in @cipher. */
static void die(struct hf_channel *ch, int err)
{
	if (ch->closed || ch->err)
		return;
	ch->err = err;
	if (has_rest(ch))
		return;
	ch->state = DEAD;
	ch->events->on_error(ch->user, err);
}

static void fail_open(struct hf_channel *ch, int err)
{
	ch->state = DEAD;
	ch->err = err;
	ch->events->on_open(ch->user, err);
}

/* ---- ciphertext out ---- */

static void flush(struct hf_channel *ch)
{
	ptrdiff_t n;

	if (ch->out.len == 0 || ch->closed || ch->err || ch->write_err)
		return;
	n = ch->port->stream_write(ch->port, ch->stream, hf_buf_span(&ch->out).ptr, ch->out.len);
	if (n < 0) {
		ch->write_err = (int)n;
		return;
	}
	hf_buf_consume(&ch->out, (size_t)n);
	if (ch->out.len == 0 && ch->finishing)
		ch->port->stream_shutdown(ch->port, ch->stream);
}

static ptrdiff_t bio_write(void *user, const void *data, size_t len)
{
	struct hf_channel *ch = user;
	int err = hf_buf_append(&ch->out, hf_span(data, len));

	return err ? err : (ptrdiff_t)len;
}

static ptrdiff_t bio_read(void *user, void *data, size_t len)
{
	struct hf_channel *ch = user;

	if (len > ch->in.len)
		len = ch->in.len;
	if (len > 0)
		memcpy(data, ch->in.ptr, len);
	ch->in = hf_span_skip(ch->in, len);
	return (ptrdiff_t)len;
}

/* ---- ciphertext in ---- */

static void handshake(struct hf_channel *ch)
{
	int err = hf_tls_session_handshake(ch->tls);

	flush(ch);
	if (err == HF_EAGAIN)
		err = ch->write_err;
	else if (!err)
		ch->state = OPEN;
	if (err) {
		fail_open(ch, err);
	} else if (ch->state == OPEN) {
		port_read(ch, ch->reading);
		ch->events->on_open(ch->user, 0);
	}
}

/* The session is broken: what is left cannot be read by anybody. */
static void end_of_tls(struct hf_channel *ch, int err)
{
	ch->in = hf_span(NULL, 0);
	hf_buf_clear(&ch->cipher);
	ch->err = err;
	ch->state = DEAD;
	ch->events->on_error(ch->user, err);
}

static void decrypt(struct hf_channel *ch)
{
	char plain[PLAIN_BYTES];
	size_t before;
	ptrdiff_t n;

	while (!ch->closed && ch->reading && ch->state == OPEN && !ch->eof) {
		before = ch->in.len;
		n = hf_tls_session_read(ch->tls, plain, sizeof(plain));
		if (n > 0) {
			ch->events->on_data(ch->user, hf_span(plain, (size_t)n));
		} else if (n == HF_EAGAIN) {
			if (ch->in.len == 0 || ch->in.len == before)
				break; /* else it took a message of its own */
		} else if (n == HF_EEOF || n == 0) {
			ch->eof = true;
		} else {
			flush(ch); /* the alert */
			end_of_tls(ch, (int)n);
		}
	}
	if (!ch->closed)
		flush(ch);
}

static void tell_eof(struct hf_channel *ch)
{
	if (ch->closed || !ch->eof || !ch->reading)
		return;
	ch->eof = false;
	port_read(ch, false);
	ch->events->on_eof(ch->user);
}

/* Works through @data with the session; keeps what is left in @cipher. */
static void cipher_in(struct hf_channel *ch, struct hf_span data)
{
	ch->in = data;
	if (ch->state == HANDSHAKE)
		handshake(ch);
	if (!ch->closed && ch->state == OPEN)
		decrypt(ch);
	if (ch->closed)
		return;
	if (ch->state == OPEN && hf_buf_append(&ch->cipher, ch->in))
		die(ch, HF_ENOMEM);
	ch->in = hf_span(NULL, 0);
	tell_eof(ch);
}

static void resume(void *user)
{
	struct hf_channel *ch = user;
	struct hf_buf cipher;

	enter(ch);
	if (ch->reading && ch->tls && ch->state == OPEN) {
		cipher = ch->cipher;
		hf_buf_init(&ch->cipher, CIPHER_MAX);
		cipher_in(ch, hf_buf_span(&cipher));
		hf_buf_finish(&cipher);
	}
	if (!ch->closed && ch->reading)
		tell_eof(ch);
	if (!ch->closed && ch->reading && !has_rest(ch) && ch->state == OPEN) {
		if (ch->err) {
			ch->state = DEAD;
			ch->events->on_error(ch->user, ch->err);
		} else {
			port_read(ch, true);
		}
	}
	leave(ch);
}

/* ---- events of the stream ---- */

static void on_connect(void *user, int err)
{
	struct hf_channel *ch = user;

	enter(ch);
	if (err) {
		fail_open(ch, err);
	} else {
		ch->state = OPEN;
		ch->events->on_open(ch->user, 0);
	}
	leave(ch);
}

static void on_data(void *user, const void *data, size_t len)
{
	struct hf_channel *ch = user;

	enter(ch);
	if (ch->tls)
		cipher_in(ch, hf_span(data, len));
	else
		ch->events->on_data(ch->user, hf_span(data, len));
	leave(ch);
}

static void on_eof(void *user)
{
	struct hf_channel *ch = user;

	enter(ch);
	if (ch->state == HANDSHAKE) {
		fail_open(ch, HF_ECONNRESET);
	} else if (ch->tls) {
		die(ch, HF_ECONNRESET); /* no close_notify: it may be cut */
	} else {
		ch->events->on_eof(ch->user);
	}
	leave(ch);
}

static void on_writable(void *user)
{
	struct hf_channel *ch = user;

	enter(ch);
	flush(ch);
	if (!ch->closed && ch->out.len == 0 && ch->want_writable) {
		ch->want_writable = false;
		ch->events->on_writable(ch->user);
	}
	leave(ch);
}

static void on_error(void *user, int err)
{
	struct hf_channel *ch = user;

	enter(ch);
	if (ch->state == HANDSHAKE)
		fail_open(ch, err);
	else
		die(ch, err);
	leave(ch);
}

static const struct hf_stream_events stream_events = {
	.on_connect = on_connect,
	.on_data = on_data,
	.on_eof = on_eof,
	.on_writable = on_writable,
	.on_error = on_error,
};

/* ---- public ---- */

int hf_channel_connect(struct hf_port *port, struct hf_timerq *timers, const struct hf_addr *to,
		       const struct hf_channel_events *events, void *user, struct hf_channel **out)
{
	struct hf_channel *ch = calloc(1, sizeof(*ch));
	int err;

	if (!ch)
		return HF_ENOMEM;
	ch->port = port;
	ch->timers = timers;
	ch->events = events;
	ch->user = user;
	hf_buf_init(&ch->cipher, CIPHER_MAX);
	hf_buf_init(&ch->out, 4 * OUT_BYTES);
	hf_timer_init(&ch->resume, resume, ch);
	err = port->stream_connect(port, to, &stream_events, ch, &ch->stream);
	if (err) {
		free(ch);
		return err;
	}
	*out = ch;
	return 0;
}

void hf_channel_bind(struct hf_channel *ch, const struct hf_channel_events *events, void *user)
{
	ch->events = events;
	ch->user = user;
}

int hf_channel_start_tls(struct hf_channel *ch, struct hf_tls_client *tls)
{
	const struct hf_tls_bio bio = { .write = bio_write, .read = bio_read, .user = ch };
	int err;

	assert(ch->state == OPEN && !ch->tls);
	err = hf_tls_session_create(tls, &bio, &ch->tls);
	if (err)
		return err;
	ch->state = HANDSHAKE;
	err = hf_tls_session_handshake(ch->tls); /* writes the first flight */
	flush(ch);
	if (err != HF_EAGAIN)
		return err ? err : HF_ETLS;
	port_read(ch, true);
	return 0;
}

void hf_channel_read(struct hf_channel *ch, bool on)
{
	if (ch->reading == on)
		return;
	ch->reading = on;
	if (ch->closed || ch->state != OPEN)
		return;
	if (!on)
		port_read(ch, false);
	else if (has_rest(ch) || ch->depth > 0)
		resume_soon(ch);
	else
		port_read(ch, true);
}

/* Encrypts and gathers; each round ends with an empty or a stuck @out. */
static ptrdiff_t write_tls(struct hf_channel *ch, const char *data, size_t len)
{
	size_t done = 0;
	ptrdiff_t n;

	while (done < len && ch->out.len == 0) {
		while (done < len && ch->out.len + RECORD_ROOM <= OUT_BYTES) {
			n = hf_tls_session_write(ch->tls, data + done, len - done);
			if (n <= 0)
				return n < 0 ? n : HF_ETLS;
			done += (size_t)n;
		}
		flush(ch);
		if (ch->write_err)
			return ch->write_err;
	}
	return (ptrdiff_t)done;
}

ptrdiff_t hf_channel_write(struct hf_channel *ch, const void *data, size_t len)
{
	ptrdiff_t n;

	if (ch->closed || ch->state != OPEN || ch->err)
		return HF_ECONNRESET;
	if (ch->write_err)
		return ch->write_err;
	if (ch->tls)
		n = write_tls(ch, data, len);
	else
		n = ch->port->stream_write(ch->port, ch->stream, data, len);
	if (n < 0) {
		ch->write_err = (int)n;
		return n;
	}
	assert((size_t)n <= len);
	if ((size_t)n < len)
		ch->want_writable = true;
	return n;
}

void hf_channel_shutdown(struct hf_channel *ch)
{
	if (ch->closed || ch->state != OPEN || ch->finishing || ch->err || ch->write_err)
		return;
	ch->finishing = true;
	if (ch->tls)
		hf_tls_session_close_notify(ch->tls);
	if (ch->out.len > 0)
		flush(ch);
	else
		ch->port->stream_shutdown(ch->port, ch->stream);
}

void hf_channel_close(struct hf_channel *ch, bool abort)
{
	if (!ch || ch->closed)
		return;
	if (ch->tls && ch->state == OPEN && !abort && !ch->finishing && !ch->write_err) {
		hf_tls_session_close_notify(ch->tls);
		flush(ch);
	}
	ch->closed = true;
	hf_timerq_clear(ch->timers, &ch->resume);
	ch->port->stream_close(ch->port, ch->stream, abort);
	ch->stream = NULL;
	if (ch->depth == 0)
		channel_free(ch);
}

bool hf_channel_pending(const struct hf_channel *ch)
{
	return ch->in.len > 0 || has_rest(ch);
}

const char *hf_channel_error(const struct hf_channel *ch)
{
	return ch->tls ? hf_tls_session_error(ch->tls) : "";
}
