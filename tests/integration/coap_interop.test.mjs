/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products of others as CoAP origins: each scheme, with keys and certificates, feature by feature,
 * and a table of it at the end. HF_INTEROP=long (./dev interop): larger bodies, more notifications,
 * and the same through a relay that loses, delays and reorders datagrams.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { test, suite, until } from './lib/harness.mjs';
import { Authority } from './lib/certs.mjs';
import { kiosk, text } from './lib/coap_server.mjs';
import { products } from './lib/coap_products.mjs';
import { Page } from './lib/sse_page.mjs';
import { UdpRelay } from './lib/udp_relay.mjs';

const long = process.env.HF_INTEROP === 'long';
const skip = process.env.HF_COAP ? false : 'built without CoAP';
const dir = mkdtempSync(join(tmpdir(), 'hf-interop-'));
const ca = skip ? undefined : new Authority(join(dir, 'ca'));
const pair = ca?.issue('server');
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
const sizes = { direct: long ? 1 << 20 : 1 << 15, lossy: 1 << 13 };
const told = { direct: long ? [10, 100] : [2, 5], lossy: [1, 10] }; /* registrations, notifications of each */

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
};

const rows = [];

async function row(x, product, scheme, secret, way) {
	const tls = secret === 'cert' ? { cert: pair.certFile, key: pair.keyFile } : undefined;
	const server = await product.start(x, { tls });
	const secure = scheme.startsWith('coaps');
	const at = way === 'lossy' ? await UdpRelay.create(x, server.port + secure,
		{ seed: 11, loss: 0.2, delay: 200, reorder: 0.2 }) : { port: server.port + secure };
	const { daemon } = await kiosk(x, { scheme, tls, server: { port: at.port - secure },
		...(tls ? { 'ca-file': ca.file } : {}), 'connect-timeout-ms': 120000, 'first-byte-timeout-ms': 120000 });
	const results = {}, faults = [];
	for (const [name, run] of Object.entries(features)) {
		if (!product.offered.has(name)) {
			results[name] = '-';
			continue;
		}
		results[name] = await run(daemon, x, way).then(() => 'pass', (e) => {
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
			for (const way of long && !scheme.endsWith('tcp') ? ['direct', 'lossy'] : ['direct'])
				test(`${product.name}: ${scheme} ${secret} ${way}`, { skip, seconds: long ? 1200 : 240 },
					(x) => row(x, product, scheme, secret, way));

after(() => {
	rmSync(dir, { recursive: true, force: true });
	const names = Object.keys(features);
	const wide = [18, 16];
	const line = (cells) => console.log(`# ${cells.map((c, i) => String(c).padEnd(wide[i] ?? 7)).join(' ')}`);
	if (rows.length > 0)
		line(['origin', 'scheme', 'way', ...names]);
	for (const [name, scheme, way, results] of rows)
		line([name, scheme, way, ...names.map((n) => results[n])]);
});

suite('CoAP origins of others');
