/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes as routes declare them: by the request, the latest value only, paced. */
import assert from 'node:assert/strict';
import { test, suite, until } from './lib/harness.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon, queuedRoute } from './lib/daemon.mjs';

async function panel(x, policy, { conf } = {}) {
	const origin = await Origin.create(x, { start: false });
	origin.conf = conf;
	const daemon = await Daemon.create(x, { origin, manifest: {
		name: 'panel', version: '1', routes: [queuedRoute('/api/*', 'orders', policy)] } });
	return { origin, daemon };
}

async function queue(daemon, path, body, headers) {
	const answer = await daemon.post(path, body, headers);
	assert.equal(answer.status, 202, answer.text);
	return answer.json().id;
}

test('a table whose order is held stops no other table', async (x) => {
	const { origin, daemon } = await panel(x, { laneBy: { header: 'X-Table' } });
	origin.handler = (req, res, arrival) => origin.reply(req, res, arrival,
		{ status: arrival.body.toString() === 'poison' ? 401 : 201 });
	const held = await queue(daemon, '/api/orders', 'poison', { 'X-Table': '1' });
	const behind = await queue(daemon, '/api/orders', 'tea', { 'X-Table': '1' });
	const other = await queue(daemon, '/api/orders', 'cake', { 'X-Table': '2' });

	assert.equal((await daemon.record(other)).lane, 'orders/2');
	await origin.start();
	await until(async () => (await daemon.record(other)).state === 'settled');
	await until(async () => (await daemon.record(held)).state === 'held');
	assert.equal((await daemon.record(behind)).state, 'queued');
});

test('of a gauge only the latest value arrives, also after a kill', async (x) => {
	const { origin, daemon } = await panel(x,
		{ laneBy: { path: true }, maxEntries: 1, whenFull: 'drop-oldest' });
	const ids = [];

	for (let n = 0; n < 5; n++)
		for (const gauge of ['a', 'b'])
			ids.push(await queue(daemon, `/api/gauges/${gauge}`, `${gauge}${n}`));
	await until(async () => (await daemon.record(ids[6])).state === 'cancelled');
	assert.equal((await daemon.record(ids[0])).reason, 'displaced');
	await daemon.kill();
	await daemon.start();
	await origin.start();
	await until(async () => (await daemon.record(ids[9])).state === 'settled' &&
		(await daemon.record(ids[8])).state === 'settled');
	assert.deepEqual(origin.arrivals.map((r) => r.body.toString()).sort(), ['a4', 'b4']);
});

test('a sync event replays all lanes that its tag has been spread over', async (x) => {
	const origin = await Origin.create(x);
	const daemon = await Daemon.create(x, { origin, manifest: { name: 'panel',
		routes: [queuedRoute('/api/*', 'orders', { laneBy: { path: true } })],
		sync: [{ tag: 'orders', replay: true, retrySeconds: 1 }] } });

	origin.handler = { status: 500 };
	const a = await queue(daemon, '/api/a', 'a');
	const b = await queue(daemon, '/api/b', 'b');
	const registered = await daemon.post('/.holdfast/sync/orders', '');
	assert.equal(registered.status, 200, registered.text);
	const sync = () => daemon.get('/.holdfast/sync/orders');
	await until(async () => (await sync()).json().state === 'waiting');
	origin.handler = null;
	await until(async () => (await sync()).status === 404, { ms: 40000 });
	assert.equal((await daemon.record(a)).state, 'settled');
	assert.equal((await daemon.record(b)).state, 'settled');
}, { seconds: 60 });

test('a slow origin is not asked faster than its bucket fills', async (x) => {
	const { origin, daemon } = await panel(x, { laneBy: { path: true } },
		{ conf: { 'replay-interval-ms': 200, 'replay-burst': 2 } });

	for (let n = 0; n < 8; n++)
		await queue(daemon, `/api/${n}`, `${n}`);
	await origin.start();
	const got = await origin.arrived(8);
	/* Six intervals after the first two; this process notes an arrival late when it is
	 * busy, and never early. */
	const took = got[7].at - got[0].at;
	assert.ok(took >= 900, `${took} ms`);
});

suite('lanes');
