/* SPDX-License-Identifier: Apache-2.0 */
/* The page's library, as served, in Node: against the daemon, and against answers made up here. */
import assert from 'node:assert/strict';
import { gunzipSync, gzipSync } from 'node:zlib';
import { test, suite, until } from './lib/harness.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon, queuedRoute } from './lib/daemon.mjs';
import { client } from './lib/client.mjs';

const GZIP_BYTES_MAX = 6144;

async function kiosk(x, { up = false, policy, sources, ...options } = {}) {
	const origin = await Origin.create(x, { start: up });
	const daemon = await Daemon.create(x, { origin, ...options, manifest: { name: 'kiosk', version: '1',
		routes: [queuedRoute('/api/orders', 'orders', policy), queuedRoute('/api/notes', 'notes', policy)] } });
	return { origin, daemon, ...await client(x, daemon, { sources }) };
}

/* Posts through the library: { id, request, answer (a promise) } once it is queued. */
function queue(k, path = '/api/orders', init = {}) {
	return new Promise((resolve, reject) => {
		const answer = k.holdfast.fetch(k.url(path), { method: 'POST', body: '{"item":"tea"}', ...init,
			onqueued: (id, request) => resolve({ id, request, answer }) });
		answer.then(() => reject(new Error('it was not queued')), reject);
	});
}

const idOf = (accepted) => accepted.headers.get('Location').split('/').at(-1);

/* The HoldfastError that @promise ends with. */
async function fails(k, promise, wanted) {
	const error = await promise.then(() => assert.fail('it succeeded'), (e) => e);
	assert.ok(error instanceof k.HoldfastError && error instanceof Error, `${error.stack}`);
	for (const [name, value] of Object.entries(wanted))
		assert.equal(error[name], value, `${name} of ${error.stack}`);
	return error;
}

test('it is served small, as a module, and once', async (x) => {
	const { daemon } = await kiosk(x);
	for (const [name, type] of [['client.js', 'text/javascript'], ['worker.js', 'text/javascript'],
		['client.d.ts', 'text/plain']]) {
		const path = `/.holdfast/${name}`;
		const plain = await daemon.get(path);
		const packed = await daemon.get(path, { 'Accept-Encoding': 'gzip, deflate, br' });
		assert.equal(plain.headers['content-type'], `${type}; charset=utf-8`);
		assert.equal(plain.headers['content-encoding'], undefined);
		assert.equal(packed.headers['content-encoding'], 'gzip');
		assert.ok(gunzipSync(packed.body).equals(plain.body));
		assert.notEqual(packed.headers.etag, plain.headers.etag);
		for (const answer of [plain, packed]) {
			assert.equal(answer.headers['x-content-type-options'], 'nosniff');
			const again = await daemon.get(path, { 'If-None-Match': answer.headers.etag,
				'Accept-Encoding': answer === packed ? 'gzip' : 'identity' });
			assert.equal(again.status, 304);
			assert.equal(again.body.length, 0);
		}
		const size = gzipSync(plain.body, { level: 9 }).length;
		x.say(`${name}: ${plain.body.length} bytes, ${size} gzipped`);
		assert.ok(size < GZIP_BYTES_MAX, `${size} bytes`);
	}
});

test('for importScripts it is the same as a script', async (x) => {
	const { daemon, holdfast } = await kiosk(x);
	const self = {};
	new Function('self', (await daemon.get('/.holdfast/worker.js')).text)(self);
	const names = (o) => [o, Object.getPrototypeOf(o)].flatMap((part) => Object.getOwnPropertyNames(part));
	assert.deepEqual(names(self.holdfast), names(holdfast));
});

test('an origin that is there answers itself', async (x) => {
	const k = await kiosk(x, { up: true });
	let queued = false;
	const answer = await k.holdfast.fetch(k.url('/api/orders'), { method: 'POST', body: '1',
		onqueued: () => (queued = true) });
	assert.equal(answer.status, 201);
	assert.equal(await answer.text(), '{"order":1}');
	assert.equal((await k.holdfast.fetch(new Request(k.url('/menu')))).status, 200);
	assert.equal(queued, false);
});

