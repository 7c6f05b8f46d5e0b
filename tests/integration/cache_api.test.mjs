/* SPDX-License-Identifier: Apache-2.0 */
/* The caches as resources: for pages, for the operator, and by the command. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { test, suite, until } from './lib/harness.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon } from './lib/daemon.mjs';
import { request } from './lib/http.mjs';

const manifest = (more = {}) => ({ name: 'kiosk', version: '1.0.0', routes: [
	{ condition: { urlPattern: '/assets/*' }, source: 'cache-first', cacheName: 'assets' }], ...more });

async function pair(x, options = {}) {
	const origin = await Origin.create(x);
	const counts = new Map();
	origin.handler = (req, res) => {
		const n = (counts.get(req.url) ?? 0) + 1;
		counts.set(req.url, n);
		res.writeHead(options.missing?.(req.url) ? 404 : 200,
			{ 'Content-Type': 'text/plain', 'Cache-Control': 'max-age=600', ...options.headers });
		res.end(`${req.url} ${n}`);
	};
	const daemon = await Daemon.create(x, { manifest: manifest(options.manifest), ...options.daemon, origin });
	const at = (cache, url) => `/.holdfast/caches/${encodeURIComponent(cache)}/entries` +
		(url === undefined ? '' : `?url=${encodeURIComponent(url)}`);
	const api = { origin, daemon, counts, at,
		put: (cache, url, body, headers = {}) =>
			daemon.request({ method: 'PUT', path: at(cache, url), body, headers }),
		match: (cache, url, headers) => daemon.get(at(cache, url), headers),
		del: (path) => daemon.request({ method: 'DELETE', path }),
		control: (method, path) => request({ method, path, socketPath: daemon.control }),
		list: async () => (await daemon.json('/.holdfast/caches')).caches,
	};
	return api;
}

const hit = (daemon, path) => until(async () =>
	/hit/.test((await daemon.get(path)).headers['cache-status'] ?? ''), { what: `${path} is stored` });

test('a page puts, matches and deletes as with the Cache interface', async (x) => {
	const { daemon, put, match, del, at, list } = await pair(x);
	const first = await put('assets', '/assets/x?q=1#part', 'hello', { 'Content-Type': 'text/css',
		'Holdfast-Response-ETag': '"e"', 'Holdfast-Response-Set-Cookie': 'a=b' });
	assert.equal(first.status, 201, first.text);
	assert.deepEqual(first.json(), { status: 200, bytes: 5, replaced: 0 });
	const got = await match('assets', '/assets/x?q=1');
	assert.equal(got.status, 200);
	assert.equal(got.text, 'hello');
	assert.equal(got.headers['content-type'], 'text/css');
	assert.equal(got.headers.etag, '"e"');
	assert.equal(got.headers['set-cookie'], undefined);
	assert.match(got.headers['cache-status'], /^holdfast; hit/);
	/* the route serves what the page has put */
	assert.equal((await daemon.get('/assets/x?q=1')).text, 'hello');
	/* a URL of this host is its path; another host's is refused */
	assert.equal((await match('assets', `http://127.0.0.1:${daemon.port}/assets/x?q=1#y`)).text, 'hello');
	assert.equal((await match('assets', 'http://elsewhere.example/assets/x')).status, 400);
	const again = await put('assets', '/assets/x?q=1', 'other', { 'Holdfast-Status': '404' });
	assert.equal(again.status, 200);
	assert.equal(again.json().replaced, 1);
	const second = await match('assets', '/assets/x?q=1');
	assert.equal(second.status, 404);
	assert.equal(second.text, 'other');
	assert.match(second.headers['cache-status'], /hit/);
	assert.equal((await list()).find((c) => c.name === 'assets').entries, 1);
	const head = await daemon.request({ method: 'HEAD', path: at('assets', '/assets/x?q=1') });
	assert.equal(head.headers['content-length'], '5');
	assert.equal((await del(at('assets', '/assets/x?q=1'))).json().deleted, 1);
	assert.equal((await del(at('assets', '/assets/x?q=1'))).status, 404);
	assert.equal((await match('assets', '/assets/x?q=1')).headers['cache-status'], undefined);
});

