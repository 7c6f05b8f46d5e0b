/* SPDX-License-Identifier: Apache-2.0 */
/* The caches, seen by a page: strategies of routes, the HTTP cache, what outlasts a
 * restart. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { test, suite, sanitized, sleep, until } from './lib/harness.mjs';
import { Origin, sha256 } from './lib/origin.mjs';
import { Daemon } from './lib/daemon.mjs';

const route = (urlPattern, source, more = {}) => ({ condition: { urlPattern }, source, ...more });
const manifest = (...routes) => ({ name: 'kiosk', version: '1.0.0', routes });

/* An origin that answers every path with its number of requests so far. */
async function pair(x, options = {}) {
	const origin = await Origin.create(x);
	const seen = new Map();
	origin.handler = (req, res) => {
		const n = (seen.get(req.url) ?? 0) + 1;
		seen.set(req.url, n);
		const page = options.page?.(req, n) ?? {};
		res.writeHead(page.status ?? 200, { 'Content-Type': 'text/plain', ...page.headers });
		res.end(page.body ?? `${req.url} ${n}`);
	};
	const daemon = await Daemon.create(x, { manifest: null, ...options, origin });
	return { origin, daemon, seen };
}

const cacheStatus = (answer) => answer.headers['cache-status'] ?? '';

/* Until the shelf has what was stored on the way. */
async function stored(daemon, path, headers) {
	let answer;
	await until(async () => {
		answer = await daemon.get(path, headers);
		return /hit/.test(cacheStatus(answer));
	}, { what: `${path} out of a cache` });
	return answer;
}

test('the HTTP cache answers while fresh, across a kill, and says so', async (x) => {
	const { daemon, seen } = await pair(x, { page: () => ({ headers: { 'Cache-Control': 'max-age=1000' } }) });
	const first = await daemon.get('/a');
	assert.equal(first.text, '/a 1');
	assert.match(cacheStatus(first), /holdfast; fwd=uri-miss; stored/);
	const hit = await stored(daemon, '/a');
	assert.equal(hit.text, '/a 1');
	assert.match(cacheStatus(hit), /^holdfast; hit; ttl=\d+$/);
	assert.match(hit.headers.age, /^\d+$/);
	await daemon.restart('SIGTERM');
	const after = await daemon.get('/a');
	assert.equal(after.text, '/a 1');
	assert.equal(seen.get('/a'), 1);
});

test('no-store is not stored; an answer to one user is not given to others', async (x) => {
	const { daemon, seen } = await pair(x, {
		page: (req) => ({ headers: { 'Cache-Control': req.url === '/n' ? 'no-store' : 'private, max-age=60' } }) });
	for (const path of ['/n', '/p']) {
		await daemon.get(path);
		await sleep(50);
		await daemon.get(path);
		assert.equal(seen.get(path), 2, path);
	}
});

test('a stale answer is validated; 304 renews it', async (x) => {
	const { daemon, origin } = await pair(x, { page: (req) =>
		req.headers['if-none-match'] === '"v1"' ?
			{ status: 304, headers: { ETag: '"v1"' }, body: '' } :
			{ headers: { ETag: '"v1"', 'Cache-Control': 'max-age=0' }, body: 'one' } });
	await daemon.get('/v');
	await until(async () => {
		const answer = await daemon.get('/v');
		assert.equal(answer.status, 200);
		assert.equal(answer.text, 'one');
		return /fwd=stale; fwd-status=304/.test(cacheStatus(answer));
	});
	assert.equal(origin.arrivals.at(-1).headers['if-none-match'], '"v1"');
	const own = await daemon.get('/v', { 'If-None-Match': '"v1"' });
	assert.equal(own.status, 304);
	assert.equal(own.text, '');
});

test('while the origin is away a stale answer is better than none', async (x) => {
	const { daemon, origin } = await pair(x, { page: () => ({ headers: { ETag: '"x"', 'Cache-Control': 'max-age=0' } }) });
	await daemon.get('/s');
	await until(async () => /304|hit|fwd=stale/.test(cacheStatus(await daemon.get('/s'))));
	const last = (await daemon.get('/s')).text;
	await origin.stop();
	const offline = await daemon.get('/s');
	assert.equal(offline.status, 200);
	assert.match(offline.text, /^\/s \d+$/);
	assert.ok(last);
	const other = await daemon.get('/other');
	assert.equal(other.status, 502);
});

