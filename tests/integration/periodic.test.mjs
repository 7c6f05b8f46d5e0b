/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Periodic background sync from outside: registrations over HTTP, events on the
 * stream, and what the origin sees. daemon.later() stands for the minutes between.
 */
import assert from 'node:assert/strict';
import { test, suite, sleep, until, sanitized } from './lib/harness.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon, queuedRoute } from './lib/daemon.mjs';
import { Stream } from './lib/sync_stream.mjs';

const MIN = 60000, HOUR = 60 * MIN;
const hold = (name, fn, options = {}) => test(name, options, fn);
const encode = encodeURIComponent;
const routes = [queuedRoute('/api/orders', 'orders')];

const ask = (daemon, method, tag, query = '') =>
	daemon.request({ method, path: `/.holdfast/periodicsync/${encode(tag)}${query}` });
const register = async (daemon, tag, minInterval) => {
	const answer = await ask(daemon, 'POST', tag, `?minInterval=${minInterval}`);
	assert.equal(answer.status, 200, answer.text);
	return answer.json();
};
const show = async (daemon, tag) => {
	const answer = await ask(daemon, 'GET', tag);
	return answer.status === 200 ? answer.json() : null;
};
const tags = async (daemon) =>
	(await daemon.json('/.holdfast/periodicsync')).registrations.map((r) => r.tag);
const settle = (daemon, event, how) => daemon.post(`/.holdfast/sync-events/${event}/${how}`, '');
const hits = (origin, url) => origin.arrivals.filter((a) => a.url === url).length;
const when = (daemon, tag, what, is, ms = 20000) => until(async () => {
	const r = await show(daemon, tag);
	return r && is(r) && r;
}, { ms: sanitized ? 3 * ms : ms, what: `${tag} ${what}` });
const afterRuns = (daemon, tag, n) => when(daemon, tag, `has ${n} runs`, (r) => r.runs === n);

async function world(x, periodicSync = [{ tag: 'menu', refresh: ['/menu'] }], more = {}) {
	const origin = await Origin.create(x);
	const daemon = await Daemon.create(x, { origin,
		manifest: { name: 'kiosk', routes, periodicSync }, ...more });
	return { origin, daemon };
}

hold('a registration is fired once in its interval, without drift', async (x) => {
	const { origin, daemon } = await world(x);
	const first = await register(daemon, 'menu', HOUR);
	assert.equal(first.state, 'waiting');
	assert.equal(first.interval, HOUR);
	assert.equal(first.lastResult, null);
	assert.ok(first.nextDueInMs >= HOUR - 1000 && first.nextDueInMs <= HOUR * 1.1, first.nextDueInMs);
	assert.ok(Math.abs(Date.parse(first.nextDue) - Date.now() - first.nextDueInMs) < 5000);
	for (let i = 1; i <= 3; i++) {
		await daemon.later((await show(daemon, 'menu')).nextDueInMs);
		const r = await afterRuns(daemon, 'menu', i);
		assert.equal(hits(origin, '/menu'), i);
		assert.deepEqual([r.state, r.missed, r.lastResult.result, r.lastResult.status],
			['waiting', 0, 'success', 200]);
		assert.ok(r.nextDueInMs > 0.98 * HOUR && r.nextDueInMs <= HOUR, `next in ${r.nextDueInMs}`);
	}
	await daemon.later(0.8 * HOUR);
	await sleep(300);
	assert.equal((await show(daemon, 'menu')).runs, 3);
}, { seconds: 60 });

hold('one event makes up for what was missed', async (x) => {
	const { origin, daemon } = await world(x);
	await register(daemon, 'menu', HOUR);
	await daemon.later(10.5 * HOUR);
	const r = await afterRuns(daemon, 'menu', 1);
	assert.ok(r.missed === 9 || r.missed === 8, `${r.missed} missed`);
	await sleep(500);
	assert.equal(hits(origin, '/menu'), 1);
});

hold('the floor is a minute', async (x) => {
	const { daemon } = await world(x);
	for (const query of ['', '?minInterval=0', '?minInterval=59999']) {
		const r = (await ask(daemon, 'POST', 'p', query)).json();
		assert.equal(r.interval, MIN);
		assert.equal(r.minInterval, Number(query.split('=')[1] ?? 0));
	}
	assert.equal((await register(daemon, 'p', 60001)).interval, 60001);
	for (const bad of ['-1', '1.5', 'x', '1e6', '31622400001', '99999999999999999999'])
		assert.equal((await ask(daemon, 'POST', 'p', `?minInterval=${bad}`)).status, 400, bad);
	assert.equal((await register(daemon, 'p', 31622400000)).interval, 31622400000);
});