test('what is put outlasts a restart, also a large body, and bodies of a piece exactly', async (x) => {
	const { daemon, put, match } = await pair(x);
	const bodies = [0, 1, 32767, 32768, 32769, 65536, 1000000].map((n) => randomBytes(n));
	const check = async () => {
		for (const body of bodies) {
			const got = await match('assets', `/assets/${body.length}`);
			assert.equal(got.status, 200, `${body.length}`);
			assert.ok(got.body.equals(body), `${body.length} bytes`);
		}
	};
	for (const body of bodies) {
		const answer = await put('assets', `/assets/${body.length}`, body);
		assert.equal(answer.status, 201, answer.text);
		assert.equal(answer.json().bytes, body.length);
	}
	const chunked = (async function* () {
		for (let i = 0; i < 50; i++)
			yield bodies[6].subarray(i * 20000, (i + 1) * 20000);
	})();
	assert.equal((await put('assets', '/assets/1000000', chunked)).json().replaced, 1);
	await check();
	await daemon.restart('SIGTERM');
	await check();
});

test('a client that waits for 100 before its body is told to go on', async (x) => {
	const { daemon, at, match } = await pair(x);
	const socket = connect(daemon.port, '127.0.0.1');
	let text = '';
	x.defer(() => socket.destroy());
	socket.on('data', (d) => (text += d));
	socket.write(`PUT ${at('assets', '/e')} HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\n` +
		'Content-Length: 5\r\nExpect: 100-continue\r\n\r\n');
	await until(() => /^HTTP\/1.1 100 /.test(text), { what: '100 Continue' });
	socket.write('hello');
	await until(() => /HTTP\/1.1 201 /.test(text), { what: '201 Created' });
	assert.equal((await match('assets', '/e')).text, 'hello');
});

test('Vary tells requests apart; put replaces those that match alone', async (x) => {
	const { put, match } = await pair(x);
	const vary = { 'Holdfast-Response-Vary': 'Accept-Language' };
	assert.equal((await put('assets', '/v', 'de', { ...vary, 'Accept-Language': 'de' })).status, 201);
	assert.equal((await put('assets', '/v', 'en', { ...vary, 'Accept-Language': 'en' })).status, 201);
	assert.equal((await match('assets', '/v', { 'Accept-Language': 'de' })).text, 'de');
	assert.equal((await match('assets', '/v', { 'Accept-Language': 'en' })).text, 'en');
	assert.equal((await match('assets', '/v', { 'Accept-Language': 'fr' })).status, 404);
	assert.equal((await put('assets', '/v', 'DE', { ...vary, 'Accept-Language': 'de' })).json().replaced, 1);
	assert.equal((await match('assets', '/v', { 'Accept-Language': 'de' })).text, 'DE');
	assert.equal((await match('assets', '/v', { 'Accept-Language': 'en' })).text, 'en');
});

test('ignoreVary matches and deletes whatever the fields are', async (x) => {
	const { daemon, put, match, del, at } = await pair(x);
	const vary = { 'Holdfast-Response-Vary': 'X-Kind' };
	for (const kind of ['a', 'b'])
		await put('assets', '/assets/v', kind, { ...vary, 'X-Kind': kind });
	assert.equal((await match('assets', '/assets/v')).status, 404);
	const any = await daemon.get(`${at('assets', '/assets/v')}&ignoreVary=true`);
	assert.equal(any.text, 'a', 'the first that was stored');
	assert.equal((await daemon.get(`${at('assets', '/assets/v')}&ignoreVary=maybe`)).status, 400);
	assert.equal((await del(`${at('assets', '/assets/v')}&ignoreVary=false`)).status, 404);
	assert.deepEqual((await del(`${at('assets', '/assets/v')}&ignoreVary=true`)).json(), { deleted: 2 });
});

