/* SPDX-License-Identifier: Apache-2.0 */
/* What a CoAP origin may do wrong, or otherwise than most, and what becomes of the request. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test, suite, until } from './lib/harness.mjs';
import { CoapPeer, OPTION, block, number } from './lib/coap_peer.mjs';
import { kiosk, text } from './lib/coap_server.mjs';

const skip = process.env.HF_COAP ? false : 'built without CoAP';

/* A daemon before an origin of which @handler says every message. */
async function origin(x, handler, keys = {}) {
	const peer = await CoapPeer.create(x, handler);
	const { daemon } = await kiosk(x, { server: peer, scheme: 'coap', 'first-byte-timeout-ms': 30000, ...keys });
	return { peer, daemon };
}

/* ---- a single message ---- */

/* Status and fields of a GET's answer when the origin's is @answer. */
const answers = [
	['2.05 with a tag and an age', { code: '2.05', payload: '{}', options: [[OPTION.etag, Buffer.from([0x1a, 0x2b])],
		[OPTION.format, 50], [OPTION.maxAge, 9]] }, 200,
	{ etag: '"1a2b"', 'content-type': 'application/json', 'cache-control': 'max-age=9' }],
	['deflated JSON', { code: '2.05', payload: 'x', options: [[OPTION.format, 11050]] }, 200,
		{ 'content-type': 'application/json', 'content-encoding': 'deflate' }],
	['4.01', { code: '4.01' }, 403, {}],
	['4.04 with words', { code: '4.04', payload: 'no such shelf' }, 404, { 'content-type': 'text/plain;charset=utf-8' }],
	['4.05', { code: '4.05' }, 400, {}],
	['4.29 with an age', { code: '4.29', options: [[OPTION.maxAge, 11]] }, 429, { 'retry-after': '11' }],
	['5.03 with an age', { code: '5.03', options: [[OPTION.maxAge, 7]] }, 503, { 'retry-after': '7' }],
	['5.03 without', { code: '5.03' }, 503, { 'retry-after': '60' }],
	['5.05', { code: '5.05' }, 502, {}],
	['a code of no class', { code: '3.01' }, 502, {}],
	['2.31 to no block', { code: '2.31' }, 502, {}],
	['a critical option that nobody knows', { code: '2.05', payload: 'x', options: [[65001, 'y']] }, 502, {}],
	['a block that is not the first', { code: '2.05', payload: 'x', options: [[OPTION.block2, block(1, false, 6)]] }, 502, {}],
	['a reset', { type: 'RST', code: '0.00', token: '' }, 502, {}],
];

test('answers to a GET', { skip }, async (x) => {
	const { daemon } = await origin(x, (m, reply) => reply(answers[Number(m.path.slice(2))][1]));
	for (const [i, [what, , status, fields]] of answers.entries()) {
		const answer = await daemon.get(`/n${i}`);
		assert.equal(answer.status, status, `${what}: ${answer.status} ${answer.text}`);
		for (const [name, value] of Object.entries(fields))
			assert.equal(answer.headers[name], value, `${what}: ${name}`);
	}
});

test('where it was made, what it is, and methods of their own', { skip }, async (x) => {
	const { peer, daemon } = await origin(x, (m, reply) => reply(m.method === 'POST' ?
		{ code: '2.01', options: [[OPTION.locationPath, 'shelf'], [OPTION.locationPath, 'a b'],
			[OPTION.locationQuery, 'x=1']] } :
		m.get(OPTION.size2) ? { code: '2.05', payload: 'x'.repeat(1024), options: [[OPTION.block2, block(0, true, 6)],
			[OPTION.size2, 5000]] } :
			{ code: '2.05', payload: m.payload }));
	const made = await daemon.post('/shelf', 'tea', text);
	assert.equal(made.status, 201);
	assert.equal(made.headers.location, '/shelf/a%20b?x=1');
	const head = await daemon.request({ method: 'HEAD', path: '/large' });
	assert.equal(head.headers['content-length'], '5000');
	assert.equal(peer.requests.at(-1).method, 'GET');
	const found = await daemon.request({ method: 'QUERY', path: '/search', body: '{}',
		headers: { 'Content-Type': 'application/json' } });
	assert.equal(peer.requests.at(-1).method, 'FETCH');
	assert.equal(found.text, '{}');
	await daemon.request({ method: 'PATCH', path: '/shelf', body: '{}',
		headers: { 'Content-Type': 'application/merge-patch+json' } });
	assert.equal(peer.requests.at(-1).method, 'PATCH');
	assert.equal(number(peer.requests.at(-1).get(OPTION.format)), 52);
});

