/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products of others as CoAP origins: each scheme, with keys and certificates, feature by feature,
 * and a table of it at the end. HF_INTEROP=long (./dev interop): larger bodies, more notifications,
 * the same over a wire into another network namespace, and through a relay that loses, delays and
 * reorders datagrams.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { test, suite, until } from './lib/harness.mjs';
import { Authority } from './lib/certs.mjs';
import { dtlsPeer, kiosk, text } from './lib/coap_server.mjs';
import { products } from './lib/coap_products.mjs';
import { Netns } from './lib/netns.mjs';
import { Page } from './lib/sse_page.mjs';
import { UdpRelay } from './lib/udp_relay.mjs';

const long = process.env.HF_INTEROP === 'long';
const skip = process.env.HF_COAP ? false : 'built without CoAP';
const dir = mkdtempSync(join(tmpdir(), 'hf-interop-'));
const ca = skip ? undefined : new Authority(join(dir, 'ca'));
const netns = long && !skip ? Netns.create() : undefined;
const pair = ca?.issue('server', { names: ['127.0.0.1', netns?.address].filter(Boolean) });
const timeout = long ? 400000 : 60000;
const fresh = { 'Cache-Control': 'no-cache' };

/* Where each of five repetitions is lost (one of some 150), where a server gives up its handshake, and
 * where one that does not know repetitions begins its blocks anew, the page asks again. */
async function patient(daemon, options) {
	for (let left = 3; ; left--) {
		const answer = await daemon.request({ timeout, ...options }).catch((e) => ({ status: 504, text: e.message }));
		if (![502, 504].includes(answer.status) || left === 0)
			return answer;
	}
}

const put = (daemon, path, body, headers = text) => patient(daemon, { method: 'PUT', path, body, headers });
const get = (daemon, path) => patient(daemon, { path, headers: fresh });

/* A large body is no test of a relay that loses a fifth: it waits two seconds for each. */
const sizes = { direct: long ? 1 << 20 : 1 << 15, netns: 1 << 20, lossy: 1 << 13 };
const told = { direct: long ? [10, 100] : [2, 5], netns: [10, 10], lossy: [1, 10] }; /* registrations, notifications of each */

async function observed(daemon, x, way) {
	const [registrations, each] = told[way];
	assert.ok((await put(daemon, '/watched', 'first')).status < 205);
	for (let r = 0; r < registrations; r++) {
		const page = Page.open(x, daemon, '/watched');
		await until(() => page.data().length > 0, { ms: timeout, what: 'the first representation' });
		for (let i = 0; i < each; i++) {
			assert.ok((await put(daemon, '/watched', `value ${r}.${i}`)).status < 205);
			await page.hears(`value ${r}.${i}`, 'message', timeout);
		}
		page.close();
	}
}

/* "id": see below. */
const features = {
	async PUT(daemon) {
		const answer = await put(daemon, '/shelf', 'tea');
		assert.ok([201, 204].includes(answer.status), `${answer.status} ${answer.text}`);
	},
	async GET(daemon) {
		const answer = await get(daemon, '/shelf');
		assert.equal(answer.status, 200);
		assert.equal(answer.text, 'tea');
	},
	async POST(daemon) {
		const answer = await patient(daemon, { method: 'POST', path: '/shelf', body: 'coffee', headers: text });
		assert.ok([200, 201, 204].includes(answer.status), answer.text);
		assert.equal((await get(daemon, '/shelf')).text, 'coffee');
	},
	async FETCH(daemon) {
		const answer = await daemon.request({ method: 'QUERY', path: '/shelf', body: '{}', timeout,
			headers: { 'Content-Type': 'application/json' } });
		assert.equal(answer.text, 'coffee');
	},
	async PATCH(daemon) {
		const answer = await daemon.request({ method: 'PATCH', path: '/shelf', body: '{}', timeout,
			headers: { 'Content-Type': 'application/merge-patch+json' } });
		assert.equal(answer.status, 204, answer.text);
	},
	async DELETE(daemon) {
		const { status } = await patient(daemon, { method: 'DELETE', path: '/shelf' });
		assert.ok([200, 204].includes(status), String(status));
		assert.equal((await get(daemon, '/shelf')).status, 404);
	},
	async blocks(daemon, x, way) {
		const body = randomBytes(sizes[way]);
		const there = await put(daemon, '/large', body, { 'Content-Type': 'application/octet-stream' });
		assert.ok([201, 204].includes(there.status), there.text);
		assert.ok(body.equals((await get(daemon, '/large')).body));
	},
	observe: observed,
	/* A key that is not the origin's: nothing is told to us, and the page hears why. */
	async key(daemon, x, way, { scheme, server, at }) {
		const { daemon: stranger } = await kiosk(x, { scheme, server, at, psk: 'wrong', 'connect-timeout-ms': 15000 });
		const answer = await stranger.request({ path: '/shelf', timeout });
		assert.ok([502, 504].includes(answer.status), answer.text);
		assert.match(answer.text, /key|identity|alert/);
	},
};