/* URLs of a list, through all of its pages. */
async function urls(daemon, path) {
	const found = [];
	for (let next = ''; next !== null;) {
		const page = await daemon.json(path + (next && `&after=${next}`));
		assert.ok(page.entries.length <= 64);
		found.push(...page.entries.map((e) => e.url));
		next = page.next;
	}
	return found;
}

test('ignoreSearch matches whatever the query is: match, matchAll, delete', async (x) => {
	const { daemon, put, del, at, list } = await pair(x);
	for (const [i, url] of ['/s?q=2', '/sx', '/s', '/s/1?q=1', '/s?', '/s?q=1'].entries())
		assert.equal((await put('assets', url, `${i}`)).status, 201);
	const loose = `${at('assets', '/s?q=9#part')}&ignoreSearch=true`;
	assert.equal((await daemon.get(loose)).text, '0', 'the first that was stored');
	assert.equal((await daemon.get(`${at('assets', '/s?q=9')}&ignoreSearch=false`)).status, 404);
	assert.deepEqual(await urls(daemon, `${loose}&all=true`), ['/s?q=2', '/s', '/s?', '/s?q=1']);
	assert.deepEqual(await urls(daemon, `${at('assets', '/s')}&all=true`), ['/s']);
	/* one that is put again is the last one */
	assert.equal((await put('assets', '/s?q=2', 'again')).json().replaced, 1);
	assert.equal((await daemon.get(loose)).text, '2');
	assert.deepEqual(await urls(daemon, `${loose}&all=true`), ['/s', '/s?', '/s?q=1', '/s?q=2']);
	await daemon.restart('SIGKILL');
	assert.equal((await put('assets', '/s?', 'anew')).status, 200);
	assert.deepEqual(await urls(daemon, `${loose}&all=true`), ['/s', '/s?q=1', '/s?q=2', '/s?'], 'over a start, too');
	assert.deepEqual((await del(loose)).json(), { deleted: 4 });
	assert.equal((await del(loose)).status, 404);
	assert.equal((await daemon.get(loose)).status, 404);
	assert.equal((await list()).find((c) => c.name === 'assets').entries, 2);
});

test('ignoreSearch goes through a cache by pages', async (x) => {
	const { daemon, put, del, at, list } = await pair(x);
	const wanted = Array.from({ length: 150 }, (_, i) => `/big?n=${i}`);
	for (const [i, url] of wanted.entries())
		for (const one of [url, `/other/${i}`])
			assert.equal((await put('assets', one, one)).status, 201);
	const loose = `${at('assets', '/big')}&ignoreSearch=true`;
	const found = await urls(daemon, `${loose}&all=true`);
	assert.deepEqual(found.sort(), [...wanted].sort());
	assert.equal((await daemon.get(loose)).text, '/big?n=0');
	assert.deepEqual((await del(loose)).json(), { deleted: 150 });
	assert.equal((await list()).find((c) => c.name === 'assets').entries, 150);
});

test('matchAll tells each variant with its id, by which it is had', async (x) => {
	const { daemon, put, del, at } = await pair(x);
	const vary = { 'Holdfast-Response-Vary': 'X-Kind' };
	for (const kind of ['a', 'b'])
		await put('assets', '/v', kind, { ...vary, 'X-Kind': kind });
	await put('assets', '/v?1', 'c', { ...vary, 'X-Kind': 'a' });
	const all = async (more, headers) =>
		(await daemon.get(`${at('assets', '/v')}&all=true${more}`, headers)).json();
	const { entries, next } = await all('&ignoreVary=true');
	assert.equal(next, null);
	assert.deepEqual(entries.map((e) => e.vary), [{ 'x-kind': 'a' }, { 'x-kind': 'b' }]);
	for (const [i, text] of ['a', 'b'].entries())
		assert.equal((await daemon.get(`${at('assets', '/v')}&id=${entries[i].id}`)).text, text);
	assert.equal((await daemon.get(`${at('assets', '/v')}&id=${entries[1].id}&method=POST&ignoreSearch=true`)).text, 'b');
	assert.deepEqual((await all('', { 'X-Kind': 'b' })).entries.map((e) => e.id), [entries[1].id]);
	assert.deepEqual((await all('')).entries, []);
	const loose = (await all('&ignoreSearch=true', { 'X-Kind': 'a' })).entries;
	assert.deepEqual(loose.map((e) => e.url), ['/v', '/v?1']);
	assert.deepEqual((await del(`${at('assets', '/v')}&id=${entries[0].id}`)).json(), { deleted: 1 });
	assert.equal((await daemon.get(`${at('assets', '/v')}&id=${entries[0].id}`)).status, 404);
	assert.deepEqual((await all('&ignoreVary=true')).entries.map((e) => e.id), [entries[1].id]);
});