hold('a minute in real time', async (x) => {
	const { origin, daemon } = await world(x);
	const stream = await Stream.open(x, daemon, 'periodicsync');
	const began = performance.now();
	await register(daemon, 'menu', 1);
	await stream.nth('menu', 'succeeded', 1, 120000);
	assert.ok(performance.now() - began >= MIN, 'fired too early');
	assert.equal(hits(origin, '/menu'), 1);
	assert.equal(stream.states('menu'), 'waiting pending firing succeeded');
	for (const e of stream.events)
		assert.ok(Date.parse(e.at) > 0);
}, { seconds: 150 });

hold('a registration that was answered survives SIGKILL', async (x) => {
	const { daemon } = await world(x);
	for (let i = 0; i < 10; i++) {
		await register(daemon, `t${i}`, HOUR + i);
		await daemon.restart();
	}
	assert.equal((await tags(daemon)).length, 10);
	assert.equal((await show(daemon, 't7')).minInterval, HOUR + 7);
	assert.equal((await ask(daemon, 'DELETE', 't7')).json().state, 'unregistered');
	await daemon.restart();
	assert.equal(await show(daemon, 't7'), null);
	assert.equal((await ask(daemon, 'DELETE', 't7')).status, 404);
	assert.equal((await tags(daemon)).length, 9);
}, { seconds: 60 });

hold('an event that SIGKILL ends is fired again under its key', async (x) => {
	const { origin, daemon } = await world(x, [{ tag: 'q', request: { url: '/q', body: 'up' } }]);
	await register(daemon, 'q', HOUR);
	const waiting = [];
	origin.handler = (req, res) => waiting.push(res);
	await daemon.later(1.2 * HOUR);
	await until(() => waiting.length === 1, { what: 'the first attempt' });
	assert.equal((await show(daemon, 'q')).state, 'firing');
	assert.equal((await show(daemon, 'q')).nextDueInMs, null);
	origin.handler = null;
	await daemon.restart();
	await afterRuns(daemon, 'q', 1);
	const [first, second] = origin.arrivals.filter((a) => a.url === '/q');
	assert.equal(first.key, second.key);
	await daemon.later(HOUR);
	await afterRuns(daemon, 'q', 2);
	assert.notEqual(origin.arrivals.at(-1).key, first.key);
});

hold('a failure is tried again within a tenth of the interval, then the run is over', async (x) => {
	const { origin, daemon } = await world(x);
	origin.handler = { status: 500 };
	await register(daemon, 'menu', 5 * MIN);
	await daemon.later(5.5 * MIN);
	const stream = await Stream.open(x, daemon, 'periodicsync');
	const r = await when(daemon, 'menu', 'gives up', (v) => v.runs === 1, 60000);
	assert.deepEqual([r.lastResult.result, r.lastResult.reason, r.lastResult.status, r.attempts],
		['failure', 'answer', 500, 0]);
	assert.equal(hits(origin, '/menu'), 4);
	await stream.nth('menu', 'failed');
	assert.match(stream.states('menu'), /retrying pending firing failed$/);
	origin.handler = null;
	await daemon.later(5 * MIN);
	assert.equal((await afterRuns(daemon, 'menu', 2)).lastResult.result, 'success');
}, { seconds: 90 });

hold('an origin that is away is waited for and not counted', async (x) => {
	const { origin, daemon } = await world(x);
	await register(daemon, 'menu', HOUR);
	await origin.stop();
	await daemon.later(1.2 * HOUR);
	const r = await when(daemon, 'menu', 'waits', (v) => v.waitsFor === 'network');
	assert.deepEqual([r.state, r.attempts, r.runs, r.nextDueInMs], ['pending', 0, 0, 0]);
	await origin.start();
	assert.equal((await when(daemon, 'menu', 'is fired', (v) => v.runs === 1)).lastResult.result, 'success');
}, { seconds: 60 });

hold('the page says how its event ended', async (x) => {
	const { daemon } = await world(x, []);
	await register(daemon, 'p/1 ä', HOUR);
	await daemon.later(1.2 * HOUR);
	const r = await when(daemon, 'p/1 ä', 'is fired', (v) => v.event);
	assert.equal(r.action, 'page');
	assert.ok(r.timeLeftMs > 100000);
	assert.equal((await settle(daemon, 'f'.repeat(32), 'success')).status, 404);
	assert.equal((await settle(daemon, r.event, 'success')).status, 200);
	assert.equal((await settle(daemon, r.event, 'success')).status, 404);
	assert.equal((await afterRuns(daemon, 'p/1 ä', 1)).lastResult.result, 'success');
});