for (const sources of [true, false]) {
	test(`through an outage and a kill, ${sources ? 'with' : 'without'} an event stream`, { seconds: 60 }, async (x) => {
		const k = await kiosk(x, { sources });
		const { id, request, answer } = await queue(k);
		assert.equal(request.id, id);
		assert.equal(request.state, 'queued');
		assert.equal(request.tag, 'orders');
		assert.equal(request.idempotencyKey, (await k.daemon.record(id)).idempotencyKey);
		await k.daemon.restart();
		k.origin.answers.push({ status: 418, headers: { 'X-Pot': 'tea' }, body: 'short' });
		await k.origin.start();
		const response = await answer;
		assert.equal(response.status, 418);
		assert.equal(response.headers.get('X-Pot'), 'tea');
		assert.equal(await response.text(), 'short');
		assert.equal(k.origin.got('/api/orders').length, 1);
	});
}

test('a 202 of the origin is an answer, whatever it looks like', { seconds: 60 }, async (x) => {
	const k = await kiosk(x, { up: true });
	const like = { status: 202, body: '{"state":"queued"}', headers: { 'Holdfast-State': 'queued',
		Location: '/.holdfast/requests/01ARZ3NDEKTSV4RRFFQ69G5FAV' } };
	k.origin.answers.push(like);
	const live = await k.holdfast.fetch(k.url('/api/orders'), { method: 'POST', body: '1' });
	assert.equal(live.status, 202);
	assert.equal(await live.text(), '{"state":"queued"}');
	await k.origin.stop();
	const { answer } = await queue(k);
	k.origin.answers.push(like);
	await k.origin.start();
	assert.equal((await answer).status, 202);
	assert.equal(await (await answer).text(), '{"state":"queued"}');
});

test('a new page finds what waits, by tag, and gets the answers', { seconds: 60 }, async (x) => {
	const k = await kiosk(x);
	const first = await queue(k);
	const note = await queue(k, '/api/notes');
	await k.daemon.restart();
	const page = await client(x, k.daemon);
	assert.deepEqual((await page.holdfast.pending()).map((r) => r.id).sort(), [first.id, note.id].sort());
	const [found, ...others] = await page.holdfast.pending({ tag: 'notes' });
	assert.equal(others.length, 0);
	assert.equal(found.id, note.id);
	assert.equal(found.tag, 'notes');
	assert.equal(found.url, '/api/notes');
	assert.deepEqual(await page.holdfast.pending({ tag: 'none' }), []);
	const twice = [found.response, page.holdfast.answer(note.id)];
	assert.equal(found.response, twice[0]);
	await k.origin.start();
	for (const response of [...await Promise.all(twice), await note.answer, await first.answer])
		assert.match(await response.text(), /"order":\d/);
	assert.deepEqual(await page.holdfast.pending(), []);
	assert.match(await (await page.holdfast.answer(first.id)).text(), /"order":\d/);
});

test('more than a page of the list is found', { seconds: 60 }, async (x) => {
	const k = await kiosk(x);
	const ids = [];
	for (let i = 0; i < 130; i++)
		ids.push((await k.daemon.post(i % 3 ? '/api/orders' : '/api/notes')).json().id);
	assert.deepEqual((await k.holdfast.pending()).map((r) => r.id).sort(), ids.sort());
	assert.equal((await k.holdfast.pending({ tag: 'notes' })).length, 44);
});

test('a page sees the requests of its own origin', async (x) => {
	const worker = (name) => ({ name, origin: name, manifest: { name, version: '1',
		routes: [queuedRoute('/api/orders', name)] } });
	const shop = await Origin.create(x, { start: false }), bank = await Origin.create(x, { start: false });
	const daemon = await Daemon.create(x, { workers: [worker('shop'), worker('bank')],
		origins: [{ name: 'shop', url: shop.url }, { name: 'bank', url: bank.url }] });
	const ids = {};
	for (const host of ['localhost', 'bank.localhost']) {
		const said = await daemon.post('/api/orders', '1', { Host: host });
		ids[host] = said.json().id;
	}
	for (const host of ['localhost', 'bank.localhost']) {
		const list = (await daemon.get('/.holdfast/requests', { Host: host })).json();
		assert.deepEqual(list.requests.map((r) => r.id), [ids[host]], host);
		assert.equal(list.next, null);
	}
	const all = JSON.parse((await daemon.cli('--json', 'queue', 'list')).stdout);
	assert.equal(all.requests.length, 2);
});

