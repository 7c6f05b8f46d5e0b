/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP cache and RFC 9111 over real sockets: a case or more for each group of
 * rules, and what happens to answers that are still on their way. */
import assert from 'node:assert/strict';
import { test, suite, until } from './lib/harness.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon } from './lib/daemon.mjs';

/* An origin whose answers are made by page(req, n): { status, headers, body, interim,
 * wait }; n counts the requests for the URL. X-Count of an answer is n. */
async function pair(x, page) {
	const origin = await Origin.create(x);
	const seen = new Map();
	origin.handler = async (req, res) => {
		const n = (seen.get(req.url) ?? 0) + 1;
		seen.set(req.url, n);
		const { status = 200, headers = [], body, wait, cut } = page(req, n) ?? {};
		await wait;
		if (cut) {
			req.socket.destroy();
			return;
		}
		res.writeHead(status, [...headers, ['X-Count', String(n)]].flat());
		res.end([204, 304].includes(status) ? undefined : body ?? `${req.url} ${n}`);
	};
	const daemon = await Daemon.create(x, { manifest: null, origin });
	const count = (answer) => Number(answer.headers['x-count']);
	/* From the origin (n) or out of the cache; two requests with nothing between. */
	const twice = async (path, first, second) => {
		const a = await daemon.get(path, first);
		const b = await daemon.get(path, second ?? first);
		return { a, b, reused: count(b) === count(a) && seen.get(path) === count(a) };
	};
	/* Asks until it is stored, stale or not. */
	const stored = (path, headers) => until(async () =>
		/hit|fwd=stale/.test((await daemon.get(path, headers)).headers['cache-status']), { what: `${path} stored` });
	return { origin, daemon, seen, count, twice, stored };
}

/* Rows of [what, fields of the first answer, reused?, status]: each asked for twice. */
function table(name, rows) {
	test(name, async (x) => {
		const paths = new Map(rows.map((row, i) => [`/${i}`, row]));
		const { twice } = await pair(x, (req) => ({ headers: paths.get(req.url)[1], status: paths.get(req.url)[3] }));
		for (const [path, [what, , reused]] of paths) {
			const { b, reused: got } = await twice(path);
			assert.equal(got, reused, `${what}: ${b.status} ${b.headers['cache-status']}`);
		}
	});
}

const cc = (...values) => values.map((v) => ['Cache-Control', v]);
const date = (s = 0) => new Date(Date.now() + s * 1000).toUTCString();
const now = ['Date', date()];
const etag = (tag) => ['ETag', `"${tag}"`];
/* Stale from its first moment on, but validatable or not by what is added. */
const old = (...more) => [...cc('max-age=5'), ['Age', '50'], ...more];

table('freshness by Cache-Control', [
	['max-age', cc('max-age=60'), true],
	['max-age=0', cc('max-age=0'), false],
	['nothing', [], false],
	['more than 31 bits', cc('max-age=99999999999'), true],
	['negative', cc('max-age=-60'), false],
	['any case', cc('mAx-AgE=60'), true],
	['s-maxage over max-age', cc('max-age=60, s-maxage=0'), false],
	['s-maxage of another line', [...cc('max-age=0'), ...cc('s-maxage=60')], true],
	['Age past it', [...cc('max-age=60'), ['Age', '61']], false],
	['max-age over Expires', [...cc('max-age=60'), ['Expires', date(-60)], now], true],
]);

table('Cache-Control is parsed', [
	['inside quotes it is no directive', cc('ext="max-age=60", max-age=0'), false],
	['inside quotes behind it', cc('max-age=0, ext="max-age=60"'), false],
	['leading zeros', cc('max-age=0060'), true],
	['single quotes are no quotes', cc('max-age=\'60\''), false],
]);

table('Age is parsed', [
	['a word', [...cc('max-age=60'), ['Age', 'old']], true],
	['negative', [...cc('max-age=60'), ['Age', '-70']], true],
	['a fraction', [...cc('max-age=60'), ['Age', '70.0']], true],
	['2^31 and more', [...cc('max-age=60'), ['Age', '2147483649']], false],
	['the first of a list', [...cc('max-age=60'), ['Age', '70, 0']], false],
	['the first line', [...cc('max-age=60'), ['Age', '0'], ['Age', '70']], true],
]);

