/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's view: lanes, holds over restarts, health, figures of the store, and
 * the metrics in Prometheus' text format.
 */
import assert from 'node:assert/strict';
import { suite, test, sleep, until } from './lib/harness.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon, queuedRoute } from './lib/daemon.mjs';
import { checkMetrics } from './lib/prometheus.mjs';
import { freePort } from './lib/ports.mjs';
import { request } from './lib/http.mjs';
import { Raw } from './lib/raw.mjs';

const manifest = { name: 'kiosk', version: '1.0.0', routes: [
	queuedRoute('/api/orders', 'orders', { laneBy: { header: 'X-Table' } }),
	queuedRoute('/api/menu', 'menu'),
] };

async function panel(x, more = {}) {
	const origin = await Origin.create(x);
	const daemon = await Daemon.create(x, { origin, manifest, ...more });
	return { origin, daemon };
}

const control = (daemon, method, path) => request({ socketPath: daemon.control, method, path });
const lanes = async (daemon, query = '') => (await control(daemon, 'GET', `/.holdfast/lanes${query}`)).json();

test('a hold keeps a lane back over a kill, until it is released', async (x) => {
	const { origin, daemon } = await panel(x);
	const held = await daemon.cli('hold', 'orders', '--for', '2h');
	assert.equal(held.code, 0, held.stderr);
	assert.match(held.stdout, /^Lane orders of o0 is on hold, which ends in 2 h\./);
	const order = await daemon.post('/api/orders');
	assert.equal(order.status, 202);
	const table = await daemon.post('/api/orders', '{}', { 'X-Table': '7' });
	assert.equal(table.status, 202);
	assert.equal((await daemon.post('/api/menu')).status, 201);
	await daemon.restart('SIGKILL');
	assert.equal((await daemon.cli('sync', 'now')).code, 0);
	const seen = await lanes(daemon, '?state=paused');
	assert.deepEqual(seen.lanes.map((l) => [l.lane, l.state, l.reason, l.depth, l.nextAttemptInMs]).sort(),
		[['orders', 'paused', 'operator', 1, null], ['orders/7', 'paused', 'operator', 1, null]]);
	assert.equal(seen.holds.length, 1);
	assert.ok(seen.holds[0].endsInSeconds > 7000 && seen.holds[0].endsInSeconds <= 7200);
	const status = await daemon.status();
	assert.equal(status.holds[0].lane, 'orders');
	assert.equal(status.health.state, 'degraded');
	assert.match(status.health.reasons[0], /lane orders of o0 is on hold/);
	assert.match((await daemon.cli('status')).stdout, /^degraded: lane orders of o0 is on hold[^]*\nOn hold: lane orders of o0/);
	assert.match((await daemon.cli('metrics')).stdout, /holdfast_holds\{origin="o0"\} 1\n/);
	await sleep(300);
	assert.deepEqual(origin.arrivals.map((a) => a.url), ['/api/menu']);
	const released = await daemon.cli('release', 'orders');
	assert.equal(released.code, 0, released.stderr);
	await until(() => origin.arrivals.length === 3, { what: 'both orders arrive' });
	assert.equal((await daemon.cli('release', 'orders')).code, 1);
	await daemon.restart('SIGKILL');
	assert.equal((await daemon.status()).holds.length, 0);
});

test('a hold with an end ends by itself, by device time over restarts', async (x) => {
	const { origin, daemon } = await panel(x);
	assert.equal((await daemon.cli('hold', '--origin', 'o0', '--for', '1h')).code, 0);
	assert.equal((await daemon.post('/api/orders')).status, 202);
	await daemon.later(1800e3);
	assert.equal((await daemon.status()).holds.length, 1);
	assert.equal(origin.arrivals.length, 0);
	await daemon.later(1801e3);
	await until(() => origin.arrivals.length === 1, { what: 'the order arrives' });
	assert.equal((await daemon.status()).holds.length, 0);
});

test('the event stream tells of holds', async (x) => {
	const { daemon } = await panel(x);
	await daemon.cli('hold', 'orders', '--for', '1s');
	await until(async () => (await daemon.cli('events')).stdout.includes('ended'), { what: 'the hold ends' });
	const told = (await daemon.cli('events', '--json')).stdout.trim().split('\n').map((l) => JSON.parse(l))
		.filter((e) => e.event === 'hold').map((e) => e.data);
	assert.deepEqual(told.map((t) => [t.state, t.origin, t.lane]), [['begun', 'o0', 'orders'], ['ended', 'o0', 'orders']]);
	assert.ok(told.every((t) => /^20..-/.test(t.at)));
});

