/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a coaps origin and we take each other for: keys, certificates, and what is resumed. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:net';
import { after } from 'node:test';
import { test, suite, until } from './lib/harness.mjs';
import { Authority } from './lib/certs.mjs';
import { CoapServer, dtlsPeer, kiosk, skip, text } from './lib/coap_server.mjs';
import { UdpRelay } from './lib/udp_relay.mjs';

const dir = mkdtempSync(join(tmpdir(), 'hf-coap-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const ca = skip ? undefined : new Authority(join(dir, 'ca'));
const strange = skip ? undefined : new Authority(join(dir, 'strange'), 'Another CA');
const files = (pair, ask) => ({ cert: pair.certFile, key: pair.keyFile, ...(ask ? { ca: ca.file } : {}) });
const good = ca?.issue('good');

for (const scheme of ['coaps', 'coaps+tcp']) {
	test(`${scheme}: a certificate that ca-file knows`, { skip }, async (x) => {
		const { daemon } = await kiosk(x, { scheme, tls: files(good), 'ca-file': ca.file });
		assert.equal((await daemon.get('/time')).status, 200);
	});

	test(`${scheme}: a pin alone`, { skip }, async (x) => {
		const { daemon } = await kiosk(x, { scheme, tls: files(good), pin: good.pin });
		assert.equal((await daemon.get('/time')).status, 200);
	});

	test(`${scheme}: our certificate where the origin asks for one`, { skip }, async (x) => {
		const own = ca.issue(`own-${scheme}`, { names: ['panel-7'], client: true });
		const { server, daemon } = await kiosk(x, { scheme, tls: files(good, true), 'ca-file': ca.file,
			'client-cert': own.certFile, 'client-key': own.keyFile });
		assert.equal((await daemon.get('/time')).status, 200);
		await until(() => server.log.includes('panel-7'), { what: 'our name in its log' });
	});

	/* Nothing of the request leaves, the page hears why, and a queued request waits. */
	const refused = (what, make, words) => test(`${scheme}: ${what}`, { skip }, async (x) => {
		const { server, daemon } = await kiosk(x, { scheme, 'connect-timeout-ms': 15000, ...make() });
		const answer = await daemon.get('/time');
		assert.ok([502, 504].includes(answer.status), answer.text);
		assert.match(answer.json().detail, words);
		const queued = await daemon.post('/orders', 'tea', text);
		assert.equal(queued.status, 202, queued.text);
		assert.equal(server.arrivals('', 'time').length + server.arrivals('', 'orders').length, 0);
	});

	refused('a wrong key', () => ({ psk: 'wrong', 'connect-timeout-ms': 4000 }), /key|identity|alert/);
	refused('a wrong key, and the server ends the handshake', () => ({ psk: 'wrong', program: 'coap-server-gnutls' }),
		/key or identity|alert/);
	refused('a certificate of an authority that is not known', () => ({ tls: files(strange.issue(`s-${scheme}`)),
		'ca-file': ca.file }), /unknown issuer: CN=Another CA/);
	refused('a certificate for another name', () => ({ tls: files(ca.issue(`n-${scheme}`, { names: ['shop.test'] })),
		'ca-file': ca.file }), /certificate is for shop\.test, not for 127\.0\.0\.1/);
	refused('a certificate that has expired', () => ({ tls: files(ca.issue(`e-${scheme}`, { from: -9, to: -2 })),
		'ca-file': ca.file }), /expired on/);
	refused('a pin of another key', () => ({ tls: files(good), pin: strange.issue(`p-${scheme}`).pin }),
		/no pin matches/);
	refused('no certificate of ours where the origin asks for one', () => ({ tls: files(good, true),
		'ca-file': ca.file }), /alert|certificate/);
}

/* ---- what is resumed ---- */

/* TCP connections to @port, which cut() ends. */
async function wire(x, port) {
	const open = new Set();
	const server = createServer((near) => {
		const far = connect(port, '127.0.0.1');
		for (const [a, b] of [[near, far], [far, near]]) {
			open.add(a);
			a.on('error', () => {});
			a.on('close', () => b.destroy());
			a.pipe(b);
		}
	});
	const cut = () => open.forEach((s) => s.destroy());
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	x.defer(() => (cut(), server.close()));
	return { port: server.address().port, cut };
}

/* A session that is resumed looks at no certificate: "resumed" in the log. */
for (const scheme of ['coaps', 'coaps+tcp'])
	test(`${scheme}: the next session resumes the last one`, { skip, seconds: 90 }, async (x) => {
		const server = await CoapServer.create(x, { tls: files(good) });
		const way = scheme === 'coaps' ? await UdpRelay.create(x, server.port + 1) : await wire(x, server.port + 1);
		const { daemon } = await kiosk(x, { scheme, tls: files(good), server: { port: way.port - 1 }, 'ca-file': ca.file,
			'first-byte-timeout-ms': 2000, agent: { 'log-level': 'debug' } });
		const sessions = () => [...daemon.log.matchAll(/tls\.open .*resumed=(\d)/g)].map((m) => m[1]).join('');
		const ask = () => until(async () => (await daemon.get('/time', { 'Cache-Control': 'no-cache' })).status === 200,
			{ what: 'an answer', every: 200 });
		const logged = (n) => until(() => sessions().length >= n, { what: `${n} sessions in the log` });
		await ask();
		await logged(1);
		assert.equal(sessions(), '0');
		await (way.rebind?.() ?? way.cut()); /* the server knows nothing of whom the next datagrams are from */
		await ask();
		await logged(2);
		assert.match(sessions(), /^01/);
	});

/* ---- on the way ---- */

test('coaps: another address of ours, and the session goes on by its connection id', { skip }, async (x) => {
	const { port, child } = await dtlsPeer(x);
	const relay = await UdpRelay.create(x, port);
	const { daemon } = await kiosk(x, { scheme: 'coaps', server: { port: relay.port - 1 } });
	const ask = async () => (await daemon.get('/a', { 'Cache-Control': 'no-cache' })).text;

	assert.equal(await ask(), `from ${relay.back.address().port}, id 4`);
	await relay.rebind();
	assert.equal(await ask(), `from ${relay.back.address().port}, id 4`);
	assert.equal(child.exitCode, null);
});

for (const scheme of ['coap', 'coaps'])
	test(`${scheme}: datagrams are lost, late and out of order`, { skip, seconds: 240 }, async (x) => {
		const server = await CoapServer.create(x);
		const relay = await UdpRelay.create(x, server.port + (scheme === 'coaps'),
			{ seed: 7, loss: 0.1, delay: 20, reorder: 0.2 });
		const { daemon } = await kiosk(x, { scheme, server: { port: relay.port - (scheme === 'coaps') },
			'connect-timeout-ms': 60000, 'first-byte-timeout-ms': 90000 });
		const body = Buffer.alloc(8000, 'lost and found ');
		const put = await daemon.request({ method: 'PUT', path: '/shelf', body, timeout: 120000,
			headers: { 'Content-Type': 'application/octet-stream' } });
		assert.equal(put.status, 201, put.text);
		const got = await daemon.request({ path: '/shelf', timeout: 120000, headers: { 'Cache-Control': 'no-cache' } });
		assert.ok(body.equals(got.body));
	});

suite('CoAP origins: keys and certificates');