table('freshness by Expires', [
	['to come', [['Expires', date(60)], now], true],
	['past', [['Expires', date(-60)], now], false],
	['the same as Date', [['Expires', date()], now], false],
	['before a Date that is fast', [['Expires', date(60)], ['Date', date(90)]], false],
	['0', [['Expires', '0'], now], false],
]);

table('Expires is parsed', [
	['RFC 850', [['Expires', 'Friday, 19-Aug-44 02:01:18 GMT'], now], true],
	['asctime', [['Expires', 'Fri Aug  9 02:01:18 2044'], now], true],
	['after 2106', [['Expires', 'Sun, 21 Nov 2286 04:46:39 GMT'], now], true],
	['month in capitals', [['Expires', 'Fri, 19 AUG 2044 02:01:18 GMT'], now], true],
	['not GMT', [['Expires', 'Fri, 19 Aug 2044 02:01:18 CET'], now], false],
	['two digits of a year', [['Expires', 'Fri, 19 Aug 44 02:01:18 GMT'], now], false],
	['twice', [['Expires', 'Fri, 19 Aug 2044 2:01:18 GMT'], ['Expires', 'Fri, 19 Aug 2044 2:01:19 GMT'], now], false],
]);

table('directives of answers', [
	['no-store', cc('max-age=60, no-store'), false],
	['private', cc('private, max-age=60'), false],
	['no-cache', cc('max-age=60, no-cache'), false],
	['must-revalidate while fresh', cc('max-age=60, must-revalidate'), true],
]);

table('heuristic freshness', [
	...[200, 203, 204, 404, 405, 410, 414, 501].map((s) =>
		[`${s}`, [['Last-Modified', date(-86400)], now], true, s]),
	...[201, 202, 403, 502, 503, 599].map((s) => [`${s}`, [['Last-Modified', date(-86400)], now], false, s]),
	['599, public', [...cc('public'), ['Last-Modified', date(-86400)], now], true, 599],
]);

table('status codes', [
	...[200, 204, 299, 301, 302, 307, 308, 400, 404, 410, 499, 500, 503, 599].flatMap((s) => [
		[`${s} fresh`, cc('max-age=60'), true, s], [`${s} stale`, old(), false, s]]),
	['must-understand and not understood', cc('max-age=60, no-store, must-understand'), false, 599],
	['must-understand and understood', cc('max-age=60, no-store, must-understand'), true, 200],
]);

table('Vary: *', [
	['alone', [...cc('max-age=60'), ['Vary', '*']], false],
	['behind a name', [...cc('max-age=60'), ['Vary', 'Foo, *']], false],
	['behind nothing', [...cc('max-age=60'), ['Vary', ', *']], false],
	['of the second line', [...cc('max-age=60'), ['Vary', ''], ['Vary', '*']], false],
]);

test('directives of requests', async (x) => {
	const { twice } = await pair(x, (req) => ({ headers: [...cc('max-age=60'), ['Age', req.url === '/aged' ? '30' : '0']] }));
	const ask = async (path, directive) => (await twice(path, {}, { 'Cache-Control': directive })).reused;
	assert.equal(await ask('/a', 'max-age=0'), false);
	assert.equal(await ask('/b', 'no-cache'), false);
	assert.equal(await ask('/c', 'no-store'), false);
	assert.equal(await ask('/d', 'min-fresh=100'), false);
	assert.equal(await ask('/e', 'min-fresh=10'), true);
	assert.equal(await ask('/aged', 'max-age=20'), false);
});

test('only-if-cached, and max-stale', async (x) => {
	const { daemon, stored, seen, count } = await pair(x, () => ({ headers: old() }));
	assert.equal((await daemon.get('/none', { 'Cache-Control': 'only-if-cached' })).status, 504);
	await stored('/s');
	const before = seen.get('/s');
	assert.ok(count(await daemon.get('/s', { 'Cache-Control': 'max-stale=100' })) <= before);
	assert.equal(seen.get('/s'), before);
	assert.equal(count(await daemon.get('/s', { 'Cache-Control': 'max-stale=10' })), before + 1);
});