test('another method than GET matches nothing without ignoreMethod', async (x) => {
	const { daemon, put, del, at } = await pair(x);
	await put('assets', '/m', 'x');
	const of = (more) => `${at('assets', '/m')}${more}`;
	for (const [more, there] of [['&method=GET', true], ['&method=HEAD', false], ['&method=get', false],
		['&method=POST&ignoreMethod=false', false], ['&method=POST&ignoreMethod=true', true],
		['&ignoreMethod=true', true], ['&method=POST&ignoreSearch=true', false]]) {
		assert.equal((await daemon.get(of(more))).status, there ? 200 : 404, more);
		assert.equal((await daemon.json(of(`${more}&all=true`))).entries.length, there ? 1 : 0, more);
	}
	assert.equal((await del(of('&method=HEAD'))).status, 404);
	assert.equal((await del(of('&method=HEAD&ignoreMethod=true'))).status, 200);
});

test('options that say nothing are refused', async (x) => {
	const { daemon, put, del, at } = await pair(x);
	await put('assets', '/o', 'x');
	for (const more of ['ignoreSearch=', 'ignoreSearch=1', 'ignoreMethod=TRUE', 'ignoreVary=yes', 'all=all', 'all',
		'method=', 'method=G%20T', 'method=%00', 'id=', 'id=0', 'id=-1', 'id=x', 'id=1e3', 'id=9223372036854775808',
		'after=0', 'after=-1', 'after=18446744073709551615', 'after=18446744073709551616', 'ignoreSearch=true&ignoreSearch=true',
		'id=%', 'url=%2F']) {
		const got = await daemon.get(`${at('assets', '/o')}&${more}`);
		assert.equal(got.status, 400, more);
		assert.equal(got.headers['content-type'], 'application/problem+json', more);
		if (!more.startsWith('after'))
			assert.equal((await del(`${at('assets', '/o')}&${more}`)).status, 400, more);
	}
	for (const url of ['', '*', 'o', 'ftp://h/', '/ ', '/\u0000'])
		assert.ok([400, 404].includes((await daemon.get(`${at('assets', url)}&ignoreSearch=true&all=true`)).status), url);
	assert.equal((await daemon.get(`${at('assets', '/' + 'a'.repeat(8192))}&ignoreSearch=true`)).status, 413);
	assert.equal((await daemon.get(at('assets', '/o'))).text, 'x', 'it is there still');
});

test("what a page puts keeps to the limits of the cache's routes", async (x) => {
	const { put, list } = await pair(x, { manifest: { routes: [
		{ condition: { urlPattern: '/a/*' }, source: 'cache-first', cacheName: 'few', expiration: { maxEntries: 2 } },
		{ condition: { urlPattern: '/b/*' }, source: 'cache-first', cacheName: 'few', expiration: { maxEntries: 3 } },
		{ condition: { urlPattern: '/c/*' }, source: 'cache-first', cacheName: 'many', expiration: { maxEntries: 2 } },
		{ condition: { urlPattern: '/d/*' }, source: 'cache-first', cacheName: 'many' }] } });
	for (let i = 0; i < 6; i++)
		for (const name of ['few', 'many'])
			assert.equal((await put(name, `/a/${i}`, `${i}`)).status, 201);
	const entries = Object.fromEntries((await list()).map((c) => [c.name, c.entries]));
	assert.equal(entries.few, 3);
	assert.equal(entries.many, 6);
});

