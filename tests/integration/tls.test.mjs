/* SPDX-License-Identifier: Apache-2.0 */
/* https origins: what is trusted, what is refused, and what the panel hears of it. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { test, suite, sleep, until } from './lib/harness.mjs';
import { Origin, sha256 } from './lib/origin.mjs';
import { Daemon, orders } from './lib/daemon.mjs';
import { Nginx, hasNginx } from './lib/nginx.mjs';
import { Authority } from './lib/certs.mjs';

const dir = mkdtempSync(join(tmpdir(), 'hf-tls-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const ca = new Authority(join(dir, 'ca'));
const otherCa = new Authority(join(dir, 'other'), 'Another CA');
const good = ca.issue('good');
const wrongName = ca.issue('wrong-name', { names: ['other.example'] });
const expired = ca.issue('expired', { from: -30, to: -1 });
const future = ca.issue('future', { from: 5, to: 30 });
const unknownCa = otherCa.issue('stranger');
const client = ca.issue('client', { names: ['panel-7'], client: true });
const clientOnly = ca.issue('client-as-server', { client: true });

async function kiosk(x, cert, { conf = {}, tls = {}, start = true, name } = {}) {
	const origin = await Origin.create(x, { tls: { key: cert.key, cert: cert.cert, ...tls }, start, name });
	origin.conf = { 'ca-file': ca.file, ...conf };
	for (const key of Object.keys(origin.conf))
		if (origin.conf[key] === null)
			delete origin.conf[key];
	return { origin, daemon: await Daemon.create(x, { origin, manifest: orders }) };
}

async function works(x, cert, options) {
	const { origin, daemon } = await kiosk(x, cert, options);
	const answer = await daemon.get('/page');
	assert.equal(answer.status, 200, answer.text);
	const post = await daemon.post('/api/orders', '{"n":1}');
	assert.equal(post.status, 201);
	assert.equal(origin.got('/api/orders')[0].headers.host, origin.url.slice('https://'.length));
	return { origin, daemon };
}

/* The page sees a 502 that says why; a queued route queues. */
async function refused(x, cert, words, options) {
	const { origin, daemon } = await kiosk(x, cert, options);
	const answer = await daemon.get('/page');
	assert.equal(answer.status, 502, answer.text);
	assert.equal(answer.headers['content-type'], 'application/problem+json');
	assert.match(answer.headers['proxy-status'],
		options?.error ?? /^holdfast; error=tls_certificate_error/);
	assert.match(answer.json().detail, words);
	const post = await daemon.post('/api/orders', '{"n":1}');
	assert.equal(post.status, 202);
	const { id } = post.json();
	await sleep(300);
	const record = await daemon.record(id);
	assert.ok(['queued', 'inflight'].includes(record.state), JSON.stringify(record));
	assert.equal(origin.requests, 0, 'something reached an origin that is not trusted');
	assert.equal((await daemon.status()).totals.waiting, 1);
	return { origin, daemon, id };
}

test('a good certificate by ca-file', (x) => works(x, good));

test('a good certificate by ca-dir', async (x) => {
	const folder = join(x.dir, 'cas');
	mkdirSync(folder);
	copyFileSync(otherCa.file, join(folder, 'other.pem'));
	copyFileSync(ca.file, join(folder, 'ca.pem'));
	await works(x, good, { conf: { 'ca-file': null, 'ca-dir': folder } });
});

test('a good certificate by a bundle of many CAs, memory stays flat', async (x) => {
	const system = '/etc/ssl/certs/ca-certificates.crt';
	if (!existsSync(system))
		return;
	const bundle = join(x.dir, 'bundle.pem');
	writeFileSync(bundle, Buffer.concat([readFileSync(system), readFileSync(ca.file)]));
	const { daemon } = await works(x, good, { conf: { 'ca-file': bundle } });
	x.say(`RSS with the system's CA bundle: ${daemon.rssKb()} kB`);
});

test('the name localhost, checked by name', (x) => works(x, good, { name: 'localhost' }));