test('Pragma of requests and of answers', async (x) => {
	const { daemon, count } = await pair(x, (req) => ({ headers: [...cc('max-age=60'),
		...(req.url === '/p' ? [['Pragma', 'no-cache']] : [])] }));
	for (const path of ['/p', '/q']) {
		await daemon.get(path);
		assert.equal(count(await daemon.get(path)), 1, path);
		assert.equal(count(await daemon.get(path, { Pragma: 'anything' })), 1, path);
	}
});

test('what may be served while the origin closes connections', async (x) => {
	let away = false;
	const { daemon, stored } = await pair(x, (req) => ({ cut: away,
		headers: [...cc(`max-age=5${{ '/m': ', must-revalidate', '/p': ', proxy-revalidate', '/n': ', no-cache',
			'/s': ', s-maxage=5' }[req.url] ?? ''}`), ['Age', '50'], etag('e')] }));
	for (const path of ['/any', '/m', '/p', '/n', '/s'])
		await stored(path);
	away = true;
	assert.equal((await daemon.get('/any')).status, 200);
	for (const path of ['/m', '/p', '/n', '/s'])
		assert.equal((await daemon.get(path)).status, 504, path);
});

test('stale-while-revalidate: at once, and new the next time', async (x) => {
	let fresh = false;
	const { daemon, seen } = await pair(x, () => ({ headers: fresh ? cc('max-age=60') :
		[...cc('max-age=5, stale-while-revalidate=100'), ['Age', '50']] }));
	const get = () => daemon.get('/w');
	await until(async () => /hit/.test((await get()).headers['cache-status']));
	fresh = true;
	await until(async () => /ttl=[1-9]/.test((await get()).headers['cache-status']), { what: 'the new one' });
	const all = seen.get('/w');
	await get();
	assert.equal(seen.get('/w'), all);
});

test('stale-if-error: 500 and 503, not 404', async (x) => {
	let status = 200;
	const { daemon, stored } = await pair(x, (req) => ({ status, headers: status === 200 ?
		[...cc(`max-age=5${req.url === '/e' ? ', stale-if-error=100' : ''}`), ['Age', '50'], etag('e')] : [] }));
	for (const path of ['/e', '/f'])
		await stored(path);
	for (const [code, e, f] of [[500, 200, 500], [503, 200, 503], [404, 404, 404]]) {
		status = code;
		assert.equal((await daemon.get('/e')).status, e);
		assert.equal((await daemon.get('/f')).status, f);
	}
});

test('variants by Vary', async (x) => {
	const { daemon, count } = await pair(x, (req) => ({ headers: [...cc('max-age=60'),
		['Vary', req.url.startsWith('/l') ? 'Accept-Language' : 'Foo, Bar']] }));
	const n = async (path, headers) => count(await daemon.get(path, headers));
	assert.equal(await n('/v', { Foo: '1' }), 1);
	assert.equal(await n('/v', { Foo: '1', Other: '2' }), 1);
	assert.equal(await n('/v', { Foo: '2' }), 2);
	assert.equal(await n('/v', {}), 3);
	assert.equal(await n('/v', { Foo: '1', Bar: '1' }), 4);
	assert.equal(await n('/v', { Foo: '1' }), 1, 'the first is still there');
	assert.equal(await n('/l', { 'Accept-Language': 'en, de' }), 1);
	assert.equal(await n('/l', { 'Accept-Language': 'DE,  en' }), 1);
	assert.equal(await n('/c', { Foo: '1, 2' }), 1);
	assert.equal(await n('/c', { Foo: ['1', '2'] }), 1);
});

test('conditions of pages: entity-tags, and dates', async (x) => {
	const modified = date(-3000);
	const { daemon, seen, stored } = await pair(x, (req) => ({ headers: [...cc('max-age=60'), now,
		...(req.url === '/t' ? [etag('a')] : []), ...(req.url === '/w' ? [['ETag', 'W/"a"']] : []),
		['Last-Modified', modified]] }));
	const status = async (path, headers) => (await daemon.get(path, headers)).status;
	for (const path of ['/t', '/w', '/m'])
		await stored(path);
	const same = await daemon.get('/t', { 'If-None-Match': '"x", "a"' });
	assert.equal(same.status, 304);
	assert.equal(same.headers.etag, '"a"');
	assert.equal(await status('/t', { 'If-None-Match': '"x"' }), 200);
	assert.equal(await status('/t', { 'If-None-Match': '"x"', 'If-Modified-Since': date() }), 200);
	assert.equal(await status('/w', { 'If-None-Match': 'W/"a"' }), 304);
	assert.equal(await status('/m', { 'If-Modified-Since': modified }), 304);
	assert.equal(await status('/m', { 'If-Modified-Since': date(-2000) }), 304);
	assert.equal(await status('/m', { 'If-Modified-Since': date(-4000) }), 200);
	assert.deepEqual([...seen.values()], [1, 1, 1]);
});

