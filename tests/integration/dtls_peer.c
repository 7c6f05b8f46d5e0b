/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dtls_peer PSK: a CoAP server over DTLS with connection ids (RFC 9146), for one
 * client. It prints the port that it listens on, and answers each request with
 * 2.05 and "from PORT, id BYTES": where the datagram came from, and how long the
 * client's records say its id is.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include <mbedtls/ssl.h>
#include <mbedtls/timing.h>
#include <psa/crypto.h>

#include "holdfast/port.h"
#include "net/tls_platform.h"

#define DATAGRAM_MAX 2048
#define ID_BYTES     4

static struct {
	int fd;
	struct sockaddr_in from; /* of the datagram below */
	struct sockaddr_in peer; /* where answers go */
	unsigned char datagram[DATAGRAM_MAX];
	size_t len;
} net;

/* ---- the world of Mbed TLS ---- */

static uint64_t boottime_ms(struct hf_port *port)
{
	struct timespec ts;

	(void)port;
	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static enum hf_clock_trust wall_ms(struct hf_port *port, int64_t *ms)
{
	(void)port;
	*ms = (int64_t)time(NULL) * 1000;
	return HF_CLOCK_RTC;
}

static int entropy(struct hf_port *port, void *out, size_t len)
{
	(void)port;
	return getrandom(out, len, 0) == (ssize_t)len ? 0 : -1;
}

static int bio_send(void *user, const unsigned char *data, size_t len)
{
	(void)user;
	return (int)sendto(net.fd, data, len, 0, (struct sockaddr *)&net.peer, sizeof(net.peer));
}

static int bio_recv(void *user, unsigned char *data, size_t len)
{
	size_t n = net.len < len ? net.len : len;

	(void)user;
	if (n == 0)
		return MBEDTLS_ERR_SSL_WANT_READ;
	memcpy(data, net.datagram, n);
	net.len = 0;
	return (int)n;
}

/* ---- CoAP ---- */

static void answer(mbedtls_ssl_context *ssl, const unsigned char *request, size_t len)
{
	size_t token = request[0] & 15, n = 4 + token;
	unsigned char out[128];

	if (len < n || token > 8)
		return;
	memcpy(out, request, n);
	out[0] = (unsigned char)(0x60 | token);
	out[1] = 0x45;
	out[n++] = 0xff;
	n += (size_t)snprintf((char *)out + n, sizeof(out) - n, "from %u, id %d",
			      ntohs(net.peer.sin_port), net.datagram[0] == 25 ? ID_BYTES : 0);
	mbedtls_ssl_write(ssl, out, n);
}

static int turn(mbedtls_ssl_context *ssl, bool *open)
{
	struct pollfd p = { .fd = net.fd, .events = POLLIN };
	socklen_t size = sizeof(net.from);
	unsigned char data[DATAGRAM_MAX];
	int ret;

	if (poll(&p, 1, 100) > 0) {
		ssize_t n = recvfrom(net.fd, net.datagram, sizeof(net.datagram), 0,
				     (struct sockaddr *)&net.from, &size);

		net.len = n > 0 ? (size_t)n : 0;
	}
	if (!*open) {
		net.peer = net.from;
		ret = mbedtls_ssl_handshake(ssl);
		*open = ret == 0;
		return ret == 0 || ret == MBEDTLS_ERR_SSL_WANT_READ ? 0 : ret;
	}
	if (net.len == 0)
		return 0;
	ret = mbedtls_ssl_read(ssl, data, sizeof(data));
	if (ret > 0) {
		net.peer = net.from; /* it was authentic */
		answer(ssl, data, (size_t)ret);
	}
	return ret > 0 || ret == MBEDTLS_ERR_SSL_WANT_READ ? 0 : ret;
}

/* ---- setting up ---- */

static bool listen_somewhere(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof(at);

	net.fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (net.fd < 0 || bind(net.fd, (struct sockaddr *)&at, sizeof(at)) ||
	    getsockname(net.fd, (struct sockaddr *)&at, &size))
		return false;
	printf("%u\n", ntohs(at.sin_port));
	fflush(stdout);
	return true;
}

static bool set_up(mbedtls_ssl_config *conf, mbedtls_ssl_context *ssl, const char *psk)
{
	static const unsigned char id[ID_BYTES] = { 1, 2, 3, 4 };
	static mbedtls_timing_delay_context delay;

	if (psa_crypto_init() != PSA_SUCCESS ||
	    mbedtls_ssl_config_defaults(conf, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_DATAGRAM,
					MBEDTLS_SSL_PRESET_DEFAULT))
		return false;
	mbedtls_ssl_conf_rng(conf, hf_tls_platform_random, NULL);
	mbedtls_ssl_conf_dtls_cookies(conf, NULL, NULL, NULL);
	if (mbedtls_ssl_conf_cid(conf, ID_BYTES, MBEDTLS_SSL_UNEXPECTED_CID_IGNORE) ||
	    mbedtls_ssl_conf_psk(conf, (const unsigned char *)psk, strlen(psk),
				 (const unsigned char *)"kiosk", 5) ||
	    mbedtls_ssl_setup(ssl, conf))
		return false;
	mbedtls_ssl_set_bio(ssl, NULL, bio_send, bio_recv, NULL);
	mbedtls_ssl_set_timer_cb(ssl, &delay, mbedtls_timing_set_delay, mbedtls_timing_get_delay);
	return mbedtls_ssl_set_cid(ssl, MBEDTLS_SSL_CID_ENABLED, id, sizeof(id)) == 0;
}

int main(int argc, char **argv)
{
	struct hf_port port = { .boottime_ms = boottime_ms,
				.wall_ms = wall_ms,
				.entropy = entropy };
	mbedtls_ssl_config conf;
	mbedtls_ssl_context ssl;
	bool open = false;
	int ret = 0;

	if (argc != 2)
		return 64;
	hf_tls_platform_enter(&port);
	mbedtls_ssl_config_init(&conf);
	mbedtls_ssl_init(&ssl);
	if (!set_up(&conf, &ssl, argv[1]) || !listen_somewhere())
		return 1;
	while (ret == 0)
		ret = turn(&ssl, &open);
	fprintf(stderr, "dtls_peer: ended with -0x%x\n", (unsigned)-ret);
	return 1;
}
