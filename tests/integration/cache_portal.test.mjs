/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A portal answers in the origin's place over plain HTTP, and the daemon is killed before
 * the probe has told. The origin is on this machine but not by a loopback address, which
 * would vouch for it.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test, suite, until } from './lib/harness.mjs';
import { Daemon } from './lib/daemon.mjs';

const HERE = '0.0.0.0';
const manifest = { name: 'kiosk', version: '1', routes: [
	{ condition: { urlPattern: '/first/*' }, source: 'cache-first', cacheName: 'first' },
	{ condition: { urlPattern: '/fresh/*' }, source: 'network-first', cacheName: 'fresh' } ] };

async function server(x, handler) {
	const s = createServer(handler);
	await new Promise((resolve) => s.listen(0, HERE, resolve));
	x.defer(() => s.close() && s.closeAllConnections());
	return { url: `http://${HERE}:${s.address().port}`, stop: () => s.close() && s.closeAllConnections() };
}

/* `net.says` what every page is; `net.probe`: the probe's answer, 0: none comes. */
async function world(x, says = 0) {
	const net = { says: 'page', status: 200, probe: says, asked: 0 };
	const origin = await server(x, (req, res) => {
		net.asked++;
		res.writeHead(net.status, { 'Content-Type': 'text/plain', 'Cache-Control': 'max-age=1000' }).end(net.says);
	});
	const probe = await server(x, (req, res) => {
		if (net.probe)
			res.writeHead(net.probe).end();
	});
	const daemon = await Daemon.create(x, { origins: [{ name: 'o0', url: origin.url }], manifest,
		probe: { url: `${probe.url}/generate_204` } });
	return { net, daemon, origin };
}

const isHit = (answer) => /hit/.test(answer.headers['cache-status'] ?? '');
const paths = ['/first/a', '/fresh/a', '/http'];

/* Nothing of it is shown, but the shelf has all of it. */
async function loadThroughPortal(daemon, net, entries) {
	net.says = 'login';
	for (const path of paths)
		assert.equal((await daemon.get(path)).text, 'login');
	await until(async () => (await daemon.status()).caches.entries >= entries, { what: 'it is stored' });
	for (const path of paths)
		assert.ok(!isHit(await daemon.get(path)), `${path} is shown`);
}

test('what a portal said before a kill is nowhere after it', async (x) => {
	const { net, daemon } = await world(x);
	await loadThroughPortal(daemon, net, paths.length);
	await daemon.kill('SIGKILL');
	net.says = 'page';
	await daemon.start();
	for (const path of paths)
		assert.equal((await daemon.get(path)).text, 'page', path);
	const asked = net.asked;
	await daemon.get('/first/a');
	assert.equal(net.asked, asked + 1, 'what is not proved is asked for again');
});

test('what was proved before is there after a kill, offline, and not what the portal said since', async (x) => {
	const { net, daemon, origin } = await world(x, 204);
	if ((await daemon.status()).connectivity.address !== 'assigned')
		return; /* the probe goes where there is an address only */
	for (const path of ['/first/b', ...paths])
		await daemon.get(path);
	for (const path of ['/first/b', '/first/a', '/http'])
		await until(async () => isHit(await daemon.get(path)), { ms: 40000, what: `${path} is proved` });
	net.probe = 0;
	net.says = 'login';
	const { entries } = (await daemon.status()).caches;
	assert.equal((await daemon.get('/fresh/a')).text, 'login');
	assert.equal((await daemon.get('/first/c')).text, 'login');
	await until(async () => (await daemon.status()).caches.entries >= entries + 2, { what: 'it is stored' });
	await daemon.kill('SIGKILL');
	origin.stop();
	await daemon.start();
	for (const path of ['/first/b', ...paths])
		assert.equal((await daemon.get(path)).text, 'page', path);
	assert.ok((await daemon.get('/first/c')).status >= 500);
});

test('without a probe everything is taken for the origin\'s, over a kill too', async (x) => {
	const { net, daemon, origin } = await world(x);
	daemon.configure({ probe: undefined });
	await daemon.restart('SIGTERM');
	for (const path of paths)
		await daemon.get(path);
	for (const path of ['/first/a', '/http'])
		await until(async () => isHit(await daemon.get(path)), { what: `${path} is stored` });
	await until(async () => (await daemon.status()).caches.entries >= 3);
	assert.equal(net.says, 'page');
	await daemon.kill('SIGKILL');
	origin.stop();
	await daemon.start();
	for (const path of paths)
		assert.equal((await daemon.get(path)).text, 'page', path);
});

test('without a probe a precache that a portal has given goes when the portal shows itself', async (x) => {
	const { net, daemon } = await world(x);
	net.says = 'login';
	daemon.configure({ probe: undefined, manifest: { ...manifest,
		precache: ['/app/one', '/app/two'].map((url) => ({ url, revision: '1' })) } });
	await daemon.restart('SIGTERM');
	await until(async () => isHit(await daemon.get('/app/one')), { what: 'the precache is active' });
	assert.equal((await daemon.get('/app/two')).text, 'login');
	net.status = 511;
	assert.equal((await daemon.get('/other')).status, 511);
	net.status = 200;
	net.says = 'page';
	await until(async () => (await daemon.get('/app/one')).text === 'page', { what: 'the portal is forgotten' });
	await daemon.restart('SIGKILL');
	for (const path of ['/app/one', '/app/two'])
		await until(async () => {
			const answer = await daemon.get(path);
			assert.equal(answer.text, 'page');
			return isHit(answer);
		}, { ms: 20000, what: `${path} of the new precache` });
});

suite('cache_portal', 4);