test('wrong name', (x) => refused(x, wrongName, /name|127\.0\.0\.1/i));
test('expired', (x) => refused(x, expired, /expired|no longer valid|not valid at this device's time/i));
test('not valid yet', (x) => refused(x, future, /not yet valid|not valid at this device's time|future/i));
test('unknown CA', (x) => refused(x, unknownCa, /trust|authority|unknown|signed/i));
test('a certificate for clients only', (x) => refused(x, clientOnly, /./));

test('a pin that fits', (x) => works(x, good, { conf: { pin: good.pin } }));
test('a pin alone, without any CA', (x) => works(x, unknownCa, { conf: { 'ca-file': null, pin: unknownCa.pin } }));
test('one of two pins fits', (x) =>
	works(x, good, { conf: { pin: [randomBytes(32).toString('base64'), good.pin] } }));
test('a pin that does not fit', (x) =>
	refused(x, good, /pin/i, { conf: { pin: randomBytes(32).toString('base64') } }));

for (const version of ['TLSv1.2', 'TLSv1.3'])
	test(`${version} only`, (x) => works(x, good, { tls: { minVersion: version, maxVersion: version } }));

test('TLS 1.1 only', (x) => refused(x, good, /TLS/i, { error: /^holdfast; error=tls_(protocol|alert)/,
	tls: { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } }));

for (const version of ['TLSv1.2', 'TLSv1.3']) {
	const tls = { requestCert: true, rejectUnauthorized: true, ca: [readFileSync(ca.file)],
		minVersion: version, maxVersion: version };
	test(`a client certificate is shown, ${version}`, (x) => works(x, good, { tls,
		conf: { 'client-cert': client.certFile, 'client-key': client.keyFile } }));

	test(`without the client certificate that is asked for, ${version}`, async (x) => {
		const { daemon } = await kiosk(x, good, { tls });
		const answer = await daemon.get('/page');
		assert.equal(answer.status, 502);
		const post = await daemon.post('/api/orders', '{"n":1}');
		assert.equal(post.status, 202);
		assert.equal((await daemon.record(post.json().id)).state === 'settled', false);
	});
}

test('an origin without TLS behind https', async (x) => {
	const origin = await Origin.create(x);
	const daemon = await Daemon.create(x, { origins: [{ name: 'o', url: `https://127.0.0.1:${origin.port}`,
		'ca-file': ca.file }], manifest: orders });
	const answer = await daemon.get('/page');
	assert.equal(answer.status, 502);
	assert.match(answer.headers['proxy-status'], /error=(tls_protocol_error|connection_terminated|destination_unavailable)/);
	assert.equal((await daemon.post('/api/orders')).status, 202);
});

test('a renewed certificate sets a waiting queue going', { seconds: 60 }, async (x) => {
	const { origin, daemon, id } = await refused(x, expired, /./);
	await origin.stop();
	Object.assign(origin.options.tls, { key: good.key, cert: good.cert });
	await origin.start();
	await daemon.state(id, 'settled', 20000);
	assert.equal(origin.got('/api/orders').length, 1);
});

test('an outage of an https origin: queued, killed, replayed, 2 MiB intact', async (x) => {
	const { origin, daemon } = await kiosk(x, good, { start: false });
	const body = randomBytes(2 * 1024 * 1024);
	const post = await daemon.post('/api/orders', body, { 'Content-Type': 'image/png' });
	assert.equal(post.status, 202);
	await daemon.restart();
	await origin.start();
	const [arrival] = await origin.arrived(1);
	assert.equal(arrival.hash, sha256(body));
	assert.equal(arrival.key, post.json().idempotencyKey);
	await daemon.state(post.json().id, 'settled');
	const response = await daemon.get(`/.holdfast/requests/${post.json().id}/response`);
	assert.equal(response.status, 201);
});

test('sessions are resumed', async (x) => {
	const { origin, daemon } = await kiosk(x, good, { tls: { maxVersion: 'TLSv1.2' } });
	let resumed = 0;
	origin.server.on('secureConnection', (s) => (resumed += s.isSessionReused() ? 1 : 0));
	for (let i = 0; i < 4; i++) {
		assert.equal((await daemon.get('/page')).status, 200);
		origin.dropConnections();
		await sleep(50);
	}
	assert.ok(resumed >= 2, `${resumed} of 4`);
});

test('large bodies both ways', async (x) => {
	const { origin, daemon } = await kiosk(x, good);
	const body = randomBytes(8 * 1024 * 1024);
	origin.handler = (req, res, a) => {
		res.writeHead(200);
		res.end(a.body);
	};
	const answer = await daemon.request({ method: 'PUT', path: '/echo', body });
	assert.equal(sha256(answer.body), sha256(body));
});

test('Location of an https origin becomes the panel\'s', async (x) => {
	const { origin, daemon } = await kiosk(x, good);
	origin.handler = (req, res) => {
		res.writeHead(302, { Location: `${origin.url}/next` });
		res.end();
	};
	const host = `localhost:${daemon.port}`;
	const answer = await daemon.request({ path: '/', headers: { Host: host } });
	assert.equal(answer.headers.location, `http://${host}/next`);
});

test('nginx with TLS as the origin: an outage', { skip: !hasNginx && 'there is no nginx' }, async (x) => {
	const nginx = await Nginx.create(x, { tls: good });
	const daemon = await Daemon.create(x, { manifest: orders,
		origins: [{ name: 'shop', url: nginx.url, 'ca-file': ca.file }] });
	assert.equal((await daemon.post('/api/orders', '{"n":0}')).status, 201);
	/* nginx logs after it has answered, and a signal ends it at once */
	await until(() => nginx.got().length === 1, { what: 'an order in the log of nginx' });
	await nginx.stop();
	const keys = [];
	for (let n = 1; n <= 5; n++) {
		const post = await daemon.post('/api/orders', `{"n":${n}}`);
		assert.equal(post.status, 202);
		keys.push(post.json().idempotencyKey);
	}
	await daemon.restart();
	await nginx.start();
	await until(() => nginx.got().length >= 6, { what: 'six orders at nginx' });
	assert.deepEqual(nginx.got().map((o) => JSON.parse(o.body).n), [0, 1, 2, 3, 4, 5]);
	assert.deepEqual(nginx.got().slice(1).map((o) => o.key), keys);
});

suite('tls', 4);
