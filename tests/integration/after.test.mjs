/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait for another one: Holdfast-After. */
import assert from 'node:assert/strict';
import { test, suite, until } from './lib/harness.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon, queuedRoute } from './lib/daemon.mjs';

const LINE = { order: '{holdfast:order}', note: 'for {holdfast:order}' };

async function panel(x, { linePolicy = {}, start = false } = {}) {
	const origin = await Origin.create(x, { start });
	const daemon = await Daemon.create(x, { origin, manifest: { name: 'kiosk', version: '1', routes: [
		queuedRoute('/api/orders', 'orders'),
		queuedRoute('/api/orders/:id/lines', 'lines', linePolicy),
		queuedRoute('/api/orders/:id/lines/:line/notes', 'notes'),
		queuedRoute('/api/other', 'lines', linePolicy)] } });

	/* An order's id is its number and 4700, a line's its name. */
	origin.handler = (req, res, arrival, o) => {
		if (arrival.url === '/api/orders')
			return o.reply(req, res, arrival, { body: JSON.stringify({ id: 4700 + o.effect(arrival).number }),
				headers: { Location: `http://origin.example/api/orders/n%C2%BA-${o.effect(arrival).number}` } });
		return o.reply(req, res, arrival, { body: '{"line":{"id":"a b/c"}}' });
	};
	return { origin, daemon };
}

async function queue(daemon, path, body, headers = {}) {
	const answer = await daemon.post(path, typeof body === 'string' ? body : JSON.stringify(body), headers);
	assert.equal(answer.status, 202, answer.text);
	return answer.json().id;
}

const after = (id, values = '; order="/id"') => ({ 'Holdfast-After': `"${id}"${values}` });
const line = (daemon, id, body = LINE) =>
	queue(daemon, '/api/orders/{holdfast:order}/lines', body, after(id));
const note = (daemon, id) =>
	queue(daemon, '/api/orders/1/lines/%7Bholdfast%3aline%7D/notes', 'hello', after(id, ';line="/line/id"'));

test('a line goes to the order that has got its number meanwhile', async (x) => {
	const { origin, daemon } = await panel(x);
	const id = await queue(daemon, '/api/orders', { table: 7 });
	const second = await line(daemon, id);
	const third = await note(daemon, second);

	const record = await daemon.record(second);
	assert.equal(record.state, 'queued');
	assert.equal(record.reason, 'after');
	assert.equal(record.after, id);
	assert.equal(record.url, '/api/orders/{holdfast:order}/lines');
	assert.equal((await daemon.record(id)).after, null);
	const waiting = await daemon.cli('--json', 'lanes', '--state', 'after');
	assert.equal(waiting.code, 0, waiting.stderr);
	assert.deepEqual(JSON.parse(waiting.stdout).lanes.map((l) => l.lane).sort(), ['lines', 'notes']);
	await daemon.restart();
	await origin.start();
	await daemon.state(third, 'settled');
	const [order, sent, last] = origin.got();
	assert.equal(order.url, '/api/orders');
	assert.equal(order.headers['holdfast-after'], undefined);
	assert.equal(sent.url, '/api/orders/4701/lines');
	assert.equal(sent.headers['holdfast-after'], undefined);
	assert.equal(sent.body.toString(), '{"order":4701,"note":"for 4701"}');
	assert.equal(sent.key, record.idempotencyKey);
	assert.equal(last.url, '/api/orders/1/lines/a%20b%2Fc/notes');
	assert.equal(origin.got().length, 3);
});

test('a kill between the end of the first and the sending of the second', async (x) => {
	const { origin, daemon } = await panel(x);
	let hang = true;
	const answer = origin.handler;

	origin.handler = (req, res, arrival, o) =>
		(hang && arrival.url === '/api/other' ? undefined : answer(req, res, arrival, o));
	const stopper = await queue(daemon, '/api/other', 'x');
	const id = await queue(daemon, '/api/orders', { table: 7 });
	const second = await line(daemon, id);
	await origin.start();
	await daemon.state(id, 'settled');
	await origin.arrived(1, { url: '/api/other' });
	assert.equal(origin.got('/api/orders/4701/lines').length, 0);
	await daemon.kill();
	hang = false;
	await daemon.start();
	await daemon.state(second, 'settled');
	await daemon.state(stopper, 'settled');
	const sent = origin.got('/api/orders/4701/lines');
	assert.equal(sent.length, 1);
	assert.equal(sent[0].body.toString(), '{"order":4701,"note":"for 4701"}');
});