/* ---- messages that are lost, late and doubled ---- */

test('an answer of its own behind an empty acknowledgement, and said twice', { skip }, async (x) => {
	const { peer, daemon } = await origin(x, (m, reply, from) => {
		peer.send(from, { type: 'ACK', id: m.id });
		for (let i = 0; i < 2; i++)
			peer.send(from, { type: 'CON', id: 7000 + peer.requests.length, code: '2.05', token: m.token, payload: 'late' });
	});
	assert.equal((await daemon.get('/a')).text, 'late');
	await until(() => peer.others.some((m) => m.type === 'ACK' && m.id === 7001), { what: 'its acknowledgement' });
	assert.equal((await daemon.get('/b')).text, 'late');
	assert.equal(peer.requests.length, 2);
});

test('a message that is lost is said again, as the same', { skip }, async (x) => {
	const { peer, daemon } = await origin(x, (m, reply) => {
		if (peer.requests.length > 1)
			reply({ code: '2.04' });
	});
	assert.equal((await daemon.request({ method: 'PUT', path: '/a', body: 'x', headers: text })).status, 204);
	assert.equal(peer.requests.length, 2);
	assert.equal(peer.requests[0].id, peer.requests[1].id);
});

test('an answer with another token is none', { skip }, async (x) => {
	const { daemon } = await origin(x, (m, reply) => {
		reply({ type: 'NON', id: 5, code: '2.05', token: '6666', payload: 'wrong' });
		reply({ code: '2.05', payload: 'right' });
	});
	assert.equal((await daemon.get('/a')).text, 'right');
});

test('silence: a page hears so, and a queued request is tried again under its key', { skip }, async (x) => {
	let silent = true;
	const { peer, daemon } = await origin(x, (m, reply) => silent || reply({ code: '2.04' }),
		{ 'first-byte-timeout-ms': 1500 });
	assert.equal((await daemon.get('/a')).status, 504);
	const queued = await daemon.post('/orders', 'tea', text);
	assert.equal(queued.status, 202, queued.text);
	silent = false;
	await daemon.state(queued.json().id, 'settled', 60000);
	const keys = new Set(peer.requests.filter((m) => m.method === 'POST').map((m) => m.query.join()));
	assert.deepEqual([...keys], [`idempotency-key=${queued.json().idempotencyKey}`]);
});

test('a key in a field of the route its own goes there as well, live and later', { skip }, async (x) => {
	const peer = await CoapPeer.create(x, (m, reply) => reply({ code: peer.requests.length === 1 ? '5.03' : '2.04',
		options: [[OPTION.maxAge, 1]] }));
	const { daemon } = await kiosk(x, { server: peer, policy: { keyHeader: 'X-Order' } });
	const queued = await daemon.post('/orders', 'tea', { ...text, 'X-Order': '"k-9"' });
	assert.equal(queued.status, 202, queued.text);
	await daemon.state(queued.json().id, 'settled', 60000);
	assert.deepEqual(peer.requests.map((m) => m.query.join()), ['idempotency-key=k-9', 'idempotency-key=k-9']);
});

test('what may have arrived is not sent again where the route says never', { skip }, async (x) => {
	const peer = await CoapPeer.create(x, (m, reply) => reply({ type: 'RST', code: '0.00', token: '' }));
	const { daemon } = await kiosk(x, { server: peer, policy: { idempotency: 'never' } });
	const answer = await daemon.post('/orders', 'tea', text);
	assert.equal(answer.status, 202, answer.text);
	assert.equal(answer.json().state, 'held');
	assert.equal(peer.requests.length, 1);
});

test('a busy origin is asked again when it says', { skip }, async (x) => {
	const times = [];
	const { daemon } = await origin(x, (m, reply) => {
		times.push(performance.now());
		reply(times.length === 1 ? { code: '5.03', options: [[OPTION.maxAge, 3]] } : { code: '2.04' });
	});
	const queued = await daemon.post('/orders', 'tea', text);
	assert.equal(queued.status, 202, queued.text);
	await daemon.state(queued.json().id, 'settled', 60000);
	assert.ok(times[1] - times[0] >= 2900, `${times[1] - times[0]} ms later`);
});

/* ---- blocks ---- */

const large = Buffer.alloc(5000, 'abcdefghij');
const put = (daemon, path = '/large') => daemon.request({ method: 'PUT', path, body: large, headers: text });