test('what cannot be put is refused', async (x) => {
	const { daemon, put, match, del, at } = await pair(x);
	const refused = async (answer, status) => {
		const a = await answer;
		assert.equal(a.status, status, a.text);
		assert.equal(a.headers['content-type'], 'application/problem+json');
	};
	await refused(put('assets', '/a', 'x', { 'Holdfast-Status': '206' }), 400);
	await refused(put('assets', '/a', 'x', { 'Holdfast-Status': 'ok' }), 400);
	await refused(put('assets', '/a', 'x', { 'Holdfast-Response-Vary': '*' }), 400);
	await refused(put('assets', 'relative', 'x'), 400);
	await refused(put('assets', '/' + 'a'.repeat(8192), 'x'), 413);
	await refused(put('assets', '/a', Buffer.alloc(16 * 1024 * 1024 + 1)), 413);
	await refused(put('none', '/a', 'x'), 404);
	await refused(put('o0', '/a', 'x'), 403);
	await refused(daemon.request({ method: 'PUT', path: at('assets'), body: 'x' }), 400);
	await refused(match('assets', '/a'), 404);
	await refused(match('none', '/a'), 404);
	await refused(daemon.get(`${at('assets')}?after=x`), 400);
	await refused(daemon.get('/.holdfast/caches/assets?kind=other'), 400);
	await refused(del(at('assets')), 400);
	await refused(del('/.holdfast/caches/o0'), 403);
	await refused(daemon.request({ method: 'POST', path: '/.holdfast/install' }), 403);
	await refused(daemon.request({ method: 'PUT', path: at('assets', '/a'), body: 'x',
		headers: { 'Sec-Fetch-Site': 'cross-site' } }), 403);
});

test('caches are opened, listed with their entries by pages, and deleted', async (x) => {
	const { daemon, put, del, at, list } = await pair(x);
	const open = await daemon.request({ method: 'PUT', path: '/.holdfast/caches/my%2Fown' });
	assert.equal(open.status, 201);
	assert.deepEqual(open.json(), { name: 'my/own', kind: 'named', owner: 'kiosk', active: true,
		entries: 0, bytes: 0 });
	assert.equal((await daemon.request({ method: 'PUT', path: '/.holdfast/caches/my%2Fown' })).status, 200);
	for (let i = 0; i < 150; i++)
		assert.equal((await put('my/own', `/n/${i}`, `${i}`, { 'Content-Type': 'text/plain',
			'Holdfast-Response-Cache-Control': i ? 'max-age=60' : 'max-age=0' })).status, 201);
	const entries = [];
	for (let after = ''; after !== null;) {
		const page = await daemon.json(at('my/own') + (after && `?after=${after}`));
		assert.ok(page.entries.length <= 64);
		entries.push(...page.entries);
		after = page.next;
	}
	assert.deepEqual(entries.map((e) => e.url).sort(), Array.from({ length: 150 }, (_, i) => `/n/${i}`).sort());
	const one = entries.find((e) => e.url === '/n/7');
	assert.equal(one.status, 200);
	assert.equal(one.bytes, 1);
	assert.equal(one.type, 'text/plain');
	assert.deepEqual(one.flags, []);
	assert.ok(one.freshSeconds > 0 && one.freshSeconds <= 60);
	assert.deepEqual(entries.find((e) => e.url === '/n/0').flags, ['stale']);
	assert.equal((await list()).find((c) => c.name === 'my/own').entries, 150);
	assert.equal((await del('/.holdfast/caches/my%2Fown')).status, 200);
	assert.equal((await list()).find((c) => c.name === 'my/own'), undefined);
	assert.equal((await daemon.get(at('my/own'))).status, 404);
	for (let i = 0; i < 63; i++)
		assert.equal((await daemon.request({ method: 'PUT', path: `/.holdfast/caches/c${i}` })).status, 201);
	assert.equal((await daemon.request({ method: 'PUT', path: '/.holdfast/caches/more' })).status, 507);
});

