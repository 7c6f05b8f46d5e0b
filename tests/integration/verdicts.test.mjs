/* SPDX-License-Identifier: Apache-2.0 */
/* What an origin's answer makes of a request: live and in replay. */
import assert from 'node:assert/strict';
import { test, suite, sleep, until } from './lib/harness.mjs';
import { kiosk, listen, queue } from './lib/kiosk.mjs';

test('503 with Retry-After is obeyed', async (x) => {
	const { origin, daemon } = await kiosk(x, { up: true });
	origin.answers.push({ status: 503, headers: { 'Retry-After': '3' } });
	const { id } = await queue(daemon);
	const record = await daemon.record(id);
	assert.equal(record.state, 'queued');
	assert.ok(record.nextAttemptInMs > 0 && record.nextAttemptInMs <= 3000,
		`${record.nextAttemptInMs}`);
	const [first, second] = await origin.arrived(2);
	const gap = second.at - first.at;
	assert.ok(gap > 2900 && gap < 20000, `${gap}`);
	assert.equal(first.key, second.key);
	assert.equal((await daemon.state(id, 'settled')).attempts, 2);
});

test('a kill while a lane waits for Retry-After loses nothing', async (x) => {
	const { origin, daemon } = await kiosk(x, { up: true });
	origin.answers.push({ status: 503, headers: { 'Retry-After': '3' } });
	const { key } = await queue(daemon);
	await daemon.restart();
	const [first, second] = await origin.arrived(2);
	assert.deepEqual([first.key, second.key], [key, key]);
});

for (const status of [500, 502, 504, 408, 425, 429]) {
	test(`${status} is tried again with the same key`, async (x) => {
		const { origin, daemon } = await kiosk(x, { up: true });
		/* 425 is tried again at once, and may have been before the page hears of it. */
		origin.answers.push({ status }, { status });
		const { id, key } = await queue(daemon);
		const arrivals = await origin.arrived(3, { ms: 20000 });
		assert.deepEqual(arrivals.map((a) => a.key), [key, key, key]);
		assert.equal((await daemon.state(id, 'settled')).response.status, 201);
		assert.deepEqual([...origin.effects.keys()], [key]);
	});
}

test('a live 404 is the origin\'s word and passes to the page', async (x) => {
	const { origin, daemon } = await kiosk(x, { up: true });
	origin.answers.push({ status: 404, body: '{"no":"such"}' });
	const answer = await daemon.post('/api/orders');
	assert.equal(answer.status, 404);
	assert.equal(answer.text, '{"no":"such"}');
	assert.equal((await daemon.status()).totals.accepted, 0);
});

test('404 in replay makes a dead record that is seen and can be sent again', async (x) => {
	const { origin, daemon } = await kiosk(x);
	const { id, key } = await queue(daemon, '/api/orders', '{"n":1}');
	const behind = await queue(daemon, '/api/orders', '{"n":2}');
	origin.answers.push({ status: 404, body: 'gone' });
	await origin.start();
	const dead = await daemon.state(id, 'dead');
	assert.equal(dead.response.status, 404);
	assert.ok(dead.reason);
	await daemon.state(behind.id, 'settled'); /* it stops nobody */
	const listed = await daemon.cli('queue', 'list');
	assert.equal(listed.code, 0, listed.stderr);
	assert.ok(listed.stdout.includes(id), listed.stdout);

	const response = await daemon.get(`/.holdfast/requests/${id}/response`);
	assert.equal(response.status, 404);
	assert.equal(response.text, 'gone');
	await daemon.restart();
	assert.equal((await daemon.record(id)).state, 'dead');
	const retried = await daemon.cli('queue', 'retry', id);
	assert.equal(retried.code, 0, retried.stderr + retried.stdout);
	const arrivals = await origin.arrived(3);
	assert.equal(arrivals[2].key, key);
	assert.equal(arrivals[2].body.toString(), '{"n":1}');

	/* A page that still has the old id gets the answer by it, over a reboot too. */
	const next = retried.stdout.match(/ as ([0-9A-Z]{26})\.$/m)[1];
	await daemon.state(next, 'settled');
	await daemon.restart();
	const followed = await fetch(`http://${daemon.host}:${daemon.port}/.holdfast/requests/${id}/response`);
	assert.equal(followed.status, 201);
	assert.ok(followed.url.includes(next), followed.url);
	const shown = await daemon.cli('queue', 'show', id);
	assert.equal(shown.code, 1);
	assert.ok(shown.stderr.includes(next), shown.stderr);
});

test('one that goes again is told with the id that it replaces', async (x) => {
	const { daemon } = await kiosk(x);
	const events = await listen(x, daemon);
	const { id } = await queue(daemon);
	await daemon.cancel(id);
	const retried = await daemon.cli('--json', 'queue', 'retry', id);
	assert.equal(retried.code, 0, retried.stderr);
	const next = JSON.parse(retried.stdout).id;
	const told = await until(() => events.list.find((e) => e.data.id === next));
	assert.equal(told.type, 'queued');
	assert.equal(told.data.replaces, id);
});

