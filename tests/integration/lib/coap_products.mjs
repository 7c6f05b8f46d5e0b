/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CoAP servers of others: { name, offered, schemes, ways, start(x, { tls, netns }) }, which gives { port };
 * what is secured has the next one. What is not in `offered` a product does not have.
 */
import { spawnSync } from 'node:child_process';
import { CoapServer } from './coap_server.mjs';

const nodeCoap = await import('coap').catch(() => null);

/* A store of representations that are observed, on node-coap. */
async function startNodeCoap(x) {
	const { createServer } = nodeCoap.default ?? nodeCoap;
	const shelf = new Map(), observers = new Set();
	const server = createServer((req, res) => {
		const path = req.url.split('?')[0];
		const tell = () => {
			for (const o of observers)
				if (o.path === path)
					o.res.write(shelf.get(path) ?? '');
		};
		if (req.method === 'GET' || req.method === 'FETCH') {
			res.code = shelf.has(path) ? '2.05' : '4.04';
			if (req.method === 'GET' && req.headers.Observe === 0 && shelf.has(path)) {
				const o = { path, res };
				observers.add(o);
				res.on('finish', () => observers.delete(o));
				res.write(shelf.get(path));
			} else {
				res.end(shelf.get(path) ?? '');
			}
		} else if (req.method === 'DELETE') {
			res.code = shelf.delete(path) ? '2.02' : '4.04';
			res.end();
		} else {
			res.code = shelf.has(path) ? '2.04' : '2.01';
			shelf.set(path, Buffer.from(req.payload));
			res.end();
			tell();
		}
	});
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	x.defer(() => server.close());
	return { port: server._sock.address().port };
}

const libcoap = (program) => ({
	name: program.replace('coap-server-', 'libcoap, '),
	there: !spawnSync(program, ['-v']).error,
	schemes: ['coap', 'coaps', 'coap+tcp', 'coaps+tcp'],
	ways: ['direct', 'netns', 'lossy'],
	offered: new Set(['GET', 'PUT', 'POST', 'DELETE', 'blocks', 'observe', 'key']),
	start: (x, options) => CoapServer.create(x, { program, ...options }),
});

export const products = [
	libcoap('coap-server-openssl'),
	libcoap('coap-server-gnutls'),
	{
		name: 'node-coap',
		there: nodeCoap !== null,
		schemes: ['coap'],
		ways: ['direct', 'lossy'],
		offered: new Set(['GET', 'PUT', 'POST', 'DELETE', 'FETCH', 'PATCH', 'blocks', 'observe']),
		start: startNodeCoap,
	},
].filter((p) => p.there);
