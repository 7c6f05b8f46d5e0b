/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that are queued while the origin is away. */
import assert from 'node:assert/strict';
import { vector } from '../lib/vectors.mjs';
import { until } from '../../integration/lib/harness.mjs';

const queue = (section, name, fn) => vector('queue', section, name, fn);
const PATH = '/conformance/orders';
const post = (device, body, headers, path = PATH) => device.send('POST', path, { body, headers });

/* Queued: its id. */
async function queued(device, body = 'tea', headers, path) {
	const answer = await post(device, body, headers, path);
	const id = device.queued(answer);
	assert.ok(id, `POST: ${answer.status} ${answer.text}`);
	return id;
}
const bodies = (origin, path = PATH) => origin.got(path).map((a) => a.body.toString());
const ends = (device, id, states) => until(async () => states.includes(await device.state(id)),
	{ ms: 20000, what: `${id} is ${states}`, every: 25 });
const settled = (device, id) => ends(device, id, ['settled']);

queue('RFC 9110 15.3.3', 'the origin away: 202, with the place where the answer will be', async ({ device, origin }) => {
	await origin.stop();
	const answer = await post(device, 'tea');
	assert.equal(answer.status, 202);
	assert.ok(answer.headers.location);
	assert.match(answer.headers['cache-control'] ?? '', /no-store/);
});

queue('RFC 9110 9.2.2', 'a request that no route queues fails, and is not sent later', async ({ device, origin }) => {
	await origin.stop();
	const answer = await post(device, 'tea', {}, '/conformance/plain');
	assert.ok(answer.status >= 500, `${answer.status}`);
	await origin.start();
	await settled(device, await queued(device, 'x', { Prefer: 'respond-async' }));
	assert.deepEqual(bodies(origin, '/conformance/plain'), []);
});

queue('RFC 9110 9.2.1', 'a safe method is not queued', async ({ device, origin }) => {
	await origin.stop();
	for (const method of ['GET', 'HEAD'])
		assert.ok((await device.send(method, PATH)).status >= 500);
});

queue('RFC 9110 15.3', 'the origin there: its own answer, at once', async ({ device, origin }) => {
	origin.answers.push({ status: 201, body: 'made', headers: { 'X-Order': '7' } });
	const answer = await post(device, 'tea');
	assert.deepEqual([answer.status, answer.text, answer.headers['x-order']], [201, 'made', '7']);
});

queue('RFC 9110 6.4', 'the body arrives byte for byte, with its fields', async ({ device, origin }) => {
	await origin.stop();
	const body = Buffer.from(Array.from({ length: 100000 }, (_, i) => (i * 7919) & 255));
	const type = 'multipart/form-data; boundary="x y"';
	const id = await queued(device, body, { 'Content-Type': type, 'X-Table': '7' });
	await origin.start();
	await settled(device, id);
	const [arrival] = origin.got(PATH);
	assert.ok(arrival.body.equals(body));
	assert.equal(arrival.headers['content-type'], type);
	assert.equal(arrival.headers['x-table'], '7');
});

queue('RFC 9110 7.6.1', 'fields of the connection are not kept', async ({ device, origin }) => {
	await origin.stop();
	const id = await queued(device, 'tea', { Connection: 'close, X-Hop', 'X-Hop': '1', 'Keep-Alive': 'timeout=5' });
	await origin.start();
	await settled(device, id);
	const { headers } = origin.got(PATH)[0];
	assert.equal(headers['x-hop'], undefined);
	assert.equal(headers['keep-alive'], undefined);
});

queue('Workbox Queue.replayRequests()', 'in the order in which they were accepted', async ({ device, origin }) => {
	await origin.stop();
	const all = Array.from({ length: 20 }, (_, i) => `${i}`);
	let last;
	for (const body of all)
		last = await queued(device, body);
	await origin.start();
	await settled(device, last);
	assert.deepEqual(bodies(origin), all);
});

queue('Workbox Queue.replayRequests()', 'a live request does not pass a backlog', async ({ device, origin }) => {
	await origin.stop();
	for (const body of ['0', '1', '2'])
		await queued(device, body);
	await origin.start();
	const answer = await post(device, '3');
	if (device.queued(answer))
		await settled(device, device.queued(answer));
	assert.deepEqual(bodies(origin), ['0', '1', '2', '3']);
});

queue('Workbox Queue.replayRequests()', 'order is kept through failures', async ({ device, origin }) => {
	await origin.stop();
	const all = ['0', '1', '2', '3'];
	let last;
	for (const body of all)
		last = await queued(device, body);
	origin.answers.push({ status: 503 }, {}, { reset: 'before' });
	await origin.start();
	await settled(device, last);
	assert.deepEqual([...origin.effects.values()].map((e) => e.body.toString()), all);
});

queue('RFC 9110 15.6.4', '503 is not a delivery; Retry-After is obeyed', async ({ device, origin }) => {
	origin.answers.push({ status: 503, headers: { 'Retry-After': '2' } });
	const id = await queued(device);
	const begin = performance.now();
	await settled(device, id);
	assert.ok(performance.now() - begin > 1700, `tried again after ${performance.now() - begin} ms`);
	assert.equal(origin.got(PATH).length, 2);
});

