/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Malformed and hostile requests, each with the answer it gets and whether the
 * connection ends with it. What is refused never reaches the origin, and the
 * daemon serves on.
 */
import assert from 'node:assert/strict';
import { test, suite, sleep, sanitized } from './lib/harness.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon, queuedRoute } from './lib/daemon.mjs';
import { Raw } from './lib/raw.mjs';

const CLOSED = true, OPEN = false;
const H = 'Host: localhost\r\n';
const NOBODY = '01ARZ3NDEKTSV4RRFFQ69G5FAV'; /* an id that was never given */

/* A GET that would be good, with @fields (each with its CRLF). */
const get = (fields, host = H) => `GET / HTTP/1.1\r\n${host}${fields}\r\n`;
const post = (fields, body = '') => `POST /api/orders HTTP/1.1\r\n${H}${fields}\r\n${body}`;
const chunked = (body) => post('Transfer-Encoding: chunked\r\n', body);
const ours = (line, fields = '') => `${line} HTTP/1.1\r\n${H}${fields}\r\n`;
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';

/* [what, bytes, status, connection, options] */
const cases = [
	/* ---- framing: where smuggling lives ---- */
	['Content-Length and Transfer-Encoding', post('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${SMUGGLED}`), 400, CLOSED],
	['Transfer-Encoding and Content-Length', post('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', `0\r\n\r\n${SMUGGLED}`), 400, CLOSED],
	['two lengths that differ', post('Content-Length: 0\r\nContent-Length: 44\r\n', SMUGGLED), 400, CLOSED],
	['two lengths that agree', post('Content-Length: 2\r\nContent-Length: 2\r\n', 'ab'), 400, CLOSED],
	['a list of lengths', post('Content-Length: 2, 2\r\n', 'ab'), 400, CLOSED],
	['length with a plus', post('Content-Length: +2\r\n', 'ab'), 400, CLOSED],
	['length with a minus', post('Content-Length: -2\r\n', 'ab'), 400, CLOSED],
	['length with a space in it', post('Content-Length: 1 2\r\n', 'ab'), 400, CLOSED],
	['length in hex', post('Content-Length: 0x2\r\n', 'ab'), 400, CLOSED],
	['length with a fraction', post('Content-Length: 2.0\r\n', 'ab'), 400, CLOSED],
	['empty length', post('Content-Length: \r\n'), 400, CLOSED],
	['length past 64 bits', post('Content-Length: 18446744073709551618\r\n', 'ab'), 400, CLOSED],
	['length of 40 digits', post(`Content-Length: ${'9'.repeat(40)}\r\n`, 'ab'), 400, CLOSED],
	['length in quotes', post('Content-Length: "2"\r\n', 'ab'), 400, CLOSED],
	['two Transfer-Encodings', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', '0\r\n\r\n'), 400, CLOSED],
	['chunked twice', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), 400, CLOSED],
	['coding gzip, chunked', post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'), 501, CLOSED],
	['chunked is not last', post('Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n'), 400, CLOSED],
	['coding identity', post('Transfer-Encoding: identity\r\n'), 501, CLOSED],
	['coding xchunked', post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'), 501, CLOSED],
	['chunked with a vertical tab', post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n'), 400, CLOSED],
	['chunked with a parameter', post('Transfer-Encoding: chunked;a=b\r\n', '0\r\n\r\n'), 400, CLOSED],
	['empty Transfer-Encoding', post('Transfer-Encoding: \r\n', '0\r\n\r\n'), 400, CLOSED],
	['Transfer-Encoding in HTTP/1.0', `POST / HTTP/1.0\r\n${H}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400, CLOSED],
	['Transfer-Encoding behind a space', post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'), 400, CLOSED],
	['Transfer-Encoding with a NUL', post('Transfer-Encoding: chu\0nked\r\n', '0\r\n\r\n'), 400, CLOSED],

	/* ---- chunks ---- */
	['chunk size that is not hex', chunked('zz\r\nab\r\n0\r\n\r\n'), 400, CLOSED],
	['negative chunk size', chunked('-1\r\nab\r\n0\r\n\r\n'), 400, CLOSED],
	['chunk size with 0x', chunked('0x2\r\nab\r\n0\r\n\r\n'), 400, CLOSED],
	['chunk size with a plus', chunked('+2\r\nab\r\n0\r\n\r\n'), 400, CLOSED],
	['chunk size past 64 bits', chunked('10000000000000000\r\nab\r\n0\r\n\r\n'), 400, CLOSED],
	['empty chunk size', chunked('\r\nab\r\n0\r\n\r\n'), 400, CLOSED],
	['space behind the chunk size', chunked('2 \r\nab\r\n0\r\n\r\n'), 400, CLOSED],
	['chunk longer than its size', chunked('2\r\nabc\r\n0\r\n\r\n'), 400, CLOSED],
	['chunk line ends with LF', chunked('2\nab\r\n0\r\n\r\n'), 400, CLOSED],
	['chunk data ends with LF', chunked('2\r\nab\n0\r\n\r\n'), 400, CLOSED],
	['bare CR in a chunk extension', chunked('2;a\rb\r\nab\r\n0\r\n\r\n'), 400, CLOSED],
	['endless chunk extension', chunked(`2;${'a'.repeat(20000)}\r\nab\r\n0\r\n\r\n`), 400, CLOSED],
	['trailer with a space before the colon', chunked('2\r\nab\r\n0\r\nX : 1\r\n\r\n'), 400, CLOSED],
	['too many trailers', chunked(`0\r\n${'X: 1\r\n'.repeat(500)}\r\n`), 431, CLOSED],
	['folded trailer', chunked('0\r\nX: 1\r\n 2\r\n\r\n'), 400, CLOSED],

	/* ---- lines and fields ---- */
	['bare LF for all lines', 'GET / HTTP/1.1\nHost: localhost\n\n', 400, CLOSED],
	['bare LF for one field', `GET / HTTP/1.1\r\n${H}X: 1\nY: 2\r\n\r\n`, 400, CLOSED],
	['bare CR in a value', get('X: a\rb\r\n'), 400, CLOSED],
	['bare CR ends the request line', `GET / HTTP/1.1\r${H}\r\n`, 400, CLOSED],
	['CR CR LF', `GET / HTTP/1.1\r\r\n${H}\r\n`, 400, CLOSED],
	['folded field', get('X: a\r\n b\r\n'), 400, CLOSED],
	['folded first field', `GET / HTTP/1.1\r\n X: a\r\n${H}\r\n`, 400, CLOSED],
	['space before the colon', get('X : a\r\n'), 400, CLOSED],
	['tab before the colon', get('X\t: a\r\n'), 400, CLOSED],
	['no colon', get('nonsense\r\n'), 400, CLOSED],
	['no name', get(': value\r\n'), 400, CLOSED],
	['name with a bracket', get('X(1): a\r\n'), 400, CLOSED],
	['name with a byte above 127', get('X\xe9: a\r\n'), 400, CLOSED],
	['NUL in a value', get('X: a\0b\r\n'), 400, CLOSED],
	['NUL in a name', get('X\0Y: a\r\n'), 400, CLOSED],
	['control byte in a value', get('X: a\x01b\r\n'), 400, CLOSED],
	['DEL in a value', get('X: a\x7fb\r\n'), 400, CLOSED],
	['too many fields', get('X: 1\r\n'.repeat(200)), 431, CLOSED],
	['one field of 64 KiB', get(`X: ${'a'.repeat(65536)}\r\n`), 431, CLOSED],
	['many large fields', get(`X: ${'a'.repeat(4000)}\r\n`.repeat(20)), 431, CLOSED],
	['field that never ends', `GET / HTTP/1.1\r\n${H}X: ${'a'.repeat(300000)}`, 431, CLOSED],

	/* ---- the request line ---- */
	['target of 64 KiB', `GET /${'a'.repeat(65536)} HTTP/1.1\r\n${H}\r\n`, 414, CLOSED],
	['no version', `GET /\r\n${H}\r\n`, 400, CLOSED],
	['HTTP/0.9', 'GET /\r\n\r\n', 400, CLOSED],
	['version 2.0', `GET / HTTP/2.0\r\n${H}\r\n`, 505, CLOSED],
	['version 1.2', `GET / HTTP/1.2\r\n${H}\r\n`, 505, CLOSED],
	['version 0.9', `GET / HTTP/0.9\r\n${H}\r\n`, 505, CLOSED],
	['version in small letters', `GET / http/1.1\r\n${H}\r\n`, 400, CLOSED],
	['version 1.10', `GET / HTTP/1.10\r\n${H}\r\n`, 400, CLOSED],
	['other protocol', `GET / RTSP/1.0\r\n${H}\r\n`, 400, CLOSED],
	['HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, CLOSED],
	['two spaces', `GET  / HTTP/1.1\r\n${H}\r\n`, 400, CLOSED],
	['tab for a space', `GET\t/\tHTTP/1.1\r\n${H}\r\n`, 400, CLOSED],
	['space at the end of the line', `GET / HTTP/1.1 \r\n${H}\r\n`, 400, CLOSED],
	['space before the method', ` GET / HTTP/1.1\r\n${H}\r\n`, 400, CLOSED],
	['space in the target', `GET /a b HTTP/1.1\r\n${H}\r\n`, 400, CLOSED],
	['NUL in the target', `GET /a\0b HTTP/1.1\r\n${H}\r\n`, 400, CLOSED],
	['byte above 127 in the target', `GET /\xe9 HTTP/1.1\r\n${H}\r\n`, 400, CLOSED],
	['fragment in the target', `GET /a#b HTTP/1.1\r\n${H}\r\n`, 400, CLOSED],
	['relative target', `GET a/b HTTP/1.1\r\n${H}\r\n`, 400, CLOSED],
	['empty target', `GET HTTP/1.1\r\n${H}\r\n`, 400, CLOSED],
	['* for GET', `GET * HTTP/1.1\r\n${H}\r\n`, 400, CLOSED],
	['OPTIONS *', `OPTIONS * HTTP/1.1\r\n${H}\r\n`, 501, OPEN],
	['method with a bracket', `GE[T / HTTP/1.1\r\n${H}\r\n`, 400, CLOSED],
	['unknown method', `FROBNICATE / HTTP/1.1\r\n${H}\r\n`, 501, CLOSED],
	['method in small letters', `get / HTTP/1.1\r\n${H}\r\n`, 501, CLOSED],
	['CONNECT', 'CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443\r\n\r\n', 501, CLOSED],
	['TRACE', `TRACE / HTTP/1.1\r\n${H}\r\n`, 405, OPEN],
	['a TLS greeting', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400, CLOSED],
	['many empty lines', '\r\n'.repeat(50) + get(''), 400, CLOSED],

	/* ---- Host ---- */
	['no Host', 'GET / HTTP/1.1\r\n\r\n', 400, CLOSED],
	['two Hosts', get(H), 400, CLOSED],
	['two Hosts that differ', get('Host: evil.example\r\n'), 400, CLOSED],
	['empty Host', get('', 'Host: \r\n'), 400, CLOSED],
	['Host with a path', get('', 'Host: localhost/x\r\n'), 400, CLOSED],
	['Host with userinfo', get('', 'Host: a@localhost\r\n'), 400, CLOSED],
	['Host with a bad port', get('', 'Host: localhost:99999\r\n'), 400, CLOSED],
	['Host with a port of words', get('', 'Host: localhost:http\r\n'), 400, CLOSED],
	['Host with a space', get('', 'Host: local host\r\n'), 400, CLOSED],
	['Host list', get('', 'Host: localhost, evil.example\r\n'), 400, CLOSED],
	['Host with a broken bracket', get('', 'Host: [::1\r\n'), 400, CLOSED],
	['DNS rebinding: foreign name', get('', 'Host: evil.example\r\n'), 421, OPEN],
	['DNS rebinding: our name as a prefix', get('', 'Host: localhost.evil.example\r\n'), 421, OPEN],
	['DNS rebinding: another address', get('', 'Host: 192.0.2.1\r\n'), 421, OPEN],
	['DNS rebinding on /.holdfast/', 'GET /.holdfast/status HTTP/1.1\r\nHost: evil.example\r\n\r\n', 421, OPEN],
	['DNS rebinding by an absolute target', `GET http://evil.example/ HTTP/1.1\r\n${H}\r\n`, 421, OPEN],
	['absolute target wins over Host', 'GET http://localhost/ HTTP/1.1\r\nHost: evil.example\r\n\r\n', 200, OPEN],
	['absolute target without Host', 'GET http://localhost/ HTTP/1.1\r\n\r\n', 400, CLOSED],
	['absolute https target', `GET https://localhost/ HTTP/1.1\r\n${H}\r\n`, 400, CLOSED],
	['absolute target with userinfo', `GET http://a@localhost/ HTTP/1.1\r\n${H}\r\n`, 400, CLOSED],
	['absolute ftp target', `GET ftp://localhost/ HTTP/1.1\r\n${H}\r\n`, 400, CLOSED],

	/* ---- /.holdfast/: other sites ---- */
	['another site cancels', ours(`DELETE /.holdfast/requests/${NOBODY}`, 'Origin: https://evil.example\r\n'), 403, OPEN],
	['origin null cancels', ours(`DELETE /.holdfast/requests/${NOBODY}`, 'Origin: null\r\n'), 403, OPEN],
	['another port cancels', ours(`DELETE /.holdfast/requests/${NOBODY}`, 'Origin: http://localhost:1\r\n'), 403, OPEN],
	['https of the same name cancels', ours(`DELETE /.holdfast/requests/${NOBODY}`, 'Origin: https://localhost\r\n'), 403, OPEN],
	['our name as a prefix cancels', ours(`DELETE /.holdfast/requests/${NOBODY}`, 'Origin: http://localhost.evil.example\r\n'), 403, OPEN],
	['two Origins', ours(`DELETE /.holdfast/requests/${NOBODY}`, 'Origin: http://localhost\r\nOrigin: https://evil.example\r\n'), 403, OPEN],
	['cross-site by fetch metadata', ours('POST /.holdfast/sync-now', 'Sec-Fetch-Site: cross-site\r\nContent-Length: 0\r\n'), 403, OPEN],
	['same-site is not same-origin', ours('POST /.holdfast/sync-now', 'Sec-Fetch-Site: same-site\r\nContent-Length: 0\r\n'), 403, OPEN],
	['another site reads', ours('GET /.holdfast/requests', 'Origin: https://evil.example\r\n'), 403, OPEN],
	['a preflight', ours('OPTIONS /.holdfast/requests', 'Origin: https://evil.example\r\nAccess-Control-Request-Method: DELETE\r\n'), 403, OPEN],

	/* ---- /.holdfast/: paths ---- */
	['escaped dot', ours('GET /%2eholdfast/status'), 400, OPEN],
	['escaped slash', ours('GET /.holdfast%2fstatus'), 400, OPEN],
	['two slashes', ours('GET //.holdfast/status'), 400, OPEN],
	['dot segment', ours('GET /./.holdfast/status'), 400, OPEN],
	['up and down', ours('GET /a/../.holdfast/status'), 400, OPEN],
	['escaped up and down', ours('GET /a/%2e%2e/.holdfast/status'), 400, OPEN],
	['escaped twice', ours('GET /%252eholdfast/status'), 400, OPEN],
	['backslash', ours('GET /a\\..\\.holdfast/status'), 400, OPEN],
	['capitals', ours('GET /.Holdfast/status'), 400, OPEN],
	['path parameter', ours('GET /.holdfast;x/status'), 400, OPEN],
	['escaped letters', ours('GET /.%68oldfast/status'), 400, OPEN],
	['out of ours by dots', ours('GET /.holdfast/../x'), 400, OPEN, { orOrigin: true }],
	['dots inside ours', ours('GET /.holdfast/requests/../status'), 404, OPEN],
	['another name is the origin\'s', ours('GET /.holdfastly/x'), 200, OPEN],
	['behind the first segment it is the origin\'s', ours('GET /a/.holdfast/status'), 200, OPEN],

	/* ---- /.holdfast/: resources ---- */
	['the root of ours', ours('GET /.holdfast/'), 404, OPEN],
	['unknown resource', ours('GET /.holdfast/nothing'), 404, OPEN],
	['slash behind a resource', ours('GET /.holdfast/status/'), 404, OPEN],
	['an id that was never given', ours(`GET /.holdfast/requests/${NOBODY}`), 404, OPEN],
	['the answer of an unknown id', ours(`GET /.holdfast/requests/${NOBODY}/response`), 404, OPEN],
	['cancel of an unknown id', ours(`DELETE /.holdfast/requests/${NOBODY}`), 404, OPEN],
	['an id that is none', ours('GET /.holdfast/requests/1'), 404, OPEN],
	['an id with SQL in it', ours("GET /.holdfast/requests/'%20OR%201=1--"), 404, OPEN],
	['an id of 4 KiB', ours(`GET /.holdfast/requests/${'A'.repeat(4096)}`), 404, OPEN],
	['DELETE on the list', ours('DELETE /.holdfast/requests'), 405, OPEN, { allow: true }],
	['POST on the list', ours('POST /.holdfast/requests', 'Content-Length: 0\r\n'), 405, OPEN, { allow: true }],
	['PUT on a request', ours(`PUT /.holdfast/requests/${NOBODY}`, 'Content-Length: 0\r\n'), 405, OPEN, { allow: true }],
	['POST on an answer', ours(`POST /.holdfast/requests/${NOBODY}/response`, 'Content-Length: 0\r\n'), 405, OPEN, { allow: true }],
	['POST on status', ours('POST /.holdfast/status', 'Content-Length: 0\r\n'), 405, OPEN, { allow: true }],
	['DELETE on events', ours('DELETE /.holdfast/events'), 405, OPEN, { allow: true }],
	['GET on sync-now', ours('GET /.holdfast/sync-now'), 405, OPEN, { allow: true }],
	['PATCH on client.js', ours('PATCH /.holdfast/client.js', 'Content-Length: 0\r\n'), 405, OPEN, { allow: true }],
	['a page retries: the operator\'s', ours(`POST /.holdfast/requests/${NOBODY}/retry`, 'Content-Length: 0\r\n'), 403, OPEN],
	['a page exports: the operator\'s', ours('GET /.holdfast/export'), 403, OPEN],
	['a page checks the store: the operator\'s', ours('POST /.holdfast/store/check', 'Content-Length: 0\r\n'), 403, OPEN],

	/* ---- queued routes ---- */
	['two idempotency keys', post('Idempotency-Key: a\r\nIdempotency-Key: b\r\nContent-Length: 0\r\n'), 400, OPEN],
	['a key of 4 KiB', post(`Idempotency-Key: ${'k'.repeat(4096)}\r\nContent-Length: 0\r\n`), 400, OPEN],
	['a queued body past the limit', post('Content-Length: 99999999999\r\n', 'ab'), 413, CLOSED],
];

async function world(x) {
	const origin = await Origin.create(x);
	const daemon = await Daemon.create(x, { origin,
		manifest: { name: 'k', version: '1', routes: [queuedRoute('/api/orders', 'orders')] } });
	return { origin, daemon };
}

/* What differs from what is expected, or null. */
async function check(daemon, origin, [what, bytes, status, closes, options = {}]) {
	const raw = await Raw.open(daemon.port);
	const before = origin.requests;
	try {
		raw.send(bytes);
		const answer = await raw.answer({ ms: 30000 });
		if (!answer)
			return `${what}: no answer (connection ${raw.ended ? 'closed' : 'open'})`;
		if (answer.status !== status && !(options.orOrigin && answer.status === 200))
			return `${what}: ${answer.status} ${answer.body.toString().trim()}, expected ${status}`;
		if (answer.status >= 400 && answer.headers['content-type'] !== 'application/problem+json')
			return `${what}: not a problem document`;
		if (answer.status >= 400 && JSON.parse(answer.body).status !== status)
			return `${what}: the document says another status`;
		if (options.allow && !answer.headers.allow)
			return `${what}: no Allow`;
		if (answer.headers['access-control-allow-origin'])
			return `${what}: a CORS field of ours`;
		if (answer.status >= 400 && origin.requests !== before)
			return `${what}: reached the origin`;
		if (closes) {
			if (!await raw.closed())
				return `${what}: the connection stays open`;
			return raw.bytes.length === 0 ? null : `${what}: more than one answer`;
		}
		raw.send(get(''));
		const next = await raw.answer({ ms: 30000 });
		return next?.status === 200 ? null : `${what}: the connection does not go on (${next?.status ?? 'closed'})`;
	} finally {
		raw.close();
	}
}

test('each is refused as it should be, and the daemon serves on', { seconds: 90 }, async (x) => {
	const { origin, daemon } = await world(x);
	const wrong = [];
	for (const c of cases) {
		const fault = await check(daemon, origin, c);
		if (fault)
			wrong.push(fault);
		if (!daemon.running) {
			wrong.push(`${c[0]}: the daemon ended`);
			break;
		}
		if ((await daemon.get('/still')).status !== 200)
			wrong.push(`${c[0]}: the daemon does not serve any more`);
	}
	assert.ok(!origin.got('/smuggled').length, 'a smuggled request reached the origin');
	x.say(`hostile requests: ${cases.length} sent, ${cases.length - wrong.length} answered as expected`);
	assert.ok(cases.length >= 60);
	assert.deepEqual(wrong, []);
});

test('byte by byte they get the same answers', { seconds: 90 }, async (x) => {
	const { origin, daemon } = await world(x);
	const wrong = [];
	const small = cases.filter((c) => c[1].length < 300 && c[2] < 500);
	/* Pieces of some bytes, a write each. */
	await Promise.all([0, 1, 2, 3].map(async (lane) => {
		for (let i = lane; i < small.length; i += 4) {
			const [what, bytes, status] = small[i];
			const raw = await Raw.open(daemon.port);
			for (let at = 0; at < bytes.length && !raw.ended; at += 7) {
				raw.send(bytes.slice(at, at + 7));
				await new Promise(setImmediate);
			}
			const answer = await raw.answer({ ms: 30000 });
			if (answer?.status !== status && !(small[i][4]?.orOrigin && answer?.status === 200))
				wrong.push(`${what}: ${answer?.status}, expected ${status}`);
			raw.close();
		}
	}));
	assert.deepEqual(wrong, []);
	assert.ok(!origin.got('/smuggled').length);
});

test('a head that comes slowly is ended with 408', { seconds: 60 }, async (x) => {
	const { daemon } = await world(x);
	const raw = await Raw.open(daemon.port);
	const begin = performance.now();
	raw.send('GET / HTTP/1.1\r\n');
	const timer = setInterval(() => raw.send('X: 1\r\n'), 500);
	x.defer(() => clearInterval(timer));
	const answer = await raw.answer({ ms: 40000 });
	const seconds = (performance.now() - begin) / 1000;
	assert.equal(answer?.status, 408);
	assert.ok(seconds < 30, `${seconds} s`);
	clearInterval(timer);
	assert.ok(await raw.closed());
});

test('200 slow heads do not keep a panel out', async (x) => {
	const { daemon } = await world(x);
	const slow = await Promise.all(Array.from({ length: 200 }, async () => {
		const raw = await Raw.open(daemon.port);
		raw.send('GET / HT');
		return raw;
	}));
	for (let i = 0; i < 10; i++)
		assert.equal((await daemon.get('/')).status, 200);
	slow.forEach((raw) => raw.close());
});

test('a peer that sends and never reads does not fill the memory', { seconds: 40 }, async (x) => {
	const { daemon } = await world(x);
	await daemon.get('/.holdfast/status');
	const before = daemon.rssKb();
	const raw = await Raw.open(daemon.port);
	raw.socket.pause();
	const one = get('');
	for (let i = 0; i < 200; i++) {
		raw.send(one.repeat(1000));
		await sleep(5);
	}
	await sleep(500);
	const growth = daemon.rssKb() - before;
	raw.close();
	assert.ok(growth < (sanitized ? 256 : 8) * 1024, `${growth} kB`);
	assert.equal((await daemon.get('/')).status, 200);
});

test('an answer of ours names no software versions and leaks no address', async (x) => {
	const { daemon } = await world(x);
	const answer = await daemon.get('/.holdfast/nothing');
	assert.equal(answer.headers.server, undefined);
	assert.equal(answer.headers['x-powered-by'], undefined);
});

suite('hostile', 3);