test('every attempt sends the same, also after a kill', async (x) => {
	const { origin, daemon } = await panel(x);
	const answer = origin.handler;
	let refusals = 3;

	origin.handler = (req, res, arrival, o) => (arrival.url.endsWith('/lines') && refusals-- > 0 ?
		o.reply(req, res, arrival, { status: 503, headers: { 'Retry-After': '1' } }) : answer(req, res, arrival, o));
	const second = await line(daemon, await queue(daemon, '/api/orders', { table: 7 }));
	await origin.start();
	await origin.arrived(2, { url: '/api/orders/4701/lines', ms: 30000 });
	await daemon.restart();
	await daemon.state(second, 'settled', 40000);
	const sent = origin.got('/api/orders/4701/lines');
	assert.equal(sent.length, 4);
	assert.equal(new Set(sent.map((a) => `${a.key} ${a.body}`)).size, 1);
}, { seconds: 90 });

test('who waits ends with the first, and comes back with it', async (x) => {
	const { origin, daemon } = await panel(x);
	const good = origin.handler;

	origin.handler = (req, res, arrival, o) =>
		o.reply(req, res, arrival, { status: arrival.url === '/api/orders' ? 422 : 201 });
	const id = await queue(daemon, '/api/orders', { table: 7 });
	const second = await line(daemon, id);
	const third = await note(daemon, second);
	const other = await queue(daemon, '/api/other', 'not concerned');
	await origin.start();
	await daemon.state(id, 'dead');
	for (const child of [second, third])
		assert.equal((await daemon.state(child, 'dead')).reason, 'after-failed');
	await daemon.state(other, 'settled');
	assert.deepEqual(origin.got().map((a) => a.url), ['/api/orders', '/api/other']);
	const gone = await daemon.get(`/.holdfast/requests/${second}/response`);
	assert.equal(gone.status, 410);
	assert.equal(gone.json().reason, 'after-failed');
	assert.match((await daemon.cli('queue', 'show', second)).stdout, /after-failed/);

	origin.handler = good;
	assert.equal((await daemon.cli('queue', 'retry', id)).code, 0);
	await until(async () => (await daemon.get(`/.holdfast/requests/${third}/response`)).status === 308);
	await until(() => origin.got('/api/orders/1/lines/a%20b%2Fc/notes').length === 1);
	assert.deepEqual(origin.got().slice(2).map((a) => a.url),
		['/api/orders', '/api/orders/4702/lines', '/api/orders/1/lines/a%20b%2Fc/notes']);
});

test('one that is cancelled offline takes those with it that wait for it', async (x) => {
	const { daemon } = await panel(x);
	const id = await queue(daemon, '/api/orders', { table: 7 });
	const second = await line(daemon, id);

	assert.equal((await daemon.cancel(id)).status, 200);
	assert.equal((await daemon.state(second, 'dead')).reason, 'after-failed');
	const late = await daemon.post('/api/orders/{holdfast:order}/lines', '{}', after(id));
	assert.equal(late.status, 424, late.text);
});

test('when the first is delivered already, the second goes at once', async (x) => {
	const { origin, daemon } = await panel(x);
	const id = await queue(daemon, '/api/orders', { table: 7 });

	await origin.start();
	await daemon.state(id, 'settled');
	const live = await daemon.post('/api/orders/{holdfast:order}/lines', JSON.stringify(LINE), after(id));
	assert.equal(live.status, 201, live.text);
	const [sent] = origin.got('/api/orders/4701/lines');
	assert.equal(sent.body.toString(), '{"order":4701,"note":"for 4701"}');
	assert.equal(Number(sent.headers['content-length']), sent.length);
	const place = await daemon.post('/api/orders/{holdfast:place}/lines', 'x', after(id, '; place=location'));
	assert.equal(place.status, 201, place.text);
	assert.equal(origin.got().at(-1).url, '/api/orders/n%C2%BA-1/lines');
	const none = await daemon.post('/api/orders/{holdfast:order}/lines', '{}', after(id, '; order="/nothing"'));
	assert.equal(none.status, 424, none.text);
	assert.match(none.json().detail, /no such value/);
});

test('an answer without the value ends the second, and says so', async (x) => {
	const { origin, daemon } = await panel(x);
	const id = await queue(daemon, '/api/orders', { table: 7 });
	const second = await queue(daemon, '/api/orders/{holdfast:x}/lines', '{}', after(id, ';x="/nothing"'));

	await origin.start();
	assert.equal((await daemon.state(second, 'dead')).reason, 'after-value');
	await daemon.restart();
	assert.equal((await daemon.record(second)).state, 'dead');
	assert.equal(origin.got().length, 1);
});