test('a document that is nowhere is a page of ours that asks again; for a program it is JSON', async (x) => {
	const { daemon, origin } = await pair(x, { manifest: manifest(route('/only/*', 'cache-only'),
		route('/posts', 'network-only')) });
	await origin.stop();
	const html = 'text/html,application/xhtml+xml;q=0.9';
	for (const [path, status] of [['/', 502], ['/<i>&', 502], ['/only/x', 504], ['/posts', 502]]) {
		for (const asked of [{ 'Sec-Fetch-Mode': 'navigate', Accept: html }, { Accept: html }]) {
			const page = await daemon.get(path, asked);
			assert.equal(page.status, status);
			assert.equal(page.headers['content-type'], 'text/html; charset=utf-8');
			assert.equal(page.headers.refresh, '5');
			assert.match(page.headers['content-security-policy'], /default-src 'none'/);
			assert.equal(page.headers['cache-control'], 'no-store');
			assert.equal(page.headers['holdfast-state'], 'refused');
			assert.match(page.headers['proxy-status'], /^holdfast; error=/);
			assert.match(page.text, /<h1>This page is not here yet<\/h1>/);
		}
	}
	for (const asked of [{}, { Accept: '*/*' }, { 'Sec-Fetch-Mode': 'cors', Accept: html }]) {
		const answer = await daemon.get('/', asked);
		assert.equal(answer.headers['content-type'], 'application/problem+json');
		assert.equal(answer.headers.refresh, undefined);
		assert.equal(JSON.parse(answer.text).status, 502);
	}
});

test('cache-first, network-first, stale-while-revalidate and cache-only', async (x) => {
	const { daemon, origin, seen } = await pair(x, { manifest: manifest(
		route('/cf/*', 'cache-first', { cacheName: 'assets' }),
		route('/nf/*', 'network-first'),
		route('/swr/*', 'stale-while-revalidate'),
		route('/co/*', 'cache-only')) });
	for (const kind of ['cf', 'nf', 'swr'])
		assert.equal((await daemon.get(`/${kind}/a`)).text, `/${kind}/a 1`);
	assert.equal((await daemon.get('/co/a')).status, 504);
	await stored(daemon, '/cf/a');
	assert.equal(seen.get('/cf/a'), 1);
	assert.equal((await daemon.get('/nf/a')).text, '/nf/a 2');
	await stored(daemon, '/swr/a');
	await until(() => seen.get('/swr/a') >= 2);
	await origin.stop();
	for (const kind of ['cf', 'nf', 'swr']) {
		const answer = await daemon.get(`/${kind}/a`);
		assert.equal(answer.status, 200, kind);
		assert.match(answer.text, new RegExp(`^/${kind}/a \\d+$`));
	}
	await daemon.restart();
	for (const kind of ['cf', 'nf', 'swr'])
		assert.equal((await daemon.get(`/${kind}/a`)).status, 200, `${kind} after a kill`);
});

test('an error of the origin is no better than a stored page', async (x) => {
	let broken = false;
	const { daemon } = await pair(x, { manifest: manifest(route('/*', 'network-first')),
		page: () => (broken ? { status: 503, body: 'broken' } : {}) });
	await daemon.get('/p');
	await daemon.keeps('/p');
	broken = true;
	const answer = await daemon.get('/p');
	assert.equal(answer.status, 200);
	assert.equal(answer.text, '/p 1');
	assert.match(cacheStatus(answer), /fwd-status=503/);
	const none = await daemon.get('/q');
	assert.equal(none.status, 503);
	assert.equal(none.text, 'broken');
});