test('a stale answer is validated by what it has', async (x) => {
	const modified = date(-3000);
	const { daemon, origin, stored } = await pair(x, (req) => ({ body: 'first',
		status: req.headers['if-none-match'] || req.headers['if-modified-since'] ? 304 : 200,
		headers: old(req.url === '/e' ? etag('v') : ['Last-Modified', modified], ['Vary', 'Abc']) }));
	for (const [path, field, value] of [['/e', 'if-none-match', '"v"'], ['/d', 'if-modified-since', modified]]) {
		await stored(path, { Abc: '1' });
		const again = await daemon.get(path, { Abc: '1' });
		assert.equal(again.status, 200);
		assert.equal(again.text, 'first');
		assert.equal(origin.arrivals.at(-1).headers[field], value);
		assert.equal(origin.arrivals.at(-1).headers.abc, '1');
	}
});

test('which fields are stored', async (x) => {
	const { daemon, count } = await pair(x, () => ({ headers: [...cc('max-age=60'), ['Connection', 'a'], ['A', '1'],
		['B', '2'], ['Set-Cookie', 'c=d'], ['Proxy-Authenticate', 'Basic'], ['Keep-Alive', 'timeout=9'],
		['Content-Location', '/else'], now] }));
	await daemon.get('/f');
	const hit = await daemon.get('/f');
	assert.equal(count(hit), 1);
	assert.equal(hit.headers.b, '2');
	assert.deepEqual(hit.headers['set-cookie'], ['c=d']);
	assert.equal(hit.headers['content-location'], '/else');
	assert.equal(hit.headers.date, now[1]);
	for (const name of ['a', 'proxy-authenticate'])
		assert.equal(hit.headers[name], undefined, name);
	assert.notEqual(hit.headers['keep-alive'], 'timeout=9');
});

test('a coding that nobody knows ends with the connection, is not told on, and not stored after a reset', async (x) => {
	const { daemon, origin } = await pair(x, () => ({}));
	let reset = true;
	origin.handler = (req) => {
		req.socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nCache-Control: max-age=60\r\n\r\nhalf of it');
		setTimeout(() => (reset ? req.socket.resetAndDestroy() : req.socket.end(', and the other')), 50);
	};
	await assert.rejects(daemon.get('/c'));
	reset = false;
	for (let i = 0; i < 2; i++) {
		const answer = await daemon.get('/c');
		assert.equal(answer.text, 'half of it, and the other');
		assert.notEqual(answer.headers['transfer-encoding'], 'identity');
	}
	assert.equal(origin.arrivals.length, 2);
});

test('a 304 brings new fields', async (x) => {
	const { daemon, seen, stored } = await pair(x, (req) => (req.headers['if-none-match'] ?
		{ status: 304, headers: [...cc('max-age=60'), etag('v'), ['A', 'new'], ['Content-Encoding', 'br']] } :
		{ body: 'first', headers: old(etag('v'), ['A', 'old'], ['B', 'kept']) }));
	await stored('/u');
	const all = seen.get('/u');
	const answer = await daemon.get('/u');
	assert.deepEqual([answer.headers.a, answer.headers.b, answer.text], ['new', 'kept', 'first']);
	assert.equal(answer.headers['content-encoding'], undefined);
	assert.equal(seen.get('/u'), all);
});

test('a 304 of another answer is asked about again', async (x) => {
	let changed = false;
	const { daemon, seen, stored } = await pair(x, (req) => ({ headers: old(etag(changed ? 'two' : 'one')),
		status: changed && req.headers['if-none-match'] ? 304 : 200 }));
	await stored('/o');
	const all = seen.get('/o');
	changed = true;
	const answer = await daemon.get('/o');
	assert.equal(answer.status, 200);
	assert.equal(answer.text, `/o ${all + 2}`);
});