test('lanes of several origins need their origin', async (x) => {
	const a = await Origin.create(x), b = await Origin.create(x);
	const daemon = await Daemon.create(x, {
		origins: [{ name: 'shop', url: a.url }, { name: 'bank', url: b.url }],
		workers: [{ name: 'w0', origin: 'shop', manifest }, { name: 'w1', origin: 'bank', manifest }],
	});
	const nobody = await daemon.cli('hold', 'orders');
	assert.equal(nobody.code, 1);
	assert.match(nobody.stderr, /No lane has this name now; say which origin's/);
	assert.equal((await daemon.cli('hold', 'orders', '--origin', 'shop')).code, 0);
	assert.equal((await daemon.cli('hold', 'orders', '--origin', 'bank')).code, 0);
	const both = await daemon.cli('release', 'orders');
	assert.equal(both.code, 1);
	assert.match(both.stderr, /Lanes of several origins/);
	/* a page sees its own origin's only, and may change nothing */
	assert.equal((await daemon.status()).holds.length, 1);
	assert.equal((await daemon.request({ method: 'POST', path: '/.holdfast/holds?lane=orders' })).status, 403);
	assert.equal((await daemon.cli('release', '--all')).code, 0);
	assert.deepEqual((await lanes(daemon)).holds, []);
});

test('health says what was not delivered, and when', async (x) => {
	const { origin, daemon } = await panel(x);
	assert.deepEqual([(await daemon.cli('health')).code, (await daemon.cli('health')).stdout], [0, 'ok\n']);
	await origin.stop();
	assert.equal((await daemon.post('/api/orders')).status, 202);
	assert.equal((await daemon.cli('health')).code, 0, 'a dead link alone is no fault');
	await daemon.later(1000e3);
	const degraded = await daemon.cli('health');
	assert.equal(degraded.code, 5);
	assert.match(degraded.stdout, /^degraded: nothing of lane orders of o0 was delivered for 16 min/);
	await daemon.later(7200e3);
	const stuck = await daemon.cli('health');
	assert.equal(stuck.code, 6);
	assert.match(stuck.stdout, /^stuck: nothing of lane orders of o0 was delivered for 2 h/);
	await origin.start();
	await daemon.cli('sync', 'now');
	await until(async () => (await daemon.cli('health')).code === 0, { what: 'it is well again' });
});

test('figures of the store', async (x) => {
	const { daemon } = await panel(x);
	const said = await daemon.cli('store');
	assert.equal(said.code, 0);
	assert.match(said.stdout, /in use +\S+ kB in \d+ pages of 512 B; the file has/);
	const store = JSON.parse((await daemon.cli('store', '--json')).stdout);
	assert.equal(store.bytes, store.pages * store.pageBytes);
	assert.ok(store.room > 0 && store.logPages > 0 && store.writtenTotal > 0);
});

test('the metrics are what Prometheus takes', async (x) => {
	const { origin, daemon } = await panel(x);
	await origin.stop();
	await daemon.post('/api/orders');
	const families = checkMetrics((await daemon.cli('metrics')).stdout);
	for (const name of ['holdfast_requests_waiting', 'holdfast_oldest_request_seconds', 'holdfast_health',
		'holdfast_requests_accepted_total', 'holdfast_store_room_bytes'])
		assert.ok(families.has(name), name);
	for (const [name, family] of families)
		for (const sample of family.samples)
			for (const label of Object.keys(sample.labels))
				assert.ok(['origin', 'version', 'state', 'cache', 'result', 'worker'].includes(label),
					`${name}: ${label} would grow with use`);
	const before = families.size;
	for (let i = 0; i < 5; i++)
		await daemon.post(`/api/orders?n=${i}`, '{}', { 'X-Table': `${i}` });
	const after = checkMetrics((await daemon.cli('metrics')).stdout);
	const count = (f) => [...f.values()].reduce((n, one) => n + one.samples.length, 0);
	assert.equal(after.size, before);
	assert.equal(count(after), count(families), 'no series for each request or lane');
});

test('metrics-listen answers GET /metrics, to this device, and nothing else', async (x) => {
	const port = await freePort();
	const { daemon } = await panel(x, { agent: { 'metrics-listen': `127.0.0.1:${port}` } });
	const ask = (o) => request({ port, path: '/metrics', ...o });
	const answer = await ask({});
	assert.equal(answer.status, 200);
	assert.match(answer.headers['content-type'], /^text\/plain; version=0\.0\.4/);
	assert.ok(checkMetrics(answer.text).has('holdfast_health'));
	assert.equal((await ask({ method: 'HEAD' })).status, 200);
	for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'])
		assert.equal((await ask({ method })).status, 405, method);
	for (const path of ['/', '/.holdfast/metrics', '/.holdfast/status', '/.holdfast/export', '/metrics/', '//metrics', '/%6detrics', '/api/orders'])
		assert.equal((await ask({ path })).status, 404, path);
	for (const host of ['evil.example', 'localhost.evil.example', '192.0.2.1', `evil.example:${port}`, '127.0.0.1.evil.example'])
		assert.equal((await ask({ headers: { Host: host } })).status, 421, host);
	for (const host of ['localhost', '127.0.0.1', `localhost:${port}`, '[::1]'])
		assert.equal((await ask({ headers: { Host: host } })).status, 200, host);
	assert.equal((await ask({ headers: { Origin: 'https://evil.example' } })).status, 403);
	const open = await Promise.all(Array.from({ length: 12 }, () => Raw.open(port)));
	x.defer(() => open.forEach((raw) => raw.close()));
	const full = await until(async () => {
		const last = await ask({}).catch(() => null);
		return last && last.status === 503 ? last : null;
	}, { what: 'no more than so many connections' });
	assert.equal(full.status, 503);
	assert.equal((await daemon.get('/.holdfast/status')).status, 200, 'panels have places of their own');
	assert.equal((await daemon.cli('status')).code, 0);
});

suite('the operator');
