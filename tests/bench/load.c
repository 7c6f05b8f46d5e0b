/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load generator of the benchmarks: N clients on N connections, each sends
 * a request, waits for the acknowledgement, sends the next. One thread, epoll.
 *
 *   load http       PORT CLIENTS COUNT BODY_BYTES [LANES]   POST, expects 202
 *   load get        PORT CLIENTS COUNT 0                    GET /page, expects 200
 *   load beanstalk  PORT CLIENTS COUNT BODY_BYTES           put, expects INSERTED
 *
 * http goes to /api/orders/0, or, client by client, to as many such paths as
 * there are LANES.
 *
 * Prints one line: rate per second, p50, p99 and the maximum in microseconds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum kind {
	KIND_HTTP,
	KIND_GET,
	KIND_BEANSTALK,
};

#define LANES_MAX 64

struct request {
	char *bytes;
	size_t len;
};

struct client {
	int fd;
	const struct request *request;
	char in[32768];
	size_t in_len;
	uint64_t sent_ns;
};

struct load {
	enum kind kind;
	struct request requests[LANES_MAX]; /* one for each lane */
	int lanes;
	long to_send, done, count;
	uint32_t *took_ns;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void make_request(enum kind kind, int lane, size_t body, struct request *out)
{
	char head[512];
	int n;

	if (kind == KIND_HTTP)
		n = snprintf(head, sizeof(head),
			     "POST /api/orders/%d HTTP/1.1\r\nHost: localhost\r\n"
			     "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
			     lane, body);
	else if (kind == KIND_GET)
		n = snprintf(head, sizeof(head), "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n");
	else
		n = snprintf(head, sizeof(head), "put 0 0 60 %zu\r\n", body);
	out->bytes = malloc((size_t)n + body + 2);
	if (!out->bytes)
		die("malloc");
	memcpy(out->bytes, head, (size_t)n);
	memset(out->bytes + n, 'x', body);
	out->len = (size_t)n + body;
	if (kind == KIND_BEANSTALK) {
		memcpy(out->bytes + out->len, "\r\n", 2);
		out->len += 2;
	}
}

static int dial(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void send_next(struct load *l, struct client *c)
{
	if (l->to_send == 0)
		return;
	l->to_send--;
	c->in_len = 0;
	c->sent_ns = now_ns();
	if (send(c->fd, c->request->bytes, c->request->len, MSG_NOSIGNAL) !=
	    (ssize_t)c->request->len)
		die("send");
}

/* Whether c->in holds a whole answer; ends the program on a wrong one. */
static int is_whole(const struct load *l, struct client *c)
{
	const char *want = l->kind == KIND_HTTP ? "HTTP/1.1 202" :
			   l->kind == KIND_GET	? "HTTP/1.1 200" :
						  "INSERTED ";
	const char *end, *length;

	c->in[c->in_len] = 0;
	if (c->in_len >= strlen(want) && strncmp(c->in, want, strlen(want)) != 0) {
		fprintf(stderr, "load: unexpected answer: %.*s\n", 60, c->in);
		exit(1);
	}
	if (l->kind == KIND_BEANSTALK)
		return strstr(c->in, "\r\n") != NULL;
	end = strstr(c->in, "\r\n\r\n");
	if (!end)
		return 0;
	length = strcasestr(c->in, "\r\nContent-Length:");
	if (!length || length > end) {
		fprintf(stderr, "load: an answer without Content-Length\n");
		exit(1);
	}
	return c->in_len >= (size_t)(end + 4 - c->in) + strtoul(length + 17, NULL, 10);
}

static void receive(struct load *l, struct client *c)
{
	ssize_t n = recv(c->fd, c->in + c->in_len, sizeof(c->in) - 1 - c->in_len, 0);

	if (n <= 0)
		die("recv");
	c->in_len += (size_t)n;
	if (!is_whole(l, c))
		return;
	l->took_ns[l->done++] = (uint32_t)(now_ns() - c->sent_ns);
	send_next(l, c);
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void run(struct load *l, int port, int clients)
{
	struct client *c = calloc((size_t)clients, sizeof(*c));
	int ep = epoll_create1(0);
	uint64_t begin;
	double seconds;

	if (!c || ep < 0)
		die("epoll");
	for (int i = 0; i < clients; i++) {
		struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &c[i] };

		c[i].fd = dial(port);
		c[i].request = &l->requests[i % l->lanes];
		epoll_ctl(ep, EPOLL_CTL_ADD, c[i].fd, &ev);
	}
	begin = now_ns();
	for (int i = 0; i < clients; i++)
		send_next(l, &c[i]);
	while (l->done < l->count) {
		struct epoll_event ev[64];
		int n = epoll_wait(ep, ev, 64, 30000);

		if (n <= 0) {
			fprintf(stderr, "load: no answer for 30 s\n");
			exit(1);
		}
		for (int i = 0; i < n; i++)
			receive(l, ev[i].data.ptr);
	}
	seconds = (double)(now_ns() - begin) / 1e9;
	qsort(l->took_ns, (size_t)l->count, sizeof(*l->took_ns), by_value);
	printf("rate %.0f p50 %.1f p99 %.1f max %.1f\n", (double)l->count / seconds,
	       l->took_ns[l->count / 2] / 1e3, l->took_ns[l->count * 99 / 100] / 1e3,
	       l->took_ns[l->count - 1] / 1e3);
	for (int i = 0; i < clients; i++)
		close(c[i].fd);
	free(c);
	close(ep);
}

int main(int argc, char **argv)
{
	struct load l = { .lanes = argc == 7 ? atoi(argv[6]) : 1 };

	if (argc < 6 || argc > 7 || l.lanes < 1 || l.lanes > LANES_MAX) {
		fprintf(stderr, "usage: load http|get|beanstalk PORT CLIENTS COUNT BODY_BYTES "
				"[LANES]\n");
		return 64;
	}
	l.kind = strcmp(argv[1], "http") == 0 ? KIND_HTTP :
		 strcmp(argv[1], "get") == 0  ? KIND_GET :
						KIND_BEANSTALK;
	l.count = l.to_send = atol(argv[4]);
	l.took_ns = calloc((size_t)l.count + 1, sizeof(*l.took_ns));
	if (!l.took_ns)
		die("malloc");
	for (int i = 0; i < l.lanes; i++)
		make_request(l.kind, i, (size_t)atol(argv[5]), &l.requests[i]);
	run(&l, atoi(argv[2]), atoi(argv[3]));
	free(l.took_ns);
	for (int i = 0; i < l.lanes; i++)
		free(l.requests[i].bytes);
	return 0;
}