test('HEAD: out of what is stored, and what it says of it', async (x) => {
	const { daemon, count, seen, stored } = await pair(x, (req) => ({ body: '123', headers: [...(req.method === 'HEAD' ?
		[['Content-Length', req.url === '/same' ? '3' : '4']] : []), ...cc('max-age=60'), ['A', req.method]] }));
	for (const path of ['/same', '/other']) {
		await stored(path);
		await daemon.request({ method: 'HEAD', path, headers: { 'Cache-Control': 'no-cache' } });
	}
	const all = seen.get('/other');
	const same = await daemon.get('/same');
	assert.deepEqual([same.text, same.headers.a], ['123', 'HEAD']);
	assert.equal(count(await daemon.get('/other')), all + 1);
	const head = await daemon.request({ method: 'HEAD', path: '/same' });
	assert.deepEqual([head.status, head.headers['content-length'], head.text], [200, '3', '']);
});

test('unsafe methods make invalid what they change', async (x) => {
	let status = 200;
	const { daemon, count } = await pair(x, (req) => (req.method === 'GET' ? { headers: cc('max-age=60') } :
		{ status, headers: [['Location', '/list'], ['Content-Location', '/same']] }));
	for (const method of ['POST', 'PUT', 'DELETE', 'M-SEARCH']) {
		const path = `/${method}`;
		const all = async () => Promise.all([path, '/list', '/same'].map(async (p) => count(await daemon.get(p))));
		const before = await all();
		status = 500;
		await daemon.request({ method, path, body: 'x' });
		assert.deepEqual(await all(), before, `${method} failed`);
		status = 200;
		await daemon.request({ method, path, body: 'x' });
		for (const [i, n] of (await all()).entries())
			assert.ok(n > before[i], `${method} ${i}`);
	}
});

test('what is written while an answer is on its way is not covered by it', async (x) => {
	let release;
	const gate = new Promise((open) => (release = open));
	const { daemon, origin } = await pair(x, (req, n) =>
		(req.method === 'GET' ? { headers: cc('max-age=60'), body: `read ${n}`, wait: n === 1 ? gate : null } : {}));
	const first = daemon.get('/race');
	await origin.arrived(1, { url: '/race' });
	assert.equal((await daemon.post('/race')).status, 200);
	release();
	assert.equal((await first).text, 'read 1');
	assert.equal((await daemon.get('/race')).text, 'read 3');
});

test('what is written while an answer is being stored is not covered by it', async (x) => {
	const { daemon, count } = await pair(x, (req) => (req.method === 'GET' ? { headers: cc('max-age=60') } : {}));
	for (let i = 0; i < 100; i++) {
		assert.equal(count(await daemon.get(`/w${i}`)), 1);
		assert.equal((await daemon.post(`/w${i}`)).status, 200);
		assert.equal(count(await daemon.get(`/w${i}`)), 3, `/w${i}`);
	}
});

test('a 304 for one variant is no answer to those who ask for another', async (x) => {
	let release;
	const gate = new Promise((open) => (release = open));
	let closed = false;
	const { daemon, origin, stored } = await pair(x, (req) => {
		const { foo, 'if-none-match': known } = req.headers;
		return { status: known && foo === 'a' ? 304 : 200, body: foo, wait: closed && foo ? gate : null,
			headers: [...old(etag(foo)), ['Vary', 'Foo']] };
	});
	await stored('/v', { Foo: 'a' });
	closed = true;
	const before = origin.got('/v').length;
	const a = daemon.get('/v', { Foo: 'a' });
	await origin.arrived(before + 1, { url: '/v' });
	const b = daemon.get('/v', { Foo: 'b' });
	await until(async () => (await daemon.get('/other')).status === 200);
	release();
	assert.equal((await a).text, 'a');
	assert.equal((await b).text, 'b');
});

test('a POST answer that is what a GET would get is stored', async (x) => {
	const { daemon, count } = await pair(x, (req) => (req.method === 'POST' ?
		{ headers: [...cc('max-age=60'), ['Content-Location', req.url === '/self' ? '/self' : '/not'], now], body: 'made' } : {}));
	for (const path of ['/self', '/other'])
		assert.equal((await daemon.post(path)).text, 'made');
	await until(async () => (await daemon.get('/self')).text === 'made', { what: 'GET /self out of the cache' });
	assert.equal(count(await daemon.get('/other')), 2);
});