test('network-first gives the network its time', async (x) => {
	let slow = false, go;
	const gate = new Promise((resolve) => (go = resolve));
	const { daemon, origin } = await pair(x, { manifest: manifest(
		route('/*', 'network-first', { networkTimeoutSeconds: 0.2 })) });
	await daemon.get('/t');
	await daemon.keeps('/t');
	slow = true;
	const before = origin.handler;
	origin.handler = async (req, res, a, o) => {
		if (slow)
			await gate;
		before(req, res, a, o);
	};
	const answer = await daemon.get('/t');
	assert.equal(answer.text, '/t 1');
	slow = false;
	go();
	await until(async () => (await daemon.get('/t')).text !== '/t 1');
});

test('many who want the same get one answer of the origin, while it arrives', async (x) => {
	const body = randomBytes(3 * 1024 * 1024);
	const { daemon, origin } = await pair(x);
	let release;
	const gate = new Promise((resolve) => (release = resolve));
	origin.handler = async (req, res) => {
		res.writeHead(200, { 'Cache-Control': 'max-age=100', 'Content-Length': body.length });
		res.write(body.subarray(0, 1024 * 1024));
		await gate;
		res.end(body.subarray(1024 * 1024));
	};
	const all = Array.from({ length: 8 }, () => daemon.get('/big'));
	await sleep(300);
	all.push(daemon.get('/big')); /* when a third of it is there */
	await sleep(100);
	release();
	for (const answer of await Promise.all(all)) {
		assert.equal(sha256(answer.body), sha256(body));
		/* what another one had asked for is a stored answer that is still coming */
		assert.equal('age' in answer.headers, /collapsed/.test(cacheStatus(answer)));
	}
	assert.equal(origin.arrivals.length, 1);
	const range = await daemon.get('/big', { Range: 'bytes=1000000-1000099' });
	assert.equal(range.status, 206);
	assert.equal(sha256(range.body), sha256(body.subarray(1000000, 1000100)));
});

test('an answer that was cut is cut for the page and is not stored', async (x) => {
	const { daemon, origin } = await pair(x);
	origin.handler = (req, res) => {
		res.writeHead(200, { 'Cache-Control': 'max-age=100', 'Content-Length': 200000 });
		res.write(Buffer.alloc(100000));
		setTimeout(() => req.socket.destroy(), 100);
	};
	await assert.rejects(daemon.get('/cut'));
	origin.handler = (req, res) => res.writeHead(200).end('whole');
	assert.equal((await daemon.get('/cut')).text, 'whole');
});