test('abort ends the waiting, not the request', { seconds: 60 }, async (x) => {
	const k = await kiosk(x);
	const stop = new AbortController();
	const { id, answer } = await queue(k, '/api/orders', { signal: stop.signal });
	const other = k.holdfast.answer(id);
	const reason = new Error('the guest left');
	stop.abort(reason);
	await assert.rejects(answer, reason);
	await assert.rejects(k.holdfast.answer(id, { signal: stop.signal }), reason);
	await assert.rejects(k.holdfast.fetch(k.url('/api/orders'), { method: 'POST', signal: AbortSignal.abort() }),
		{ name: 'AbortError' });
	await k.origin.start();
	assert.equal((await other).status, 201);
});

test('cancelled by another page', async (x) => {
	const k = await kiosk(x);
	const first = await queue(k);
	const second = await client(x, k.daemon);
	const [found] = await second.holdfast.pending();
	const seen = fails(k, first.answer, { state: 'cancelled', id: first.id, status: 410 });
	await found.cancel();
	await seen;
	await fails(second, found.response, { state: 'cancelled', id: first.id });
	await fails(second, found.cancel(), { state: 'cancelled', status: 409 });
	await k.origin.start();
	await fails(k, k.holdfast.cancel('01ARZ3NDEKTSV4RRFFQ69G5FAV'), { state: 'unknown', status: 404 });
	assert.equal(k.origin.got('/api/orders').length, 0);
});

test('given up without an answer: the reason; with one: the answer', { seconds: 60 }, async (x) => {
	const k = await kiosk(x, { policy: { maxAgeSeconds: 2 } });
	const { id, answer } = await queue(k);
	const error = await fails(k, answer, { state: 'dead', reason: 'expired', id, status: 410 });
	assert.match(error.message, /expired/);
	const other = await kiosk(x);
	const refused = await queue(other);
	other.origin.answers.push({ status: 422, body: 'no such table' });
	await other.origin.start();
	assert.equal((await refused.answer).status, 422);
	assert.equal((await other.daemon.record(refused.id)).state, 'dead');
	assert.equal(await (await refused.answer).text(), 'no such table');
});

test('what Holdfast refuses is an error with its reason', async (x) => {
	const k = await kiosk(x, { policy: { maxEntries: 1 } });
	await fails(k, k.holdfast.fetch(k.url('/menu')), { state: 'refused', reason: 'connection_refused', status: 502, id: null });
	const held = await queue(k);
	const given = fails(k, held.answer, { state: 'cancelled' });
	const full = await fails(k, queue(k), { state: 'refused', reason: 'proxy_internal_response', status: 503 });
	assert.match(full.message, /lane/);
	await fails(k, k.holdfast.answer('01ARZ3NDEKTSV4RRFFQ69G5FAV'), { state: 'unknown', status: 404 });
	await held.request.cancel();
	await given;
	await k.daemon.kill();
	await fails(k, k.holdfast.pending(), { state: 'unavailable' });
});

test('an id that an operator replaced leads to the new answer', { seconds: 60 }, async (x) => {
	const k = await kiosk(x);
	const { id, request, answer } = await queue(k);
	await request.cancel();
	await fails(k, answer, { state: 'cancelled' });
	const retried = await k.daemon.cli('--json', 'queue', 'retry', id);
	assert.equal(retried.code, 0, retried.stderr);
	const later = k.holdfast.answer(id);
	await k.daemon.restart();
	await k.origin.start();
	assert.equal(await (await later).text(), '{"order":1}');
});

