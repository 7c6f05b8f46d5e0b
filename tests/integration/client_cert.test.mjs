/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate that the device shows of itself, and how it is changed. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { test, suite, until } from './lib/harness.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon, orders, run, holdfastd } from './lib/daemon.mjs';
import { Authority } from './lib/certs.mjs';

const dir = mkdtempSync(join(tmpdir(), 'hf-client-cert-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const ca = new Authority(join(dir, 'ca'));
const server = ca.issue('server');
const seven = ca.issue('seven', { names: ['panel-7'], client: true });
const eight = ca.issue('eight', { names: ['panel-8'], client: true });

/* As an editor does it: the file is there at every moment. */
function put(from, to) {
	copyFileSync(from, `${to}.new`);
	renameSync(`${to}.new`, to);
}

/* A kiosk that shows the pair in x.dir; the origin says to whom it spoke. */
async function kiosk(x, { version, start = true } = {}) {
	const files = { cert: join(x.dir, 'own.pem'), key: join(x.dir, 'own.key') };
	put(seven.certFile, files.cert);
	put(seven.keyFile, files.key);
	const origin = await Origin.create(x, { start, tls: { key: server.key, cert: server.cert,
		requestCert: true, rejectUnauthorized: true, ca: [readFileSync(ca.file)],
		...(version ? { minVersion: version, maxVersion: version } : {}) } });
	origin.conf = { 'ca-file': ca.file, 'client-cert': files.cert, 'client-key': files.key };
	origin.handler = (req, res, a) => origin.reply(req, res, a,
		{ headers: { 'X-Peer': a.peer = req.socket.getPeerCertificate().subject.CN } });
	return { origin, files, daemon: await Daemon.create(x, { origin, manifest: orders }) };
}
const peer = async (daemon) => (await daemon.get('/page')).headers['x-peer'];
const becomes = (daemon, name) => until(async () => (await peer(daemon)) === name,
	{ ms: 20000, what: `the origin sees ${name}` });

for (const version of ['TLSv1.2', 'TLSv1.3'])
	test(`other files, and the next connection shows them, ${version}`, async (x) => {
		const { origin, files, daemon } = await kiosk(x, { version });

		assert.equal(await peer(daemon), 'panel-7');
		origin.dropConnections(); /* so that there is a session to resume */
		assert.equal(await peer(daemon), 'panel-7');
		put(eight.keyFile, files.key);
		put(eight.certFile, files.cert);
		await becomes(daemon, 'panel-8');
		assert.equal(await peer(daemon), 'panel-8');
		assert.match(daemon.log, /tls\.renewed/);
	});

test('a pair that does not fit changes nothing, and is told of', async (x) => {
	const { files, daemon } = await kiosk(x);

	assert.equal(await peer(daemon), 'panel-7');
	put(eight.certFile, files.cert);
	await until(async () => {
		assert.equal(await peer(daemon), 'panel-7');
		return daemon.log.includes('tls.unfit');
	}, { ms: 20000 });
	assert.match(daemon.log, /tls\.unfit.*does not belong to/);
	rmSync(files.key);
	await until(async () => {
		assert.equal(await peer(daemon), 'panel-7');
		return /tls\.unfit.*cannot read/.test(daemon.log);
	}, { ms: 20000 });
	put(eight.keyFile, files.key);
	await becomes(daemon, 'panel-8');
});

test('what was queued under the old certificate goes with the new one', async (x) => {
	const { origin, files, daemon } = await kiosk(x, { start: false });
	const { id } = (await daemon.post('/api/orders', 'tea')).json();

	put(eight.keyFile, files.key);
	put(eight.certFile, files.cert);
	await new Promise((resolve) => setTimeout(resolve, 1100));
	await origin.start();
	await daemon.state(id, 'settled', 20000);
	assert.deepEqual(origin.got('/api/orders').map((a) => a.peer), ['panel-8']);
});

test('--check and the start refuse a pair that does not fit', async (x) => {
	const conf = (cert, key) => Daemon.create(x, { start: false, origin: { url: 'https://127.0.0.1:9',
		'ca-file': ca.file, 'client-cert': cert, 'client-key': key } });
	const mixed = await conf(seven.certFile, eight.keyFile);

	for (const args of [['--check'], []]) {
		const { code, stderr } = await run(holdfastd, ['--config', mixed.conf, ...args]);
		assert.equal(code, 78, stderr);
		assert.match(stderr, /holdfast\.conf:\d+: \[origin o0\] client-key: .*eight\.key does not belong to .*seven\.pem/);
	}
	const missing = await conf(seven.certFile, join(dir, 'none.key'));
	const { code, stderr } = await run(holdfastd, ['--config', missing.conf, '--check']);
	assert.equal(code, 78);
	assert.match(stderr, /client-key: .*none\.key" does not exist/);
	const fits = await conf(seven.certFile, seven.keyFile);
	assert.equal((await run(holdfastd, ['--config', fits.conf, '--check'])).code, 0);
});

suite('client_cert');
