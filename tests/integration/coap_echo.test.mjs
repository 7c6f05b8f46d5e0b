/* SPDX-License-Identifier: Apache-2.0 */
/* Echo and Request-Tag (RFC 9175): origins that want to know whether a request is fresh, and which body a block is of. */
import assert from 'node:assert/strict';
import { test, suite, until } from './lib/harness.mjs';
import { CoapPeer, OPTION, block, number } from './lib/coap_peer.mjs';
import { Daemon } from './lib/daemon.mjs';
import { kiosk, text } from './lib/coap_server.mjs';
import { freePort } from './lib/ports.mjs';
import { Page } from './lib/sse_page.mjs';

const skip = process.env.HF_COAP ? false : 'built without CoAP';

const page = (n) => Buffer.alloc(1024, `${n}`);

/* An origin that does nothing without its Echo; o.wants(m) says which requests have to bring o.echo, and
 * o.refused counts those that did not. GET /long is three blocks, PUT takes any body. */
async function suspicious(x, wants) {
	const o = { echo: 'fresh-1', refused: 0, body: '', wants, order: 1, observers: new Map() };
	o.peer = await CoapPeer.create(x, (m, reply, from) => {
		if (o.wants(m) && String(m.get(OPTION.echo) ?? '') !== o.echo) {
			o.refused++;
			reply({ code: '4.01', options: [[OPTION.echo, o.echo]] });
			return;
		}
		const two = number(m.get(OPTION.block2)) ?? 6, one = m.get(OPTION.block1);
		if (m.method !== 'GET') {
			o.body += m.payload;
			reply({ code: number(one) & 8 ? '2.31' : '2.04', options: one ? [[OPTION.block1, one]] : [] });
		} else if (m.path === '/long') {
			reply({ code: '2.05', payload: page(two >> 4), options: [[OPTION.etag, 'e'], [OPTION.block2, block(two >> 4, two >> 4 < 2, 6)]] });
		} else {
			const observe = number(m.get(OPTION.observe)) === 0;
			if (observe)
				o.observers.set(m.token, from);
			reply({ code: '2.05', payload: 'tea', options: observe ? [[OPTION.observe, ++o.order]] : [] });
		}
	});
	({ daemon: o.daemon } = await kiosk(x, { server: o.peer, scheme: 'coap', 'first-byte-timeout-ms': 30000 }));
	o.put = (body) => o.daemon.request({ method: 'PUT', path: '/a', body, headers: text });
	return o;
}

test('a request goes again with the Echo that it is asked for', { skip }, async (x) => {
	const o = await suspicious(x, () => true);
	assert.equal((await o.daemon.get('/a')).text, 'tea');
	assert.deepEqual([o.refused, o.peer.requests.length], [1, 2]);
	assert.equal((await o.put('one message')).status, 204);
	assert.equal(o.body, 'one message');
});

test('any block of a body, and of an answer, may have to bring one', { skip }, async (x) => {
	const body = `${'x'.repeat(1500)}${'y'.repeat(1500)}`;
	for (const at of [0, 1, 2]) {
		const o = await suspicious(x, (m) => number(m.get(OPTION.block1)) >> 4 === at || number(m.get(OPTION.block2)) >> 4 === at);
		assert.equal((await o.put(body)).status, 204);
		assert.equal(o.body, body);
		assert.equal(o.refused, 1);
		const answer = await o.daemon.get('/long');
		assert.equal(answer.status, 200);
		assert.ok(Buffer.concat([page(0), page(1), page(2)]).equals(answer.body), `block ${at}`);
		assert.equal(o.refused, 2);
	}
});

test('an Echo that has lapsed on the way is replaced', { skip }, async (x) => {
	const o = await suspicious(x, (m) => m.get(OPTION.block1) !== undefined);
	o.wants = (m) => {
		if (number(m.get(OPTION.block1)) >> 4 === 2)
			o.echo = 'fresh-2';
		return true;
	};
	assert.equal((await o.put('x'.repeat(3000))).status, 204);
	assert.equal(o.body.length, 3000);
	assert.equal(o.refused, 2);
	assert.deepEqual(o.peer.requests.at(-1).all(OPTION.echo).map(String), ['fresh-2']);
});

test('an origin that is never content has its answer passed on', { skip }, async (x) => {
	const o = await suspicious(x, () => {
		o.echo += '+';
		return true;
	});
	assert.equal((await o.daemon.get('/a')).status, 403);
	assert.ok(o.peer.requests.length < 5, `${o.peer.requests.length} requests`);
});

test('a resource that is observed', { skip }, async (x) => {
	const o = await suspicious(x, () => true);
	const listener = Page.open(x, o.daemon, '/a');
	await listener.hears('tea');
	for (const [token, from] of o.observers)
		o.peer.send(from, { type: 'NON', code: '2.05', token, payload: 'coffee', options: [[OPTION.observe, ++o.order]] });
	await listener.hears('coffee');
	assert.equal(o.observers.size, 1);
});

test('the sensor side of another Holdfast, which proves addresses so', { skip }, async (x) => {
	const port = await freePort('127.0.0.1');
	await Daemon.create(x, { agent: { 'coap-listen': `127.0.0.1:${port}` }, origins: [{ url: 'http://127.0.0.1:9' }],
		manifest: { name: 'kiosk', version: '1', routes: [1, 2, 3, 4, 5].map((n) => ({ source: 'network', queue: { tag: 'r' },
			condition: { urlPattern: `/readings/of/the/floor/${n}`, requestMethod: 'POST' } })) } });
	const { daemon } = await kiosk(x, { server: { port }, scheme: 'coap' });
	const answer = await daemon.get('/.well-known/core');
	assert.equal(answer.status, 200, answer.text);
	assert.equal(answer.headers['content-type'], 'application/link-format');
	assert.match(answer.text, /floor\/5/);
});

test('each body in blocks has a Request-Tag of its own', { skip }, async (x) => {
	const o = await suspicious(x, () => false);
	const tags = () => o.peer.requests.map((m) => m.get(OPTION.requestTag)?.toString('hex'));
	await o.put('in one message');
	assert.deepEqual(tags(), [undefined]);
	o.peer.requests.length = 0;
	await o.put('x'.repeat(3000));
	await o.put('y'.repeat(3000));
	const [a, b, c, d, e, f] = tags();
	assert.equal(tags().length, 6);
	assert.ok(a && d && a !== d, tags().join());
	assert.deepEqual([b, c, e, f], [a, a, d, d]);
	await until(() => o.body.length === 6014, { what: 'both bodies' });
});

suite('Echo and Request-Tag of CoAP');