test('ranges of what is stored', async (x) => {
	const { daemon, seen, stored } = await pair(x, () => ({ headers: [...cc('max-age=60'), ['A', '1']], body: '0123456789' }));
	await stored('/r');
	for (const [range, text, is] of [['0-1', '01', 'bytes 0-1/10'], ['8-', '89', 'bytes 8-9/10'], ['-1', '9', 'bytes 9-9/10']]) {
		const part = await daemon.get('/r', { Range: `bytes=${range}` });
		assert.deepEqual([part.status, part.text, part.headers['content-range'], part.headers.a], [206, text, is, '1']);
	}
	assert.equal((await daemon.get('/r', { Range: 'bytes=10-' })).status, 416);
	assert.equal(seen.get('/r'), 1);
});

test('requests with Authorization', async (x) => {
	const more = { '/p': ', public', '/m': ', must-revalidate', '/s': ', s-maxage=60' };
	const { daemon, count } = await pair(x, (req) => ({ headers: cc(`max-age=60${more[req.url] ?? ''}`) }));
	for (const [path, n] of [['/none', 2], ['/p', 1], ['/m', 1], ['/s', 1]]) {
		await daemon.get(path, { Authorization: 'Basic eDp5' });
		assert.equal(count(await daemon.get(path)), n, path);
	}
});

test('Age, Date, queries and cookies', async (x) => {
	const { daemon, count } = await pair(x, () => ({ headers: [...cc('max-age=60'), ['Age', '30'], now] }));
	await daemon.get('/a?x=1');
	const hit = await daemon.get('/a?x=1', { Cookie: 'a=b' });
	assert.equal(count(hit), 1);
	assert.ok(Number(hit.headers.age) >= 30);
	assert.equal(hit.headers.date, now[1]);
	await daemon.get('/a?x=2');
	assert.equal(count(await daemon.get('/a')), 1);
});

test('interim answers are passed on, and are not stored', async (x) => {
	const { daemon, origin } = await pair(x, () => ({}));
	origin.handler = (req, res) => {
		res.writeEarlyHints({ link: '</s.css>; rel=preload', 'x-early': '1' });
		res.writeHead(200, { 'Cache-Control': 'max-age=60' });
		res.end('final');
	};
	const first = await daemon.get('/i');
	assert.equal(first.interim.length, 1);
	assert.equal(first.interim[0].headers['x-early'], '1');
	const hit = await daemon.get('/i');
	assert.deepEqual([hit.text, hit.interim.length, hit.headers['x-early']], ['final', 0, undefined]);
	assert.equal(origin.arrivals.length, 1);
});

test('what is complete but still being stored is reused, and only where it may be', async (x) => {
	const { daemon, count } = await pair(x, (req) => ({ headers: cc(req.url.startsWith('/f') ? 'max-age=60' : 'max-age=0') }));
	for (let i = 0; i < 60; i++) {
		for (const [path, n] of [[`/f${i}`, 1], [`/n${i}`, 2]]) {
			await daemon.get(path);
			assert.equal(count(await daemon.get(path)), n, path);
		}
	}
});

test('ranges and conditions of what is still being stored', async (x) => {
	const { daemon, seen } = await pair(x, () => ({ headers: [...cc('max-age=60'), etag('e')], body: '0123456789' }));
	for (let i = 0; i < 60; i++) {
		for (const [kind, field, value, status] of [['r', 'Range', 'bytes=0-1', 206], ['c', 'If-None-Match', '"e"', 304]]) {
			const path = `/${kind}${i}`;
			await daemon.get(path);
			assert.equal((await daemon.get(path, { [field]: value })).status, status, path);
			assert.equal(seen.get(path), 1, path);
		}
	}
});

test('a language of a list gets the answer that is still being stored, too', async (x) => {
	const { daemon, count } = await pair(x, () => ({ headers: [...cc('max-age=60'), ['Vary', 'Accept-Language'],
		['Content-Language', 'de']] }));
	for (let i = 0; i < 60; i++) {
		await daemon.get(`/l${i}`, { 'Accept-Language': 'en, de' });
		assert.equal(count(await daemon.get(`/l${i}`, { 'Accept-Language': 'fr;q=0.5, de;q=1.0' })), 1, `/l${i}`);
	}
});

suite('the HTTP cache and RFC 9111');