test('with skip the others of its lane pass', async (x) => {
	const { origin, daemon } = await panel(x, { linePolicy: { order: 'skip' } });
	const answer = origin.handler;
	let busy = true;

	origin.handler = (req, res, arrival, o) => (busy && arrival.url === '/api/orders' ?
		o.reply(req, res, arrival, { status: 503, headers: { 'Retry-After': '2' } }) : answer(req, res, arrival, o));
	const second = await line(daemon, await queue(daemon, '/api/orders', { table: 7 }));
	const other = await queue(daemon, '/api/other', 'x');
	await origin.start();
	await daemon.state(other, 'settled');
	assert.equal((await daemon.record(second)).reason, 'after');
	busy = false;
	await daemon.state(second, 'settled', 30000);
	assert.equal(origin.got('/api/orders/4702/lines').length, 1);
}, { seconds: 60 });

test('an answer is asked for without a coding', async (x) => {
	const { origin, daemon } = await panel(x);
	const answer = await daemon.post('/api/orders', '{}', { 'Accept-Encoding': 'gzip, br' });

	await origin.start();
	await daemon.state(answer.json().id, 'settled');
	assert.equal(origin.got()[0].headers['accept-encoding'], 'identity');
});

test('what is asked for wrongly is refused, and says why', async (x) => {
	const { origin, daemon } = await panel(x);
	const id = await queue(daemon, '/api/orders', { table: 7 });
	const at = '/api/orders/{holdfast:order}/lines';
	const unknown = `0${id.slice(1, -1)}${id.endsWith('0') ? '1' : '0'}`;
	const table = [
		[at, '', 400, /id of a request, in quotes/],
		[at, id, 400, /id of a request, in quotes/],
		[at, '"nonsense"; order="/id"', 400, /id of a request/],
		[at, `"${id}`, 400, /id of a request/],
		[at, `"${id}"; order="id"`, 400, /JSON Pointer/],
		[at, `"${id}"; order="/a~2"`, 400, /JSON Pointer/],
		[at, `"${id}"; order`, 400, /JSON Pointer/],
		[at, `"${id}"; order=17`, 400, /JSON Pointer/],
		[at, `"${id}"; Order="/id"`, 400, /name that is none/],
		[at, `"${id}"; ${'n'.repeat(33)}="/id"`, 400, /name that is none/],
		[at, `"${id}"; order="/id", "x"`, 400, /behind its parameters/],
		[at, `"${id}"${[...'abcdefghi'].map((c) => `; ${c}="/id"`).join('')}`, 400, /more than 8/],
		[at, `"${id}"; order="/id"; other="/id"`, 400, /has no place/],
		[at, `"${unknown}"; order="/id"`, 404, /no request/],
		['/elsewhere', `"${id}"`, 400, /queues it/],
	];
	for (const [path, field, status, words] of table) {
		const answer = await daemon.post(path, '{}', { 'Holdfast-After': field });
		assert.equal(answer.status, status, `${field}: ${answer.text}`);
		assert.match(answer.json().detail, words, field);
		assert.equal(answer.headers['holdfast-state'], 'refused');
	}
	const twice = await daemon.post(at, '{}', { 'Holdfast-After': [`"${id}"`, `"${id}"`] });
	assert.equal(twice.status, 400);
	const large = await daemon.post(at, `"${'x'.repeat(70000)}"`, after(id));
	assert.equal(large.status, 413, large.text);
	let last = id;
	for (let n = 0; n < 8; n++)
		last = await queue(daemon, '/api/other', 'x', { 'Holdfast-After': `"${last}"` });
	const deep = await daemon.post('/api/other', 'x', { 'Holdfast-After': `"${last}"` });
	assert.equal(deep.status, 400, deep.text);
	assert.match(deep.json().detail, /Too many/);
	assert.equal(origin.got().length, 0);
});

test('a request of another origin cannot be waited for', async (x) => {
	const first = await Origin.create(x, { start: false }), second = await Origin.create(x, { start: false });
	const manifest = { name: 'kiosk', version: '1', routes: [queuedRoute('/api/*', 'all')] };
	const daemon = await Daemon.create(x, { origins: [{ name: 'a', url: first.url }, { name: 'b', url: second.url }],
		workers: [{ name: 'wa', origin: 'a', manifest }, { name: 'wb', origin: 'b', manifest }] });
	const id = await queue(daemon, '/api/orders', {});
	const answer = await daemon.post('/api/lines', '{}',
		{ Host: `b.localhost:${daemon.port}`, 'Holdfast-After': `"${id}"` });

	assert.equal(answer.status, 404, answer.text);
	assert.match(answer.json().detail, /no request/);
});

suite('after');
