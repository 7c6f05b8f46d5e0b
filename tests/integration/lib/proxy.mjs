/* SPDX-License-Identifier: Apache-2.0 */
/* Holdfast before an origin that says exactly what it is told. */
import { createServer } from 'node:net';
import { once } from 'node:events';
import { Origin } from './origin.mjs';
import { Daemon } from './daemon.mjs';
import { freePort } from './ports.mjs';

export async function pair(x, options = {}) {
	const origin = await Origin.create(x, options.origin);
	const daemon = await Daemon.create(x, { ...options, origin });
	return { origin, daemon };
}

/* An origin that says exactly what it is told, and keeps what it is sent. */
export async function rawOrigin(x, onRequest) {
	const port = await freePort();
	const sockets = new Set();
	const server = createServer((socket) => {
		sockets.add(socket);
		socket.on('close', () => sockets.delete(socket));
		socket.on('error', () => {});
		let text = '';
		socket.on('data', (d) => {
			text += d.toString('latin1');
			let at;
			while ((at = text.indexOf('\r\n\r\n')) >= 0) {
				const head = text.slice(0, at + 4);
				text = text.slice(at + 4);
				onRequest(socket, head);
			}
		});
	});
	server.listen(port, '127.0.0.1');
	await once(server, 'listening');
	x.defer(() => new Promise((resolve) => {
		for (const s of sockets)
			s.destroy();
		server.close(resolve);
	}));
	return { url: `http://127.0.0.1:${port}`, port, sockets };
}

export async function rawPair(x, onRequest) {
	const origin = await rawOrigin(x, onRequest);
	return { origin, daemon: await Daemon.create(x, { origins: [{ name: 'raw', url: origin.url }] }) };
}

export const HEAD = (daemon, line, ...fields) =>
	`${line} HTTP/1.1\r\nHost: localhost:${daemon.port}\r\n${fields.map((f) => `${f}\r\n`).join('')}\r\n`;