test('a stream as the body', { seconds: 60 }, async (x) => {
	const k = await kiosk(x);
	const pieces = ['one ', 'two ', 'three'];
	const stream = () => new ReadableStream({ async pull(c) {
		const piece = pieces.shift();
		return piece ? c.enqueue(new TextEncoder().encode(piece)) : c.close();
	} });
	const { answer } = await queue(k, '/api/orders', { body: stream(), duplex: 'half' });
	await k.origin.start();
	await answer;
	assert.equal(k.origin.got('/api/orders')[0].body.toString(), 'one two three');
	const stop = new AbortController();
	const never = k.holdfast.fetch(k.url('/api/orders'), { method: 'POST', signal: stop.signal, duplex: 'half',
		body: new ReadableStream({}) });
	stop.abort();
	await assert.rejects(never, { name: 'AbortError' });
});

test('events: of every request, gaps after a new start, until they are not wanted', { seconds: 60 }, async (x) => {
	const k = await kiosk(x);
	const seen = [];
	const ends = ['change', 'queued', 'settled', 'gap'].map((type) => k.holdfast.on(type, (e) => {
		seen.push(`${type}:${e.type}`);
		if (type === 'queued')
			throw new Error('a listener that fails');
	}));
	assert.throws(() => k.holdfast.on('settle', () => {}), TypeError);
	const { error } = console;
	console.error = () => {};
	x.defer(() => (console.error = error));
	await until(() => k.EventSource.open.size === 1 && [...k.EventSource.open][0].readyState === 1);
	await queue(k);
	await until(() => seen.length >= 2);
	assert.deepEqual(seen.splice(0).sort(), ['change:queued', 'queued:queued']);
	await k.daemon.restart();
	await until(() => seen.includes('gap:gap'));
	await k.origin.start();
	await until(() => seen.includes('settled:settled') && seen.includes('change:settled'));
	ends.forEach((end) => end());
	await until(() => k.EventSource.open.size === 0);
	assert.equal(k.EventSource.made, 1);
});

test('many wait over one stream, and are looked at one by one', { seconds: 90 }, async (x) => {
	const k = await kiosk(x);
	let now = 0, most = 0;
	const counted = async (url, init) => {
		const ours = String(url).endsWith('/response');
		most = Math.max(most, now += ours);
		return fetch(url, init).finally(() => (now -= ours));
	};
	const holdfast = new k.Holdfast({ base: k.url('/.holdfast/'), fetch: counted, EventSource: k.EventSource });
	const requests = await Promise.all(Array.from({ length: 150 }, () => queue({ ...k, holdfast })));
	await k.daemon.restart();
	await k.origin.start();
	const texts = await Promise.all(requests.map(async (r) => (await r.answer).text()));
	assert.equal(new Set(texts).size, 150);
	assert.equal(k.EventSource.made, 1);
	assert.equal(most, 1);
	await until(() => k.EventSource.open.size === 0);
});

/* ---- with answers made up here ---- */

const ours = (status, state, body = {}) => new Response(JSON.stringify(body),
	{ status, headers: { 'Holdfast-State': state, Location: '/.holdfast/requests/01ARZ3NDEKTSV4RRFFQ69G5FAV' } });

test('it goes on asking while Holdfast is busy or away', async (x) => {
	const k = await kiosk(x);
	const answers = [ours(202, 'queued'), ours(503, 'refused'), new TypeError('away'), ours(202, 'inflight'),
		new Response('made', { status: 201 })];
	const holdfast = new k.Holdfast({ EventSource: undefined, fetch: async () => {
		const next = answers.shift();
		if (next instanceof Error)
			throw next;
		return next;
	} });
	assert.equal(await (await holdfast.fetch('/api/orders', { method: 'POST' })).text(), 'made');
	assert.equal(answers.length, 0);
});