test('a cache that a route uses is empty after a purge, and goes on', async (x) => {
	const { daemon, counts, del, list } = await pair(x);
	await daemon.get('/assets/a');
	await hit(daemon, '/assets/a');
	assert.equal((await del('/.holdfast/caches/assets')).json().entries, 1);
	await until(async () => (await list()).find((c) => c.name === 'assets')?.entries === 0);
	assert.equal((await daemon.get('/assets/a')).text, '/assets/a 2');
	await hit(daemon, '/assets/a');
	assert.equal(counts.get('/assets/a'), 2);
});

test('a page sees the caches of its origin alone', async (x) => {
	const [a, b] = [await Origin.create(x), await Origin.create(x)];
	const daemon = await Daemon.create(x, { origins: [{ name: 'shop', url: a.url },
		{ name: 'bank', url: b.url, host: 'bank.localhost' }],
		workers: [{ name: 'kiosk', origin: 'shop', manifest: manifest() },
			{ name: 'till', origin: 'bank', manifest: manifest() }] });
	const bank = { host: `bank.localhost:${daemon.port}` };
	const owners = async (headers) => (await daemon.get('/.holdfast/caches', headers)).json().caches
		.map((c) => `${c.kind} ${c.owner} ${c.name}`).sort();
	assert.deepEqual(await owners(), ['http shop shop', 'named kiosk assets']);
	assert.deepEqual(await owners(bank), ['http bank bank', 'named till assets']);
	const all = await request({ path: '/.holdfast/caches', socketPath: daemon.control });
	assert.equal(all.json().caches.length, 4);
	const put = (headers) => daemon.request({ method: 'PUT', body: 'x', headers,
		path: '/.holdfast/caches/assets/entries?url=%2Fp' });
	assert.equal((await put(bank)).status, 201);
	assert.equal((await daemon.get('/.holdfast/caches/assets/entries?url=%2Fp')).status, 404);
	assert.equal((await daemon.get('/.holdfast/caches/assets/entries?url=%2Fp', bank)).text, 'x');
	assert.equal((await daemon.get('/.holdfast/caches/bank')).status, 404);
	/* nor does a page that begins nowhere show those of others */
	for (const after of ['1', '9223372036854775807', '18446744073709551615', '9223372036854775808']) {
		const page = await daemon.get(`/.holdfast/caches/shop/entries?after=${after}`);
		assert.doesNotMatch(page.text, /"url"/, after);
	}
	/* the operator says whose it is */
	const control = (more) => request({ socketPath: daemon.control,
		path: `/.holdfast/caches/assets/entries?url=%2Fp${more}` });
	assert.equal((await control('')).status, 409);
	assert.equal((await control('&worker=till')).text, 'x');
	assert.equal((await control('&worker=kiosk')).status, 404);
});