hold('same-tag-oneoff-and-periodic', async (x) => {
	const { origin, daemon } = await world(x);
	await origin.stop();
	await daemon.post('/.holdfast/sync/menu', '');
	await register(daemon, 'menu', HOUR);
	assert.equal((await ask(daemon, 'DELETE', 'menu')).status, 200);
	assert.deepEqual((await daemon.json('/.holdfast/sync')).registrations.map((r) => r.tag), ['menu']);
	await daemon.restart();
	assert.deepEqual(await tags(daemon), []);
	assert.deepEqual((await daemon.json('/.holdfast/sync')).registrations.map((r) => r.tag), ['menu']);
});

hold('the manifest registers by itself, and waits for its window', async (x) => {
	const hour = (new Date().getUTCHours() + 12) % 24, two = (n) => String(n % 24).padStart(2, '0');
	const { origin, daemon } = await world(x, [
		{ tag: 'menu', minInterval: HOUR, refresh: ['/menu'] },
		{ tag: 'night', minInterval: HOUR, refresh: ['/night'],
			window: { from: `${two(hour)}:00`, to: `${two(hour + 1)}:00` } },
		{ tag: 'modem', minInterval: HOUR, refresh: ['/modem'], metered: false } ],
	{ agent: { metered: 'yes' }, env: { TZ: 'UTC' } });
	await until(async () => (await tags(daemon)).length === 3, { what: 'the manifest is registered' });
	assert.deepEqual(await tags(daemon), ['menu', 'night', 'modem']);
	await daemon.later(1.2 * HOUR);
	await afterRuns(daemon, 'menu', 1);
	const { connectivity, periodicSync } = await daemon.status();
	assert.equal((await show(daemon, 'night')).waitsFor, connectivity.clock === 'unset' ? 'clock' : 'window');
	assert.equal((await show(daemon, 'modem')).waitsFor, 'metered');
	assert.deepEqual([hits(origin, '/night'), hits(origin, '/modem')], [0, 0]);
	assert.deepEqual([periodicSync.pending, periodicSync.succeeded, periodicSync.registrations.length],
		[2, 1, 3]);
});

hold('the operator lists, registers and unregisters', async (x) => {
	const { daemon } = await world(x);
	assert.match((await daemon.cli('periodic', 'list')).stdout, /No tag is registered/);
	assert.equal((await daemon.cli('periodic', 'register', 'menu', '--min-interval', '90m')).code, 0);
	assert.equal((await daemon.cli('periodic', 'register', `long ${'x'.repeat(200)}`)).code, 0);
	await daemon.later(2 * HOUR);
	await afterRuns(daemon, 'menu', 1);
	const list = await daemon.cli('periodic', 'list');
	assert.equal(list.code, 0);
	assert.match(list.stdout, /menu +kiosk +waiting +90 min +\S+ \S+ +1 +success/);
	for (const line of list.stdout.split('\n'))
		assert.ok(line.length <= 80, `${line.length}: ${line}`);
	const json = JSON.parse((await daemon.cli('--json', 'periodic', 'list')).stdout);
	assert.equal(json.registrations[0].minInterval, 90 * MIN);
	assert.equal(json.registrations[0].lastResult.result, 'success');
	assert.match((await daemon.cli('status')).stdout,
		/\nperiodic +waiting 1, pending 0, firing 1, retrying 0, succeeded 1, failed 0\n +next in \d/);
	assert.equal((await daemon.cli('periodic', 'unregister', 'menu')).code, 0);
	assert.equal((await daemon.cli('periodic', 'unregister', 'menu')).code, 1);
	assert.equal((await daemon.cli('periodic', 'register')).code, 2);
}, { seconds: 60 });

hold('there is a limit, and lists have pages', async (x) => {
	const { daemon } = await world(x);
	for (let i = 0; i < 256; i++)
		await register(daemon, `t${i}`, HOUR);
	assert.equal((await ask(daemon, 'POST', 'more')).status, 503);
	const seen = [];
	for (let after = '0'; after;) {
		const part = await daemon.json(`/.holdfast/periodicsync?limit=50&after=${after}`);
		seen.push(...part.registrations.map((r) => r.tag));
		after = part.next;
	}
	assert.deepEqual(seen, [...Array(256).keys()].map((i) => `t${i}`));
}, { seconds: 60 });

suite('periodic background sync', 7);
