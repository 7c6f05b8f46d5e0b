/* SPDX-License-Identifier: Apache-2.0 */
/* How a page gets the answer to what was queued. */
import assert from 'node:assert/strict';
import { vector } from '../lib/vectors.mjs';
import { until, sleep } from '../../integration/lib/harness.mjs';

const answers = (section, name, fn) => vector('answers', section, name, fn);
const PATH = '/conformance/orders';
const post = (device, headers = {}, body = 'tea') => device.send('POST', PATH, { body, headers });

async function queued(device, headers) {
	const answer = await post(device, headers);
	const id = device.queued(answer);
	assert.ok(id, `POST: ${answer.status} ${answer.text}`);
	return id;
}
const final = (device, id) => until(async () => {
	const answer = await device.answer(id);
	return answer.status !== 202 && answer;
}, { ms: 20000, what: `the answer to ${id}`, every: 25 });

answers('RFC 9110 15.3.3', 'not there yet: 202, with a time to ask again', async ({ device, origin }) => {
	await origin.stop();
	const answer = await device.answer(await queued(device));
	assert.equal(answer.status, 202);
	assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
});

answers('RFC 9110 15.3.3', 'the origin\'s own answer: status, fields, body, as often as it is asked', async ({ device, origin }) => {
	await origin.stop();
	const id = await queued(device);
	const body = Buffer.from(Array.from({ length: 5000 }, (_, i) => i & 255));
	origin.answers.push({ status: 203, body, headers: { 'Content-Type': 'image/x-own', 'X-Order': '7', ETag: '"1"' } });
	await origin.start();
	await final(device, id);
	for (let i = 0; i < 2; i++) {
		const answer = await final(device, id);
		assert.equal(answer.status, 203);
		assert.deepEqual(['content-type', 'x-order', 'etag'].map((n) => answer.headers[n]), ['image/x-own', '7', '"1"']);
		assert.ok(answer.body.equals(body));
	}
	assert.equal(origin.got(PATH).length, 1);
});

answers('RFC 9110 15.3.3', 'a 202 of the origin itself is an answer', async ({ device, origin }) => {
	origin.answers.push({ status: 202, body: 'theirs' });
	const live = await post(device);
	assert.deepEqual([live.status, live.text, device.queued(live)], [202, 'theirs', null]);
});

answers('RFC 9110 15.3.3', 'it survives a power cut', async ({ device, origin }) => {
	await origin.stop();
	const id = await queued(device);
	origin.answers.push({ status: 201, body: 'made' });
	await origin.start();
	await final(device, id);
	await origin.stop();
	await device.restart();
	const answer = await final(device, id);
	assert.deepEqual([answer.status, answer.text], [201, 'made']);
});

answers('RFC 7240 4.1', 'respond-async: 202 though the origin is there, and it says so', async ({ device }) => {
	const answer = await post(device, { Prefer: 'respond-async' });
	assert.ok(device.queued(answer));
	assert.match(answer.headers['preference-applied'], /respond-async/);
	assert.equal((await final(device, device.queued(answer))).status, 201);
});

answers('RFC 7240 4.3', 'wait: the origin\'s answer when it comes in time', async ({ device, origin }) => {
	await origin.stop();
	const waiting = post(device, { Prefer: 'wait=20' });
	await sleep(300);
	origin.answers.push({ status: 201, body: 'in time' });
	await origin.start();
	const answer = await waiting;
	assert.deepEqual([answer.status, answer.text], [201, 'in time']);
	assert.match(answer.headers['preference-applied'], /wait=20/);
});

answers('RFC 7240 4.3', 'wait: 202 when it does not', async ({ device, origin }) => {
	await origin.stop();
	const begin = performance.now();
	assert.ok(device.queued(await post(device, { Prefer: 'wait=1' })));
	assert.ok(performance.now() - begin > 900);
});

answers('RFC 7240 2', 'preferences: case, white space, unknown ones; a wait that is no number is none', async ({ device, origin }) => {
	await origin.stop();
	for (const Prefer of ['WAIT = 1', 'foo; bar, wait=1', 'handling=lenient, respond-async', 'wait=soon', 'wait=-1', ','])
		assert.ok(device.queued(await post(device, { Prefer })), Prefer);
});

answers('RFC 9110 9.3.5', 'cancelled: 410, and it is never sent', async ({ device, origin }) => {
	await origin.stop();
	const id = await queued(device);
	const other = await queued(device);
	assert.equal((await device.cancel(id)).status, 200);
	assert.equal((await device.answer(id)).status, 410);
	assert.equal((await device.cancel(id)).status, 409);
	await origin.start();
	await final(device, other);
	assert.equal(origin.got(PATH).length, 1);
});

answers('RFC 9110 15.5.5', 'an id that was never given: 404', async ({ device }) => {
	assert.equal((await device.answer('01ARZ3NDEKTSV4RRFFQ69G5FAV')).status, 404);
});

answers('RFC 9457 3', 'a refusal is a problem document that says its status', async ({ device, origin }) => {
	await origin.stop();
	const answer = await device.send('GET', '/conformance/plain');
	assert.equal(answer.headers['content-type'], 'application/problem+json');
	assert.equal(answer.json().status, answer.status);
});

answers('RFC 9209 2', 'a refusal in the origin\'s place has a Proxy-Status with its error', async ({ device, origin }) => {
	await origin.stop();
	assert.match((await device.send('GET', '/conformance/plain')).headers['proxy-status'] ?? '', /; ?error=[a-z_]+/);
});

answers('HTML #server-sent-events', 'the stream tells of an answer; Last-Event-ID resumes behind what was heard',
	async ({ device, origin }) => {
		await origin.stop();
		const stream = await device.stream();
		assert.match(stream.type, /^text\/event-stream/);
		const id = await queued(device);
		const heard = await until(() => stream.list.find((e) => e.data.includes(id)), { what: 'an event of it' });
		stream.close();
		await origin.start();
		await final(device, id);
		const again = await device.stream(heard.id);
		await until(() => again.list.some((e) => e.type === 'settled' && e.data.includes(id)), { what: 'its end' });
		assert.ok(!again.list.some((e) => e.id === heard.id));
		again.close();
	});

answers('HTML #the-last-event-id-header', 'an id of before a power cut: the reader hears that it missed something', async ({ device, origin }) => {
	await origin.stop();
	const stream = await device.stream();
	const id = await queued(device);
	const heard = await until(() => stream.list.find((e) => e.data.includes(id)));
	stream.close();
	await device.restart();
	const again = await device.stream(heard.id);
	await until(() => again.list.some((e) => e.type === 'gap'), { what: 'a gap' });
	again.close();
});
