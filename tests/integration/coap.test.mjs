/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Origins that speak CoAP: libcoap's own example server, with another TLS library.
 * Builds without CoAP and machines without the server skip.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, suite, until } from './lib/harness.mjs';
import { Daemon, queuedRoute } from './lib/daemon.mjs';
import { freePort } from './lib/ports.mjs';

const program = 'coap-server-openssl';
const there = !spawnSync(program, ['-v']).error;
const skip = !process.env.HF_COAP ? 'built without CoAP' : !there ? `there is no ${program}` : false;

class CoapServer {
	static async create(x, { start = true } = {}) {
		const s = new CoapServer();
		s.port = await freePort('127.0.0.1', 2); /* the next one is for DTLS */
		s.log = '';
		x.defer(() => s.stop());
		x.explain(() => `${program}:\n${s.log.slice(-4000)}`);
		if (start)
			await s.start();
		return s;
	}

	async start() {
		this.child = spawn(program, ['-A', '127.0.0.1', '-p', String(this.port), '-d', '100',
			'-k', 'sesame', '-h', 'hint', '-v', '7'], { stdio: ['ignore', 'pipe', 'pipe'] });
		this.over = new Promise((resolve) => this.child.once('close', resolve));
		const begin = this.log.length;
		for (const stream of [this.child.stdout, this.child.stderr])
			stream.on('data', (d) => (this.log += d));
		await until(() => this.log.slice(begin).includes('created TLS'), { what: 'the server listens' });
	}

	async stop() {
		this.child?.kill('SIGKILL');
		await this.over;
		this.child = undefined;
	}

	/* Requests it has received, as libcoap prints them. */
	arrivals(method, path) {
		return this.log.split('\n').filter((line) => line.includes(`c:${method}`) && line.includes(path));
	}
}

async function kiosk(x, { scheme = 'coap', start = true, psk = 'sesame', policy, ...keys } = {}) {
	const server = await CoapServer.create(x, { start });
	const origin = { name: 'dev', url: `${scheme}://127.0.0.1:${server.port + (scheme === 'coaps')}`, ...keys };
	if (scheme === 'coaps') {
		origin['psk-file'] = join(x.dir, 'psk');
		origin['psk-identity'] = 'kiosk';
		writeFileSync(origin['psk-file'], `${psk}\n`);
	}
	const daemon = await Daemon.create(x, { origins: [origin],
		manifest: { name: 'kiosk', version: '1', routes: [queuedRoute('/orders', 'orders', policy),
			queuedRoute('/orders/:n', 'orders', policy, 'PUT')] } });
	return { server, daemon };
}

const text = { 'Content-Type': 'text/plain' };

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
	const body = randomBytes(1 << 20);
	let answer = await daemon.request({ path: '/large', method: 'PUT', body,
		headers: { 'Content-Type': 'application/octet-stream' } });
	assert.equal(answer.status, 201, answer.text);
	answer = await daemon.get('/large', { 'Cache-Control': 'no-cache' });
	assert.equal(answer.status, 200);
	assert.ok(body.equals(answer.body), `${answer.body.length} bytes came back, or others`);
}

for (const scheme of ['coap', 'coaps']) {
	test(`${scheme}: GET, PUT, POST and DELETE`, { skip }, async (x) => {
		const { daemon } = await kiosk(x, { scheme });
		await lifeOfAResource(daemon);
	});

	test(`${scheme}: a body of 1 MiB goes there and comes back, block by block`, { skip }, async (x) => {
		const { server, daemon } = await kiosk(x, { scheme });
		await largeBody(daemon);
		assert.ok(server.arrivals('PUT', 'large').length >= 1024);
	});
}

test('coap: what CoAP cannot say is answered without the origin', { skip }, async (x) => {
	const { server, daemon } = await kiosk(x);
	let answer = await daemon.request({ path: '/shelf/1', method: 'OPTIONS' });
	assert.equal(answer.status, 501);
	answer = await daemon.post('/shelf/1', 'a=b', { 'Content-Type': 'application/x-www-form-urlencoded' });
	assert.equal(answer.status, 415);
	assert.equal(server.arrivals('', 'shelf').length, 0);
});

test('coaps: with a wrong key nothing is sent, and the request waits', { skip }, async (x) => {
	const { server, daemon } = await kiosk(x, { scheme: 'coaps', psk: 'wrong', 'connect-timeout-ms': 3000 });
	const answer = await daemon.get('/time');
	assert.ok([502, 504].includes(answer.status), answer.text);
	const { status } = await daemon.post('/orders', 'tea', text);
	assert.equal(status, 202);
	assert.equal(server.arrivals('', 'time').length + server.arrivals('', 'orders').length, 0);
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
	const posts = server.arrivals('POST', 'orders');
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
	assert.equal(server.arrivals('PUT', 'orders').length, before + 1);
	assert.equal((await daemon.get('/orders/1', { 'Cache-Control': 'no-cache' })).text, 'second');
});

suite('CoAP origins');