test('a write makes what it changes invalid, also when it was queued', async (x) => {
	const { daemon, origin, seen } = await pair(x, {
		manifest: manifest({ condition: { urlPattern: '/list', requestMethod: 'POST' }, source: 'network',
			queue: { tag: 'list' } }, route('/list', 'cache-first')) });
	await daemon.get('/list');
	await stored(daemon, '/list');
	assert.equal((await daemon.post('/list')).status, 200);
	assert.equal((await daemon.get('/list')).text, `/list ${seen.get('/list')}`);
	await origin.stop();
	assert.equal((await daemon.post('/list')).status, 202);
	const waiting = await stored(daemon, '/list');
	assert.match(cacheStatus(waiting), /detail="?pending-write/);
	await origin.start();
	await until(async () => {
		const answer = await daemon.get('/list');
		return answer.text === `/list ${seen.get('/list')}` && !/pending/.test(cacheStatus(answer));
	});
});

test('what is being stored while a write is queued is about to change as well', async (x) => {
	const { daemon, origin } = await pair(x, {
		manifest: manifest({ condition: { urlPattern: '/list', requestMethod: 'POST' }, source: 'network',
			queue: { tag: 'list' } }, route('/list', 'cache-first')) });
	let release, asked = false;
	const gate = new Promise((resolve) => (release = resolve));
	origin.handler = async (req, res) => {
		if (req.method === 'POST')
			return res.writeHead(503, { 'Retry-After': '600' }).end();
		res.writeHead(200).write('a part');
		asked = true;
		await gate;
		return res.end(' and the rest');
	};
	const reading = daemon.get('/list');
	await until(() => asked);
	assert.equal((await daemon.post('/list')).status, 202);
	release();
	assert.equal((await reading).text, 'a part and the rest');
	assert.match(cacheStatus(await stored(daemon, '/list')), /detail="?pending-write/);
});

test('the precache is installed, outlasts a kill, and serves offline', async (x) => {
	const { daemon, origin } = await pair(x, { manifest: { ...manifest(),
		precache: [{ url: '/index.html', revision: '1' }, '/app.12ab.js', { url: '/style.css', revision: '7' }] } });
	await until(async () => /hit/.test(cacheStatus(await daemon.get('/index.html'))), { ms: 10000 });
	await origin.stop();
	await daemon.restart();
	for (const path of ['/', '/index.html', '/?utm_source=x', '/app.12ab.js', '/style.css']) {
		const answer = await daemon.get(path);
		assert.equal(answer.status, 200, path);
		assert.match(cacheStatus(answer), /hit/);
	}
});

test('periodic sync renews what is stored', async (x) => {
	const { daemon, seen } = await pair(x, { manifest: { ...manifest(route('/menu', 'cache-first')),
		periodicSync: [{ tag: 'menu', minInterval: 3600000, refresh: ['/menu'] }] } });
	assert.equal((await daemon.get('/menu')).text, '/menu 1');
	await stored(daemon, '/menu');
	await daemon.later(2 * 3600000);
	await until(async () => (await daemon.get('/menu')).text === '/menu 2');
	assert.equal(seen.get('/menu'), 2);
});

test('a large body is stored and served in little memory, also past a slow page', async (x) => {
	const MIB = 1024 * 1024, body = randomBytes((sanitized ? 12 : 48) * MIB);
	const { daemon, origin } = await pair(x);
	origin.handler = (req, res) => res.writeHead(200, { 'Cache-Control': 'max-age=100' }).end(body);
	const before = daemon.rssKb();
	let most = 0, arrived = 0;
	const hash = createHash('sha256');
	for await (const part of (await fetch(`http://localhost:${daemon.port}/large`)).body) {
		hash.update(part);
		arrived += part.length;
		if (arrived % (4 * MIB) < part.length)
			await sleep(20);
		most = Math.max(most, daemon.rssKb());
	}
	assert.equal(hash.digest('hex'), sha256(body));
	const hit = await stored(daemon, '/large', { Range: 'bytes=0-99' });
	assert.equal(hit.status, 206);
	assert.equal(sha256((await daemon.get('/large')).body), sha256(body));
	most = Math.max(most, daemon.rssKb());
	assert.equal(origin.arrivals.length, 1);
	/* a sanitizer keeps what was freed for a while */
	assert.ok(sanitized || most - before < 4 * 1024, `${most - before} KiB more`);
});

test('a file of the precache is for every client, whatever its origin varies by', async (x) => {
	const { daemon, origin } = await pair(x, { page: () => ({ headers: { Vary: 'Accept-Encoding, Accept-Language' } }),
		manifest: { ...manifest(), precache: [{ url: '/index.html', revision: '1' }] } });
	await stored(daemon, '/index.html');
	await origin.stop();
	for (const headers of [{}, { 'Accept-Encoding': 'gzip, br' }, { 'Accept-Language': 'de' }])
		assert.equal((await daemon.get('/', headers)).status, 200, JSON.stringify(headers));
});

test("a route's cache serves what is stored in another coding, as far as the page takes it", async (x) => {
	const { daemon, origin, seen } = await pair(x, {
		page: (req) => ({ headers: { Vary: 'Accept-Encoding',
			...(/gzip/.test(req.headers['accept-encoding'] ?? '') ? { 'Content-Encoding': 'gzip' } : {}) } }),
		manifest: manifest(route('/cf/*', 'cache-first'), route('/nf/*', 'network-first')) });
	const gzip = { 'Accept-Encoding': 'gzip, br' };
	const paths = ['/cf/packed', '/nf/packed'];
	await daemon.get('/cf/plain');
	await stored(daemon, '/cf/plain');
	for (const path of paths)
		await daemon.get(path, gzip);
	await stored(daemon, '/cf/packed', gzip);
	/* what has no coding is for all */
	assert.match(cacheStatus(await daemon.get('/cf/plain', gzip)), /hit/);
	assert.equal(seen.get('/cf/plain'), 1);
	/* what has one is for its own while the origin can be asked */
	assert.equal((await daemon.get('/cf/packed', { 'Accept-Encoding': 'br' })).text, '/cf/packed 2');
	await daemon.restart();
	await origin.stop();
	for (const path of paths) {
		await until(async () => (await daemon.get(path)).status === 200);
		assert.equal((await daemon.get(path, { 'Accept-Encoding': 'zstd, gzip;q=0.1' })).status, 200, path);
	}
	assert.equal((await daemon.get('/nf/packed')).headers['content-encoding'], 'gzip');
	for (const accept of ['', 'zstd', '*;q=0'])
		assert.equal((await daemon.get('/nf/packed', { 'Accept-Encoding': accept })).status, 502, `"${accept}"`);
});

test('what a 304 says of another variant is stored for the one that was asked for', async (x) => {
	const { daemon, origin } = await pair(x, { page: (req) => ({
		...(/"same"/.test(req.headers['if-none-match']) ? { status: 304 } : {}),
		body: /"same"/.test(req.headers['if-none-match']) ? '' : req.url.repeat(req.url === '/big' ? 20000 : 1),
		headers: { ETag: '"same"', Vary: 'X-Kind', 'Cache-Control': 'max-age=1000' } }) });
	for (const path of ['/small', '/big']) {
		await daemon.get(path, { 'X-Kind': 'one' });
		const first = await stored(daemon, path, { 'X-Kind': 'one' });
		const other = await daemon.get(path, { 'X-Kind': 'two' });
		assert.equal(other.text, first.text);
		assert.match(cacheStatus(other), /fwd=vary-miss; fwd-status=304/);
		await until(async () => /hit/.test(cacheStatus(await daemon.get(path, { 'X-Kind': 'two' }))));
		assert.match(cacheStatus(await daemon.get(path, { 'X-Kind': 'one' })), /hit/);
		await daemon.restart('SIGTERM');
		assert.equal((await daemon.get(path, { 'X-Kind': 'two' })).text, first.text);
	}
	await origin.stop();
	assert.equal((await daemon.get('/big', { 'X-Kind': 'two' })).text.length, 80000);
});

/* Destroys a byte of each place where @text stands on the medium. */
function damage(daemon, text) {
	let hits = 0;
	for (const name of readdirSync(daemon.stateDir).filter((n) => /^cache-\d\.db(-wal)?$/.test(n))) {
		const file = `${daemon.stateDir}/${name}`, bytes = readFileSync(file);
		for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1), hits++)
			bytes[at] ^= 1;
		writeFileSync(file, bytes);
	}
	return hits;
}