/* An origin that takes a body in blocks: what @first says to each before it does. */
async function store(x, first) {
	const s = { body: Buffer.alloc(0) };
	const made = await origin(x, (m, reply) => {
		const b = number(m.get(OPTION.block1)) ?? 6, num = b >> 4, szx = b & 7;
		const other = first(m, num, szx, s);
		if (other) {
			reply(other);
			return;
		}
		s.body = Buffer.concat([s.body.subarray(0, num << (szx + 4)), m.payload]);
		reply({ code: b & 8 ? '2.31' : '2.04', options: m.get(OPTION.block1) ? [[OPTION.block1, b]] : [] });
	});
	return Object.assign(s, made);
}

test('smaller blocks than ours, from the first on', { skip }, async (x) => {
	const s = await store(x, (m, num, szx) => (szx > 2 ?
		{ code: '4.13', options: [[OPTION.block1, block(0, true, 2)], [OPTION.size1, 64]] } : undefined));
	assert.equal((await put(s.daemon)).status, 204);
	assert.ok(large.equals(s.body));
});

test('smaller blocks than ours, from the second on', { skip }, async (x) => {
	const s = await store(x, (m, num, szx, self) => {
		if (szx !== 6)
			return undefined;
		self.body = m.payload;
		return { code: '2.31', options: [[OPTION.block1, block(0, true, 4)]] };
	});
	assert.equal((await put(s.daemon)).status, 204);
	assert.ok(large.equals(s.body));
});

test('a body that is too large is told to be so', { skip }, async (x) => {
	const s = await store(x, (m, num) => (num === 2 ? { code: '4.13', options: [[OPTION.size1, 2048]] } : undefined));
	assert.equal((await put(s.daemon)).status, 413);
	assert.equal(s.peer.requests.length, 3);
});

test('an origin that has forgotten the first blocks gets all of them again', { skip }, async (x) => {
	let forgets = true;
	const s = await store(x, (m, num) => {
		if (num !== 3 || !forgets)
			return undefined;
		forgets = false;
		return { code: '4.08' };
	});
	const queued = await put(s.daemon, '/orders/1');
	assert.equal(queued.status, 202, queued.text);
	await s.daemon.state(queued.json().id, 'settled', 60000);
	assert.ok(large.equals(s.body));
});

/* An origin makes its answer anew for each GET of the first block, under another tag, and does not know
 * a repetition: of @overtaken such questions its answers come late, when it has heard the repetition. */
async function remade(x, overtaken) {
	let tag = 0, first = [], left = overtaken;
	return origin(x, (m, reply) => {
		const num = (number(m.get(OPTION.block2)) ?? 6) >> 4;
		const answer = (t) => ({ code: '2.05', payload: large.subarray(num * 1024, num * 1024 + 1024),
			options: [[OPTION.etag, `t${t}`], [OPTION.format, 0], [OPTION.block2, block(num, num < 4, 6)]] });
		if (num > 0) {
			reply(answer(tag));
			return;
		}
		tag++;
		first = first.filter((one) => one.id === m.id);
		first.push({ id: m.id, tag });
		if (left > 0 && first.length === 1)
			return;
		if (first.length === 2)
			left--;
		for (const one of first)
			reply(answer(one.tag));
	});
}

for (const overtaken of [1, 2])
	test(`a first block that was asked for again, ${overtaken} times in a row: the body is whole`, { skip }, async (x) => {
		const { daemon, peer } = await remade(x, overtaken);
		const answer = await daemon.get('/large', { 'Cache-Control': 'no-cache' });
		assert.equal(answer.status, 200);
		assert.ok(large.equals(answer.body), `${answer.body.length} bytes`);
		const tags = new Set(peer.requests.map((m) => m.token));
		assert.equal(answer.headers.etag, `"${Buffer.from(`t${2 * overtaken + 1}`).toString('hex')}"`, [...tags].join());
	});

test('an answer that changes between its blocks is cut short', { skip }, async (x) => {
	const { daemon } = await origin(x, (m, reply) => {
		const num = (number(m.get(OPTION.block2)) ?? 6) >> 4;
		reply({ code: '2.05', payload: large.subarray(num * 1024, num * 1024 + 1024),
			options: [[OPTION.etag, num < 2 ? 'a' : 'b'], [OPTION.block2, block(num, num < 4, 6)]] });
	});
	const got = await new Promise((resolve) => {
		request({ port: daemon.port, host: daemon.host, path: '/large' }, (response) => {
			let n = 0;
			response.on('data', (d) => (n += d.length));
			response.on('error', () => resolve({ n, cut: true }));
			response.on('end', () => resolve({ n, cut: !response.complete }));
		}).end();
	});
	assert.ok(got.cut);
	assert.equal(got.n, 2048);
});

suite('CoAP origins: faults');
