/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a queue in a page is measured to get wrong (Workbox 7.4.1), and what
 * Holdfast does instead: an error taken for a delivery, a request that is
 * nowhere while it is sent, an order that changes through failures, a head that
 * stands in everybody's way, a clock that is set and empties the queue.
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, suite, sleep, until } from './lib/harness.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon, queuedRoute } from './lib/daemon.mjs';

const CLOCK = process.env.HF_CLOCK_SHIFT;
const noClock = CLOCK && existsSync(CLOCK) ? false : 'there is no clock to set in this build';
const DAY = 86400;

async function kiosk(x, { policy, routes, ...options } = {}) {
	const origin = await Origin.create(x, { start: false });
	const daemon = await Daemon.create(x, { origin, ...options, manifest: { name: 'kiosk', version: '1',
		routes: routes ?? [queuedRoute('/api/orders', 'orders', policy)] } });
	return { origin, daemon };
}

async function queue(daemon, body, path = '/api/orders') {
	const answer = await daemon.post(path, body);
	assert.equal(answer.status, 202, answer.text);
	return answer.json().id;
}
const effects = (origin) => [...origin.effects.values()].map((e) => e.body.toString());

test('503, then 401 on a replay: nothing is dropped, and a person can send it', { seconds: 60 }, async (x) => {
	const { origin, daemon } = await kiosk(x);
	const ids = [await queue(daemon, 'one'), await queue(daemon, 'two')];
	origin.answers.push({ status: 503 }, { status: 401 });
	await origin.start();
	const held = await daemon.state(ids[0], 'held', 20000);
	assert.equal(held.reason, 'auth');
	assert.equal((await daemon.status()).totals.waiting, 2);
	assert.deepEqual(effects(origin), []);
	await daemon.restart();
	assert.equal((await daemon.record(ids[0])).state, 'held');
	assert.equal((await daemon.cli('queue', 'retry', ids[0])).code, 0);
	for (const id of ids)
		await daemon.state(id, 'settled', 20000);
	assert.deepEqual(effects(origin), ['one', 'two']);
});

test('while it is sent, a request is on the medium', { seconds: 60 }, async (x) => {
	const { origin, daemon } = await kiosk(x);
	const id = await queue(daemon, 'one');
	origin.handler = () => {}; /* no answer */
	await origin.start();
	await origin.arrived(1);
	assert.equal((await daemon.record(id)).state, 'inflight');
	/* what a power cut at this moment leaves */
	const copy = join(x.dir, 'copy');
	cpSync(daemon.stateDir, copy, { recursive: true });
	await daemon.kill();
	origin.handler = null;
	const other = await Daemon.create(x, { ...daemon.options, agent: { 'state-dir': copy } });
	await other.state(id, 'settled', 20000);
	assert.deepEqual(effects(origin), ['one']);
	assert.equal(origin.got()[0].key, origin.got()[1].key);
});

test('two lanes of one origin through rounds of failures: each keeps its order', { seconds: 120 }, async (x) => {
	const { origin, daemon } = await kiosk(x, { routes: [queuedRoute('/a', 'a'), queuedRoute('/b', 'b')] });
	const ids = [];
	for (let i = 0; i < 4; i++)
		for (const lane of ['a', 'b'])
			ids.push(await queue(daemon, `${lane}${i}`, `/${lane}`));
	origin.handler = { status: 503 };
	await origin.start();
	/* a lane that sends at this moment is not brought near: asked again until both have failed so often */
	await until(async () => {
		await daemon.post('/.holdfast/sync-now', '');
		return Math.min(origin.got('/a').length, origin.got('/b').length) >= 10;
	}, { ms: 60000, what: 'ten rounds of failures', every: 20 });
	assert.ok(origin.got().every((a) => ['a0', 'b0'].includes(a.body.toString())), 'one passed a head that failed');
	origin.handler = null;
	await daemon.post('/.holdfast/sync-now', '');
	for (const id of ids)
		await daemon.state(id, 'settled', 30000);
	for (const lane of ['a', 'b'])
		assert.deepEqual(effects(origin).filter((b) => b[0] === lane), [0, 1, 2, 3].map((i) => `${lane}${i}`));
});

test('a head that never succeeds: passed over, given up, or waited for, as the route says', { seconds: 60 }, async (x) => {
	const { origin, daemon } = await kiosk(x, { routes: [queuedRoute('/skip', 'skip', { order: 'skip' }),
		queuedRoute('/dead', 'dead'), queuedRoute('/block', 'block')] });
	const ids = {};
	for (const lane of ['skip', 'dead', 'block'])
		ids[lane] = [await queue(daemon, 'bad', `/${lane}`), await queue(daemon, 'good', `/${lane}`)];
	origin.handler = (req, res, arrival, o) => o.reply(req, res, arrival,
		arrival.body.toString() === 'good' ? {} : { status: req.url === '/dead' ? 422 : 401 });
	await origin.start();
	assert.equal((await daemon.state(ids.dead[0], 'dead', 20000)).response.status, 422);
	for (const lane of ['skip', 'dead'])
		await daemon.state(ids[lane][1], 'settled', 20000);
	for (const lane of ['skip', 'block'])
		await daemon.state(ids[lane][0], 'held', 20000);
	await sleep(500);
	assert.equal((await daemon.record(ids.block[1])).state, 'queued');
	assert.equal((await daemon.cli('queue', 'cancel', ids.block[0])).code, 0);
	await daemon.state(ids.block[1], 'settled', 20000);
});

test('a clock that jumps: nothing is lost, nothing expires, nothing goes early', { seconds: 90, skip: noClock }, async (x) => {
	const file = join(x.dir, 'clock');
	const set = (days) => writeFileSync(file, `${days * DAY}`);
	set(-8);
	const { origin, daemon } = await kiosk(x, { policy: { maxAgeSeconds: 7 * DAY },
		env: { LD_PRELOAD: CLOCK, HF_CLOCK_FILE: file } });
	const ids = [];
	for (const body of ['one', 'two', 'three'])
		ids.push(await queue(daemon, body));
	const created = Date.parse((await daemon.record(ids[0])).createdAt);
	assert.ok(Math.abs(Date.now() - 8 * DAY * 1000 - created) < 60000, 'the clock is not off');
	await daemon.post('/.holdfast/sync/menu', '');
	for (const days of [0, 365, -365, 8]) {
		set(days);
		await daemon.post('/.holdfast/sync-now', '');
		await sleep(1200); /* a look at what is too old is taken each second */
		if (days === 365)
			await daemon.restart();
		for (const id of ids) {
			const { state, ageSeconds } = await daemon.record(id);
			assert.equal(state, 'queued', `${days} days`);
			assert.ok(ageSeconds < 60, `${ageSeconds} s old with the clock ${days} days off`);
		}
	}
	assert.equal((await daemon.json('/.holdfast/sync')).registrations.length, 1);
	await origin.start();
	for (const id of ids)
		await daemon.state(id, 'settled', 20000);
	assert.deepEqual(effects(origin), ['one', 'two', 'three']);
	assert.equal(origin.got('/api/orders').length, 3);
});

suite('client_workbox_faults');
