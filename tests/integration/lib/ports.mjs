/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports that stay free while nothing listens on them: below the range the
 * kernel takes for outgoing connections (32768 and up), so that a server can go
 * away and come back on its port.
 */
import { createServer } from 'node:net';

const given = new Set();

function canListen(port, host) {
	return new Promise((resolve) => {
		const server = createServer();
		server.once('error', () => resolve(false));
		server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
	});
}

/* The first of @n ports that follow each other. */
export async function freePort(host = '127.0.0.1', n = 1) {
	for (let i = 0; i < 1000; i++) {
		const port = 12000 + Math.floor(Math.random() * 20000);
		const ports = Array.from({ length: n }, (_, k) => port + k);
		if (ports.some((p) => given.has(p)))
			continue;
		ports.forEach((p) => given.add(p));
		if ((await Promise.all(ports.map((p) => canListen(p, host)))).every(Boolean))
			return port;
	}
	throw new Error('no free port');
}