test('401 in replay holds the lane until a person says go', async (x) => {
	const { origin, daemon } = await kiosk(x);
	const first = await queue(daemon, '/api/orders', '{"n":1}');
	const second = await queue(daemon, '/api/orders', '{"n":2}');
	origin.answers.push({ status: 401 });
	await origin.start();
	const held = await daemon.state(first.id, 'held');
	assert.ok(held.reason);
	await sleep(1500);
	assert.equal(origin.got().length, 1); /* strict order: nobody passes */
	assert.equal((await daemon.record(second.id)).state, 'queued');
	await daemon.restart();
	assert.equal((await daemon.record(first.id)).state, 'held');
	assert.equal((await daemon.cli('queue', 'retry', first.id)).code, 0);
	const arrivals = await origin.arrived(3);
	assert.deepEqual(arrivals.map((a) => JSON.parse(a.body).n), [1, 1, 2]);
});

test('order skip: a held head is passed over', async (x) => {
	const { origin, daemon } = await kiosk(x, { policy: { order: 'skip' } });
	const first = await queue(daemon, '/api/orders', '{"n":1}');
	const second = await queue(daemon, '/api/orders', '{"n":2}');
	origin.handler = (req, res, a, o) =>
		o.reply(req, res, a, a.body.toString() === '{"n":1}' ? { status: 401 } : {});
	await origin.start();
	await daemon.state(second.id, 'settled');
	assert.equal((await daemon.state(first.id, 'held')).state, 'held');
});

test('a queued request can be cancelled and is never sent', async (x) => {
	const { origin, daemon } = await kiosk(x);
	const one = await queue(daemon, '/api/orders', '{"n":1}');
	const two = await queue(daemon, '/api/orders', '{"n":2}');
	const three = await queue(daemon, '/api/orders', '{"n":3}');
	const cancel = await daemon.cancel(one.id);
	assert.ok(cancel.status === 200 || cancel.status === 204, `${cancel.status} ${cancel.text}`);
	assert.equal((await daemon.record(one.id)).state, 'cancelled');
	const cli = await until(async () => {
		const answer = await daemon.cli('queue', 'cancel', three.id);
		return answer.code === 0 && answer;
	});
	assert.equal(cli.code, 0);
	await daemon.restart();
	await origin.start();
	await daemon.state(two.id, 'settled');
	await sleep(300);
	assert.deepEqual(origin.got().map((a) => JSON.parse(a.body).n), [2]);
	const again = await daemon.request({ method: 'DELETE', path: `/.holdfast/requests/${one.id}` });
	assert.equal(again.status, 409);
	const settled = await daemon.request({ method: 'DELETE', path: `/.holdfast/requests/${two.id}` });
	assert.equal(settled.status, 409);
});

test('DELETE while the attempt is under way is refused with 409', async (x) => {
	const { origin, daemon } = await kiosk(x);
	const { id } = await queue(daemon);
	let release;
	origin.answers.push(async (req, res, a, o) => {
		await new Promise((resolve) => (release = resolve));
		await o.reply(req, res, a, {});
	});
	await origin.start();
	await until(() => release);
	assert.equal((await daemon.record(id)).state, 'inflight');
	assert.equal((await daemon.request({ method: 'DELETE', path: `/.holdfast/requests/${id}` })).status, 409);
	release();
	await daemon.state(id, 'settled');
});

test('idempotency never: a reset after bytes were sent is held for a person', async (x) => {
	const { origin, daemon } = await kiosk(x, { policy: { idempotency: 'never' } });
	const { id } = await queue(daemon);
	origin.answers.push({ reset: 'after' });
	await origin.start();
	const held = await daemon.state(id, 'held');
	assert.match(held.reason, /ambiguous/);
	await sleep(1500);
	assert.equal(origin.got().length, 1);
	const list = await daemon.cli('queue', 'list');
	assert.match(list.stdout, /held/);
	assert.equal((await daemon.cli('queue', 'retry', id)).code, 0);
	await daemon.state(id, 'settled');
	assert.equal(origin.got().length, 2);
});

test('idempotency never: a live reset after bytes is accepted as held', async (x) => {
	const { origin, daemon } = await kiosk(x, { up: true, policy: { idempotency: 'never' } });
	origin.answers.push({ reset: 'after' });
	const answer = await daemon.post('/api/orders');
	assert.equal(answer.status, 202);
	assert.equal(answer.json().state, 'held');
	await sleep(1200);
	assert.equal(origin.got().length, 1);
});

test('keyed: a reset after the effect leads to the same effect, once', async (x) => {
	const { origin, daemon } = await kiosk(x, { up: true });
	origin.answers.push({ reset: 'after' });
	const { id, key } = await queue(daemon);
	const record = await daemon.state(id, 'settled');
	assert.equal(record.response.status, 201);
	assert.equal(origin.got().length, 2);
	assert.deepEqual(origin.got().map((a) => a.key), [key, key]);
	assert.equal(origin.effects.size, 1);
});

suite('verdicts', 3);