const rows = [];

async function row(x, product, scheme, secret, way) {
	const tls = secret === 'cert' ? { cert: pair.certFile, key: pair.keyFile } : undefined;
	const server = await product.start(x, { tls, netns: way === 'netns' ? netns : undefined });
	const secure = scheme.startsWith('coaps');
	const relay = way === 'lossy' ? await UdpRelay.create(x, server.port + secure,
		{ seed: 11, loss: 0.2, delay: 200, reorder: 0.2 }) : undefined;
	const place = { scheme, server: { port: relay ? relay.port - secure : server.port },
		at: way === 'netns' ? netns.address : '127.0.0.1' };
	const { daemon } = await kiosk(x, { ...place, tls, ...(tls ? { 'ca-file': ca.file } : {}), 'connect-timeout-ms': 120000, 'first-byte-timeout-ms': 120000 });
	const results = {}, faults = [];
	for (const [name, run] of Object.entries(features)) {
		if (!product.offered.has(name) || (name === 'key' && (secret !== 'psk' || way === 'lossy' || !long))) {
			results[name] = '-';
			continue;
		}
		results[name] = await run(daemon, x, way, place).then(() => 'pass', (e) => {
			faults.push(`${name}: ${e.message}`);
			x.say(faults.at(-1));
			return 'FAIL';
		});
	}
	rows.push([product.name, `${scheme}${secret ? `, ${secret}` : ''}`, way, results]);
	assert.deepEqual(faults, []);
}

for (const product of products)
	for (const scheme of product.schemes)
		for (const secret of scheme.startsWith('coaps') ? ['psk', 'cert'] : [''])
			for (const way of long ? product.ways : ['direct'])
				if (way !== 'lossy' || !scheme.endsWith('tcp'))
					test(`${product.name}: ${scheme} ${secret} ${way}`, { seconds: long ? 1200 : 240,
						skip: skip || (way === 'netns' && netns?.why) },
					(x) => row(x, product, scheme, secret, way));

/* None of the products above has connection ids. */
if (long)
	test('Mbed TLS: coaps psk: another address of ours, and the session goes on', { skip }, async (x) => {
		const results = { GET: 'FAIL', id: 'FAIL' };
		rows.push(['Mbed TLS', 'coaps, psk', 'direct', results]);
		const relay = await UdpRelay.create(x, (await dtlsPeer(x)).port);
		const { daemon } = await kiosk(x, { scheme: 'coaps', server: { port: relay.port - 1 } });
		const ask = async () => (await get(daemon, '/a')).text;
		assert.equal(await ask(), `from ${relay.back.address().port}, id 4`);
		results.GET = 'pass';
		await relay.rebind();
		assert.equal(await ask(), `from ${relay.back.address().port}, id 4`);
		results.id = 'pass';
	});

after(() => {
	rmSync(dir, { recursive: true, force: true });
	netns?.remove();
	const names = [...Object.keys(features), 'id'];
	const wide = [18, 16];
	const line = (cells) => console.log(`# ${cells.map((c, i) => String(c).padEnd(wide[i] ?? 7)).join(' ')}`);
	if (rows.length > 0)
		line(['origin', 'scheme', 'way', ...names]);
	if (rows.length > 0 && netns?.why)
		console.log(`# ${netns.why}: the rows of "netns" are left out`);
	rows.sort((a, b) => a.slice(0, 3).join().localeCompare(b.slice(0, 3).join()));
	for (const [name, scheme, way, results] of rows)
		line([name, scheme, way, ...names.map((n) => results[n] ?? '-')]);
});

suite('CoAP origins of others');