test('what is being sent is cancelled when the attempt is over, if there is time to', async (x) => {
	const k = await kiosk(x);
	const id = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
	const said = (status, body = {}, state = 'refused') =>
		new Response(JSON.stringify(body), { status, headers: { 'Holdfast-State': state } });
	const busy = said.bind(null, 409, { detail: 'The request is being sent at this moment.' });
	const asked = (answers) => {
		const holdfast = new k.Holdfast({ EventSource: undefined, fetch: async (url, { method = 'GET' } = {}) => {
			asks.push(method);
			return (answers.shift() ?? (() => said(500)))();
		} });
		const asks = [];
		return { asks, cancelled: holdfast.cancel(id) };
	};
	const state = (name) => () => said(200, { state: name });

	const later = asked([busy, state('inflight'), busy, state('queued'), () => said(200)]);
	await later.cancelled;
	assert.deepEqual(later.asks, ['DELETE', 'GET', 'DELETE', 'GET', 'DELETE']);
	const late = asked([busy, state('inflight'), busy, state('settled')]);
	await fails(k, late.cancelled, { state: 'settled', status: 409 });
	assert.deepEqual(late.asks, ['DELETE', 'GET', 'DELETE', 'GET']);
	const never = asked(Array.from({ length: 1000 }, (_, i) => (i % 2 ? state('inflight') : busy)));
	await fails(k, never.cancelled, { state: 'inflight', status: 409 });
	assert.ok(never.asks.length > 10 && never.asks.length < 100, `${never.asks.length} calls`);
});

test('a stream that was refused is opened again', async (x) => {
	const k = await kiosk(x);
	const made = [];
	class Refused extends EventTarget {
		constructor() {
			super();
			made.push(this);
			this.readyState = made.length < 2 ? 2 : 1;
			setTimeout(() => (this.readyState === 2 ? this.onerror() : this.onopen()));
		}
		close() {
			this.readyState = 2;
		}
	}
	let settled = false;
	const holdfast = new k.Holdfast({ EventSource: Refused,
		fetch: async () => (settled ? new Response('made') : ours(202, 'queued')) });
	const gaps = [];
	const end = holdfast.on('gap', (e) => gaps.push(e.type));
	const answer = holdfast.answer('01ARZ3NDEKTSV4RRFFQ69G5FAV');
	await until(() => made.length === 2 && gaps.length === 1);
	settled = true;
	made[1].dispatchEvent(Object.assign(new Event('settled'),
		{ data: '{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV"}', lastEventId: 'a-1' }));
	assert.equal(await (await answer).text(), 'made');
	end();
	await until(() => made[1].readyState === 2);
});

test('a request waits for another one, and takes its number', async (x) => {
	const origin = await Origin.create(x, { start: false });
	const daemon = await Daemon.create(x, { origin, manifest: { name: 'kiosk', version: '1', routes: [
		queuedRoute('/api/orders', 'orders'), queuedRoute('/api/orders/:id/lines', 'lines')] } });
	const k = { origin, daemon, ...await client(x, daemon) };
	origin.handler = (req, res, arrival, o) =>
		o.reply(req, res, arrival, { body: '{"id":"n/17"}', headers: { Location: '/api/orders/18' } });
	const order = await queue(k);
	const plain = await fetch(k.url('/api/orders'), { method: 'POST', body: '{}' });
	const line = (after, from) => queue(k, '/api/orders/{holdfast:order}/lines',
		{ body: '["{holdfast:order}"]', headers: { 'Content-Type': 'application/json' }, after, values: { order: from } });

	assert.equal(plain.status, 202);
	const first = await line(order.id, '/id');
	const lines = [first, await line(order.request, 'location'), await line(plain, '/id'),
		await queue(k, '/api/orders', { after: first.id })];
	assert.deepEqual((await k.holdfast.pending()).map((r) => r.after).filter(Boolean).sort(),
		[order.id, order.id, idOf(plain), first.id].sort());
	await origin.start();
	for (const { answer } of lines)
		assert.equal((await answer).status, 201);
	assert.deepEqual(origin.got().filter((a) => a.url !== '/api/orders').map((a) => `${a.url} ${a.body}`).sort(),
		['/api/orders/18/lines ["18"]', '/api/orders/n%2F17/lines ["n/17"]', '/api/orders/n%2F17/lines ["n/17"]']);
	await fails(k, k.holdfast.fetch(k.url('/api/orders'), { method: 'POST', after: 'nonsense' }),
		{ state: 'refused', status: 400 });
});

suite('client');
