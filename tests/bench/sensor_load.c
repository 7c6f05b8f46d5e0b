/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sensors that speak CoAP over UDP, for the benchmarks: each has a socket of its own,
 * puts a reading, waits for the answer, and repeats what is not answered.
 *
 *   sensor_load rate  PORT PATH SENSORS COUNT     the next one at once
 *   sensor_load fleet PORT PATH SENSORS SECONDS   one each second
 *
 * A reading is "SENSOR/NUMBER". Prints one line: rate per second, p50, p99 and the
 * maximum in microseconds, and how many were sent, answered 2.xx, refused and repeated.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REPEAT_NS  UINT64_C(2000000000)
#define SECOND_NS  UINT64_C(1000000000)
#define PUT	   3
#define PATH_MOST  12
#define DATAGRAM   1500
#define GIVE_UP_NS (UINT64_C(60) * SECOND_NS)

struct sensor {
	int fd;
	unsigned number;
	uint32_t next; /* number of the next reading */
	uint16_t mid;
	bool waiting;
	char bytes[64];
	size_t len;
	uint64_t sent_ns, repeat_ns, due_ns;
};

struct load {
	bool fleet;
	const char *path;
	struct sensor *v;
	unsigned n;
	long count, sent, answered, refused, repeated;
	uint64_t end_ns;
	uint32_t *took_us;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void say(struct sensor *s)
{
	if (send(s->fd, s->bytes, s->len, 0) < 0 && s->sent_ns == 0)
		die("send");
}

static void put(struct load *l, struct sensor *s, uint64_t now)
{
	size_t path = strlen(l->path), n = 0;

	s->mid++;
	s->bytes[n++] = 0x44; /* confirmable, a token of 4 */
	s->bytes[n++] = PUT;
	s->bytes[n++] = (char)(s->mid >> 8);
	s->bytes[n++] = (char)s->mid;
	memcpy(s->bytes + n, &s->next, 4);
	n += 4;
	s->bytes[n++] = (char)(11 << 4 | (int)path); /* Uri-Path */
	memcpy(s->bytes + n, l->path, path);
	n += path;
	s->bytes[n++] = 1 << 4; /* Content-Format 0 */
	s->bytes[n++] = (char)0xff;
	n += (size_t)sprintf(s->bytes + n, "%u/%u", s->number, s->next);
	s->len = n;
	s->next++;
	s->waiting = true;
	s->sent_ns = s->repeat_ns = now;
	l->sent++;
	say(s);
}

static void take(struct load *l, struct sensor *s)
{
	uint8_t in[DATAGRAM];
	ssize_t n = recv(s->fd, in, sizeof(in), MSG_DONTWAIT);
	uint64_t now = now_ns();

	if (n < 8 || !s->waiting || memcmp(in + 4, s->bytes + 4, 4) != 0)
		return;
	if ((in[0] >> 4 & 3) == 0) { /* confirmable: an acknowledgement of ours */
		char ack[4] = { 0x60, 0, (char)in[2], (char)in[3] };

		(void)!send(s->fd, ack, sizeof(ack), 0);
	}
	s->waiting = false;
	if (in[1] >> 5 != 2) {
		l->refused++;
		return;
	}
	l->took_us[l->answered++ % l->count] = (uint32_t)((now - s->sent_ns) / 1000);
}

/* What is due of @s; when to look again. */
static uint64_t step(struct load *l, struct sensor *s, uint64_t now)
{
	if (s->waiting && now - s->repeat_ns >= REPEAT_NS) {
		s->repeat_ns = now;
		l->repeated++;
		say(s);
	}
	if (!s->waiting && !l->fleet && l->sent < l->count)
		put(l, s, now);
	if (!s->waiting && l->fleet && s->due_ns < l->end_ns && now >= s->due_ns) {
		s->due_ns += SECOND_NS;
		put(l, s, now);
	}
	return s->waiting ? s->repeat_ns + REPEAT_NS : l->fleet ? s->due_ns : now;
}

static bool is_over(const struct load *l, uint64_t now)
{
	if (!l->fleet)
		return l->answered + l->refused >= l->count;
	return now > l->end_ns + GIVE_UP_NS ||
	       (now > l->end_ns && l->answered + l->refused >= l->sent);
}

static void run(struct load *l, int poll)
{
	struct epoll_event events[64];
	uint64_t now = now_ns(), next;

	while (!is_over(l, now)) {
		next = now + SECOND_NS / 100;
		for (unsigned i = 0; l->fleet && i < l->n; i++) {
			uint64_t due = step(l, &l->v[i], now);

			if (due < next)
				next = due;
		}
		int ms = next > now ? (int)((next - now) / 1000000) : 0;
		int n = epoll_wait(poll, events, 64, ms);

		for (int i = 0; i < n; i++) {
			struct sensor *s = events[i].data.ptr;

			take(l, s);
			if (!l->fleet)
				step(l, s, now_ns());
		}
		now = now_ns();
		if (n == 0 && !l->fleet)
			for (unsigned i = 0; i < l->n; i++)
				step(l, &l->v[i], now);
	}
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void open_sensor(struct load *l, unsigned i, int port, int poll, uint64_t now)
{
	struct sensor *s = &l->v[i];
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = s };

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*s = (struct sensor){ .number = i, .mid = (uint16_t)(i * 7919) };
	s->due_ns = now + SECOND_NS / l->n * i; /* spread over the second */
	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&to, sizeof(to)) ||
	    epoll_ctl(poll, EPOLL_CTL_ADD, s->fd, &e))
		die("socket");
	if (!l->fleet)
		step(l, s, now);
}

int main(int argc, char **argv)
{
	struct load l = { 0 };
	uint64_t begin;
	double seconds;
	int poll;

	if (argc != 6 || strlen(argv[3]) > PATH_MOST) {
		fprintf(stderr, "usage: sensor_load rate|fleet PORT PATH SENSORS COUNT|SECONDS\n");
		return 64;
	}
	l.fleet = strcmp(argv[1], "fleet") == 0;
	l.path = argv[3];
	l.n = (unsigned)atoi(argv[4]);
	l.count = atol(argv[5]) * (l.fleet ? (long)l.n : 1);
	l.v = calloc(l.n, sizeof(*l.v));
	l.took_us = calloc((size_t)l.count, sizeof(*l.took_us));
	poll = epoll_create1(EPOLL_CLOEXEC);
	begin = now_ns();
	l.end_ns = begin + (l.fleet ? (uint64_t)atol(argv[5]) * SECOND_NS : 0);
	if (!l.v || !l.took_us || poll < 0)
		die("memory");
	for (unsigned i = 0; i < l.n; i++)
		open_sensor(&l, i, atoi(argv[2]), poll, begin);
	run(&l, poll);
	seconds = (double)(now_ns() - begin) / 1e9;
	if (l.answered == 0) {
		fprintf(stderr, "nothing was answered 2.xx\n");
		return 1;
	}
	if (l.answered < l.count)
		l.count = l.answered;
	qsort(l.took_us, (size_t)l.count, sizeof(*l.took_us), by_size);
	printf("rate %.1f p50 %u p99 %u max %u sent %ld answered %ld refused %ld repeated %ld\n",
	       (double)l.answered / seconds, l.took_us[l.count / 2], l.took_us[l.count * 99 / 100],
	       l.took_us[l.count - 1], l.sent, l.answered, l.refused, l.repeated);
	return 0;
}