for (const [section, status] of [['RFC 9110 15.6.1', 500], ['RFC 9110 15.6.3', 502], ['RFC 9110 15.6.5', 504],
	['RFC 9110 15.5.9', 408], ['RFC 6585 4', 429]])
	queue(section, `${status} is not a delivery: tried again with the same key`,
		async ({ device, origin }) => {
			origin.answers.push({ status });
			await settled(device, await queued(device));
			const keys = origin.got(PATH).map((a) => a.key);
			assert.equal(keys.length, 2);
			assert.ok(keys[0] && keys[0] === keys[1]);
		});

queue('RFC 9110 15.5.2', '401 on a replay: the request is kept, and not sent again by itself', async ({ device, origin }) => {
	await origin.stop();
	const id = await queued(device);
	origin.answers.push({ status: 401, headers: { 'WWW-Authenticate': 'Basic realm="x"' } });
	await origin.start();
	await ends(device, id, ['held']);
	assert.equal(origin.got(PATH).length, 1);
});

queue('RFC 9110 15.5.21', '422 on a replay is final: it is not sent again', async ({ device, origin }) => {
	await origin.stop();
	const id = await queued(device);
	origin.answers.push({ status: 422, body: 'no such table' });
	await origin.start();
	await ends(device, id, ['dead', 'settled']);
	assert.equal(origin.got(PATH).length, 1);
	const answer = await device.answer(id);
	assert.deepEqual([answer.status, answer.text], [422, 'no such table']);
});

queue('Idempotency-Key 2.2', 'each request has a key of its own; the page\'s own goes before it', async ({ device, origin }) => {
	await origin.stop();
	await queued(device, '1');
	await queued(device, '2');
	const last = await queued(device, '3', { 'Idempotency-Key': '"mine"' });
	await origin.start();
	await settled(device, last);
	const keys = origin.got(PATH).map((a) => a.key);
	assert.equal(new Set(keys).size, 3);
	assert.equal(keys[2], '"mine"');
});

queue('Idempotency-Key 2.6', 'the answer is lost after the effect: sent again, one effect', async ({ device, origin }) => {
	origin.answers.push({ reset: 'after' });
	const answer = await post(device, 'tea');
	if (device.queued(answer))
		await settled(device, device.queued(answer));
	assert.equal(origin.effects.size, 1);
	assert.equal(origin.got(PATH).length, 2);
});

queue('RFC 9112 8', 'an answer that breaks off before its end is no reason to do it twice', async ({ device, origin }) => {
	await origin.stop();
	const id = await queued(device);
	origin.answers.push({ status: 201, body: 'x'.repeat(1000), reset: 'body' });
	await origin.start();
	await settled(device, id);
	assert.equal(origin.effects.size, 1);
});

queue('RFC 9110 15.3.3', 'what was acknowledged survives a power cut, once in effect', async ({ device, origin }) => {
	await origin.stop();
	const ids = [];
	for (let i = 0; i < 5; i++) {
		ids.push(await queued(device, `${i}`));
		if (i === 2)
			await device.restart();
	}
	await device.restart();
	await origin.start();
	await settled(device, ids.at(-1));
	assert.deepEqual(bodies(origin), ['0', '1', '2', '3', '4']);
});

queue('Workbox Queue.shiftRequest()', 'a power cut while it is sent: it is there, and sent again with its key',
	async ({ device, origin }) => {
		await origin.stop();
		const id = await queued(device);
		origin.handler = () => {}; /* never answers */
		await origin.start();
		await origin.arrived(1, { url: PATH });
		origin.handler = null;
		await device.restart();
		await settled(device, id);
		const [first, second] = origin.got(PATH);
		assert.equal(first.key, second.key);
	});

/* In JSON, with what it waits for. */
const afterOther = (id, value) => ({ 'Content-Type': 'application/json', 'Holdfast-After': `"${id}"; order="${value}"` });

queue('PROTOCOL.md 2', 'one that waits for another one takes its number, in URL and body', async ({ device, origin }) => {
	await origin.stop();
	const first = await queued(device, '{"table":7}', { 'Content-Type': 'application/json' });
	const second = await queued(device, '{"order":"{holdfast:order}"}', afterOther(first, '/made/id'),
		`${PATH}?order={holdfast:order}`);
	origin.answers.push({ status: 503 }, { status: 201, body: '{"made":{"id":"a/17"}}' });
	await origin.start();
	await settled(device, second);
	const arrivals = origin.got(PATH);
	const { url, body } = arrivals.at(-1);
	assert.deepEqual([arrivals.length, url, body.toString()], [3, `${PATH}?order=a%2F17`, '{"order":"a/17"}']);
});

queue('PROTOCOL.md 2', 'one that waits for another one is given up with it', async ({ device, origin }) => {
	await origin.stop();
	const first = await queued(device, '{}', { 'Content-Type': 'application/json' });
	const second = await queued(device, '["{holdfast:order}"]', afterOther(first, '/id'));
	origin.answers.push({ status: 422 });
	await origin.start();
	await ends(device, second, ['dead']);
	assert.equal(origin.got(PATH).length, 1);
});

queue('RFC 4918 11.4', 'one that waits for what was never there is refused', async ({ device }) => {
	const answer = await post(device, '["{holdfast:order}"]', afterOther('0'.repeat(26), '/id'));
	assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status}`);
	assert.equal(answer.headers['holdfast-state'], 'refused');
});