test('a file of the precache that is damaged is fetched again by itself', async (x) => {
	const files = { '/index.html': 'the page'.repeat(20), '/a.js': 'script a'.repeat(20), '/b.js': 'script b'.repeat(9000) };
	const { daemon, origin, seen } = await pair(x, { page: (req) => ({ body: files[req.url] }), manifest: { ...manifest(),
		precache: Object.keys(files).map((url) => ({ url, revision: '1' })) } });
	for (const path of Object.keys(files))
		await stored(daemon, path);
	const asked = seen.get('/index.html');
	await daemon.kill('SIGTERM');
	assert.ok(damage(daemon, 'script ascript a') > 0);
	assert.ok(damage(daemon, 'script bscript b') > 0);
	await origin.stop();
	await daemon.start();
	assert.equal((await daemon.get('/index.html')).text, files['/index.html']); /* the rest is there */
	assert.notEqual((await daemon.get('/a.js')).status, 200);
	assert.notEqual((await daemon.get('/b.js')).status, 200);
	assert.equal((await daemon.get('/index.html')).status, 200);
	await origin.start();
	for (const path of ['/a.js', '/b.js'])
		assert.equal((await stored(daemon, path)).text, files[path]);
	assert.equal(seen.get('/index.html'), asked, 'what is whole is not fetched again');
	await origin.stop();
	await daemon.restart();
	for (const [path, text] of Object.entries(files))
		assert.equal((await daemon.get(path)).text, text, path);
});

suite('the caches');
