/* SPDX-License-Identifier: Apache-2.0 */
/* Origins that speak CoAP, over each of its transports, and the queue before them. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { test, suite, until } from './lib/harness.mjs';
import { CoapServer, kiosk, skip, text } from './lib/coap_server.mjs';

/* One of the two addresses of localhost is the second one. */
const ipv6 = Object.values(networkInterfaces()).flat().some((a) => a.address === '::1');

async function lifeOfAResource(daemon) {
	let answer = await daemon.request({ path: '/shelf/1', method: 'PUT', body: 'tea', headers: text });
	assert.equal(answer.status, 201, answer.text);
	answer = await daemon.get('/shelf/1');
	assert.equal(answer.status, 200);
	assert.equal(answer.text, 'tea');
	assert.equal(answer.headers['cache-control'], 'max-age=60');
	answer = await daemon.post('/shelf/1', 'coffee', text);
	assert.equal(answer.status, 204);
	answer = await daemon.get('/shelf/1', { 'Cache-Control': 'no-cache' });
	assert.equal(answer.text, 'coffee');
	answer = await daemon.request({ path: '/shelf/1', method: 'DELETE' });
	assert.equal(answer.status, 204);
	answer = await daemon.get('/shelf/1', { 'Cache-Control': 'no-cache' });
	assert.equal(answer.status, 404);
	assert.equal(answer.headers['content-type'], 'text/plain;charset=utf-8');
}

async function largeBody(daemon) {
	const body = randomBytes(1 << 18), timeout = 100000;
	let answer = await daemon.request({ path: '/large', method: 'PUT', body, timeout,
		headers: { 'Content-Type': 'application/octet-stream' } });
	assert.equal(answer.status, 201, answer.text);
	answer = await daemon.request({ path: '/large', headers: { 'Cache-Control': 'no-cache' }, timeout });
	assert.equal(answer.status, 200);
	assert.ok(body.equals(answer.body), `${answer.body.length} bytes came back, or others`);
}

/* An answer of Holdfast's own, in the origin's place. */
function ours(answer, status, words) {
	assert.equal(answer.status, status, answer.text);
	assert.equal(answer.headers['holdfast-state'], 'refused');
	assert.match(answer.headers['proxy-status'], /^holdfast; error=http_request_error; details="/);
	assert.equal(answer.headers['content-type'], 'application/problem+json');
	const problem = JSON.parse(answer.text);
	assert.deepEqual([problem.status, problem.reason], [status, 'http_request_error']);
	assert.match(problem.detail, words);
}

for (const scheme of ['coap', 'coaps', 'coap+tcp', 'coaps+tcp']) {
	test(`${scheme}: GET, PUT, POST and DELETE`, { skip }, async (x) => {
		const { daemon } = await kiosk(x, { scheme });
		await lifeOfAResource(daemon);
	});

	test(`${scheme}: a body of 256 KiB goes there and comes back, block by block`, { skip, seconds: 240 }, async (x) => {
		const { server, daemon } = await kiosk(x, { scheme });
		await largeBody(daemon);
		await server.arrived('PUT', 'large', 256);
	});
}

test('coap: what CoAP cannot say is answered without the origin', { skip }, async (x) => {
	const { server, daemon } = await kiosk(x);
	let answer = await daemon.request({ path: '/shelf/1', method: 'OPTIONS' });
	ours(answer, 501, /no such method/);
	answer = await daemon.post('/shelf/1', 'a=b', { 'Content-Type': 'application/x-www-form-urlencoded' });
	ours(answer, 415, /no Content-Format/);
	answer = await daemon.get(`/shelf/${'x'.repeat(256)}`);
	ours(answer, 414, /255 bytes/);
	answer = await daemon.request({ path: '/shelf/1', method: 'PUT', body: 'x', headers: { ...text, 'If-Match': '"some tag"' } });
	ours(answer, 412, /entity tag/);
	answer = await daemon.request({ path: '/shelf/1', method: 'HEAD', headers: { 'If-Match': '"some tag"' } });
	assert.deepEqual([answer.status, answer.headers['holdfast-state'], answer.text], [412, 'refused', '']);
	assert.equal(server.arrivals('', 'shelf').length, 0);
});

test('coap: nobody is there: a POST is queued, and arrives once when the origin is back', { skip }, async (x) => {
	const { server, daemon } = await kiosk(x, { start: false });
	const answer = await daemon.post('/orders', 'tea', text);
	assert.equal(answer.status, 202, answer.text);
	const { id, idempotencyKey } = answer.json();
	assert.ok(['queued', 'inflight'].includes((await daemon.record(id)).state));

	await daemon.restart();
	await server.start();
	await until(async () => !['queued', 'inflight'].includes((await daemon.record(id)).state),
		{ ms: 60000, what: 'the request is settled' });
	const posts = await server.arrived('POST', 'orders');
	assert.equal(new Set(posts.map((line) => line.match(/i:([0-9a-f]{4})/)?.[1])).size, 1, posts.join('\n'));
	assert.ok(posts[0].includes(`idempotency-key=${idempotencyKey}`), posts[0]);
});

test('coap: the origin goes and comes back: what was queued meanwhile is delivered once', { skip }, async (x) => {
	const { server, daemon } = await kiosk(x);
	const put = (body) => daemon.request({ path: '/orders/1', method: 'PUT', body, headers: text });

	assert.equal((await put('first')).status, 201);
	await server.stop();
	const answer = await put('second');
	assert.equal(answer.status, 202, answer.text);
	const before = server.arrivals('PUT', 'orders').length;
	await server.start();
	await until(async () => (await daemon.record(answer.json().id)).state === 'settled',
		{ ms: 60000, what: 'the request is settled' });
	assert.equal((await server.arrived('PUT', 'orders', before + 1)).length, before + 1);
	assert.equal((await daemon.get('/orders/1', { 'Cache-Control': 'no-cache' })).text, 'second');
});

for (const scheme of ['coap', 'coap+tcp'])
	test(`${scheme}: nobody at one address of the name, and the other one answers`, { skip: skip || !ipv6 },
		async (x) => {
			for (const address of ['127.0.0.1', '::1']) {
				const server = await CoapServer.create(x, { address });
				const { daemon } = await kiosk(x, { scheme, server, at: 'localhost' });
				assert.equal((await daemon.get('/time')).status, 200, address);
				const made = await daemon.request({ path: '/orders/2', method: 'PUT', body: 'tea', headers: text });
				assert.equal(made.status, 201, `${address}: ${made.text}`);
			}
		});

suite('CoAP origins');
