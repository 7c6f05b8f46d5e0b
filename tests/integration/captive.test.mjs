/* SPDX-License-Identifier: Apache-2.0 */
/* The API of a captive portal over TLS: what holdfastd asks it and what people see of its answers. */
import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { test, suite, until } from './lib/harness.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon, orders } from './lib/daemon.mjs';
import { Authority } from './lib/certs.mjs';

const dir = mkdtempSync(join(tmpdir(), 'hf-captive-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const ca = new Authority(join(dir, 'ca'));
const good = ca.issue('good'), expired = ca.issue('expired', { from: -30, to: -1 });

/* A portal that says `said.body`; its requests are in `got`. */
async function portal(x, cert = good) {
	const said = { body: { captive: true, 'user-portal-url': 'https://portal.example/login' } }, got = [];
	const server = createServer({ key: cert.key, cert: cert.cert }, (req, res) => {
		got.push(req);
		res.writeHead(200, { 'Content-Type': 'application/captive+json' }).end(JSON.stringify(said.body));
	});
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	x.defer(() => server.close() && server.closeAllConnections());
	return { said, got, url: `https://localhost:${server.address().port}/api?x=1` };
}

async function kiosk(x, api) {
	const origin = await Origin.create(x, { start: false });
	return { origin, daemon: await Daemon.create(x, { origin, manifest: orders,
		agent: { 'captive-api': api.url, 'captive-ca-file': ca.file } }) };
}

const seen = async (daemon) => (await daemon.status()).connectivity.portal;
const becomes = (daemon, state) => until(async () => (await seen(daemon)).state === state,
	{ ms: 20000, what: `the portal is ${state}` });

test('what the portal says is in the status, the command and the metrics, with its URL', async (x) => {
	const api = await portal(x);
	const { daemon } = await kiosk(x, api);
	await becomes(daemon, 'captive');
	assert.deepEqual(await seen(daemon), { state: 'captive', api: api.url, url: 'https://portal.example/login',
		failure: null, secondsRemaining: null });
	assert.equal(api.got[0].headers.accept, 'application/captive+json');
	assert.equal(api.got[0].url, '/api?x=1');
	assert.equal(api.got[0].headers.host, api.url.split('/')[2]);
	assert.equal((await daemon.status()).connectivity.net, 'captive');
	assert.match((await daemon.cli('status')).stdout, /^portal captive, log in at https:\/\/portal\.example\/login$/m);
	assert.match((await daemon.cli('metrics')).stdout, /^holdfast_portal_state{state="captive"} 1$/m);
	api.said.body = { captive: false, 'seconds-remaining': 3600 };
	await daemon.post('/api/orders', '1');
	await becomes(daemon, 'open');
	const { url, secondsRemaining } = await seen(daemon);
	assert.equal(url, null);
	assert.ok(secondsRemaining > 3000 && secondsRemaining <= 3600, secondsRemaining);
	assert.equal((await daemon.status()).connectivity.net, 'unknown');
});

test('a certificate that is not valid is told, and nothing of the answer is believed', async (x) => {
	const api = await portal(x, expired);
	const { daemon } = await kiosk(x, api);
	await until(async () => (await seen(daemon)).failure, { ms: 20000, what: 'a failure' });
	const { state, failure } = await seen(daemon);
	assert.equal(state, 'unknown');
	assert.match(failure, /expired on/);
	assert.equal(api.got.length, 0);
});

suite('captive', 2);