test('the operator lists, shows and purges, by the command', async (x) => {
	const { daemon, counts } = await pair(x, { manifest: { precache: ['/app', '/app.css'] } });
	await until(async () => (await daemon.status()).caches.precache[0]?.state === 'active');
	await daemon.get('/h');
	await hit(daemon, '/h');
	await daemon.get('/assets/a');
	await hit(daemon, '/assets/a');
	const cli = async (...args) => {
		const r = await daemon.cli(...args);
		assert.equal(r.code, 0, r.stderr);
		for (const line of args.includes('--json') ? [] : r.stdout.split('\n'))
			assert.ok(line.length <= 80, line);
		return r.stdout;
	};
	const list = await cli('cache', 'list');
	assert.match(list, /assets +named +kiosk +1 /);
	assert.match(list, /o0 +http +o0 +1 /);
	assert.match(list, /precache +kiosk +2 .* active/);
	assert.match(await cli('cache', 'show', 'assets'), /\/assets\/a +200/);
	await daemon.request({ method: 'PUT', body: 'x', path: '/.holdfast/caches/assets/entries?url=%2Fv',
		headers: { 'Holdfast-Response-Vary': 'X-Kind', 'X-Kind': 'a' } });
	assert.match(await cli('cache', 'show', 'assets', '/v'), /\/v +200/);
	assert.match(await cli('cache', 'show', 'assets', '/v?1', '--ignore-search'), /\/v +200/);
	assert.match(await cli('cache', 'show', 'assets', '/v?1'), /Nothing is stored/);
	assert.match(await cli('cache', 'purge', 'assets', '/v'), /1 entry was taken out/);
	assert.match(await cli('cache', 'show', 'kiosk'), /\/app\.css/);
	assert.equal(JSON.parse(await cli('cache', 'list', '--json')).caches.length, 3);
	assert.match(await cli('cache', 'purge', 'o0', '/h'), /taken out/);
	assert.equal((await daemon.get('/h')).text, '/h 2');
	await hit(daemon, '/h');
	assert.match(await cli('cache', 'purge', 'o0'), /o0/);
	assert.equal((await daemon.get('/h')).text, '/h 3');
	assert.equal((await daemon.cli('cache', 'purge', 'kiosk', '/app')).code, 1);
	await cli('cache', 'purge', 'kiosk');
	await until(() => counts.get('/app') === 2 && counts.get('/app.css') === 2);
	await until(async () => (await daemon.status()).caches.precache[0].state === 'active');
	assert.match((await daemon.get('/app')).headers['cache-status'], /hit/);
});

test('figures, and events of a precache that waits and then is active', async (x) => {
	let missing = true;
	const { daemon, control } = await pair(x, { manifest: { precache: ['/app', '/late'] },
		missing: (url) => missing && url === '/late' });
	const told = async (state) => (await daemon.cli('events', '--json')).stdout.trim().split('\n')
		.map((l) => JSON.parse(l)).find((e) => e.event === 'precache' && e.data.state === state);
	await until(async () => (await daemon.status()).caches.precache[0].state === 'waiting');
	const [waiting] = (await daemon.status()).caches.precache;
	assert.equal(waiting.failedUrl, '/late');
	assert.equal(waiting.failure, 'status 404');
	assert.ok(waiting.nextTryInMs > 0);
	assert.equal(waiting.files, 2);
	assert.equal(waiting.done, 1);
	assert.match((await daemon.cli('status')).stdout, /precache.*kiosk.*1 of 2.*\/late.*status 404/s);
	assert.match((await control('GET', '/.holdfast/metrics')).text,
		/holdfast_precache_state\{worker="kiosk",state="waiting"\} 1/);
	missing = false;
	assert.equal((await told('waiting')).data.failedUrl, '/late');
	assert.equal(await told('active'), undefined);
	const { code, stdout } = await daemon.cli('cache', 'install', 'kiosk');
	assert.equal(code, 0, stdout);
	await until(() => told('active'));
	assert.equal((await told('active')).data.worker, 'kiosk');
	await daemon.get('/app');
	await daemon.get('/h');
	await hit(daemon, '/h');
	const { caches } = await daemon.status();
	assert.deepEqual(caches.requests.precache, { hits: 1, validated: 0, fallbacks: 0, misses: 0 });
	assert.ok(caches.requests.http.misses >= 1 && caches.requests.http.hits >= 1);
	assert.ok(caches.stored >= 3 && caches.entries === 3 && caches.usage > 0 && caches.usage < caches.quota);
	assert.match((await control('GET', '/.holdfast/metrics')).text,
		/holdfast_cache_requests_total\{cache="precache",result="hit"\} 1/);
});

suite('the caches as resources');
