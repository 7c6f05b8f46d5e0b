/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Randomness: the kernel's. Blocks only on a first boot before the kernel's
 * pool is ready.
 */
#include <errno.h>
#include <sys/random.h>

#include "port/linux/loop.h"

static int entropy(struct hf_port *port, void *out, size_t len)
{
	char *to = out;

	(void)port;
	while (len > 0) {
		ssize_t n = getrandom(to, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return HF_EIO;
		to += n;
		len -= (size_t)n;
	}
	return 0;
}

void hf_linux_entropy_init(struct hf_port_linux *p)
{
	p->port.entropy = entropy;
}
