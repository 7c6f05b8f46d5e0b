/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Background sync from outside: registrations over HTTP, events on the stream,
 * and what the origin sees. Tests are named by the behaviour they hold.
 */
import assert from 'node:assert/strict';
import { test, suite, sleep, until, sanitized } from './lib/harness.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon, queuedRoute } from './lib/daemon.mjs';
import { Stream } from './lib/sync_stream.mjs';

const encode = encodeURIComponent;
const hold = (name, fn, options = {}) => test(name, options, fn);

const register = async (daemon, tag) => {
	const answer = await daemon.post(`/.holdfast/sync/${encode(tag)}`, '');
	assert.equal(answer.status, 200, answer.text);
	return answer.json();
};
const unregister = (daemon, tag) =>
	daemon.request({ method: 'DELETE', path: `/.holdfast/sync/${encode(tag)}` });
const settle = (daemon, event, how) => daemon.post(`/.holdfast/sync-events/${event}/${how}`, '');
const show = async (daemon, tag) => {
	const answer = await daemon.get(`/.holdfast/sync/${encode(tag)}`);
	return answer.status === 200 ? answer.json() : null;
};
const tags = async (daemon) =>
	(await daemon.json('/.holdfast/sync?limit=1000')).registrations.map((r) => r.tag);
const gone = (daemon, tag) => until(async () => !await show(daemon, tag), { what: `${tag} is done` });
const inState = (daemon, tag, state) =>
	until(async () => { const r = await show(daemon, tag); return r?.state === state && r; },
		{ ms: 20000, what: `${tag} is ${state}` });

const routes = [queuedRoute('/api/orders', 'orders')];
const refresh = (tag, more = {}) => ({ tag, refresh: [`/r/${tag}`], ...more });
const page = (tag, more = {}) => ({ tag, page: true, ...more });

async function world(x, sync = [refresh('a')], more = {}) {
	const origin = await Origin.create(x, more.origin);
	const daemon = await Daemon.create(x, { origin,
		manifest: { name: 'kiosk', routes, sync }, ...more.daemon });
	return { origin, daemon, stream: await Stream.open(x, daemon) };
}
const hits = (origin, url) => origin.arrivals.filter((a) => a.url === url).length;

/* A gate that holds the origin's answers back: open(status). */
function gate(origin) {
	const waiting = [];
	origin.handler = (req, res) => waiting.push(res);
	return { waiting, open(status = 200, headers = {}) {
		waiting.shift().writeHead(status, headers).end();
	} };
}

hold('dup-register-one-event', async (x) => {
	const { origin, daemon, stream } = await world(x);
	await origin.stop();
	await register(daemon, 'a');
	await register(daemon, 'a');
	await register(daemon, 'a');
	assert.deepEqual(await tags(daemon), ['a']);
	await origin.start();
	await stream.nth('a', 'succeeded');
	await gone(daemon, 'a');
	await sleep(300);
	assert.equal(hits(origin, '/r/a'), 1);
}, { seconds: 60 });

hold('register-resolves-before-fire', async (x) => {
	const { origin, daemon } = await world(x);
	let answered = 0;
	for (let i = 0; i < 20; i++) {
		const arrived = until(() => origin.arrivals.length > i, { every: 0 }).then(() => performance.now());
		await daemon.post('/.holdfast/sync/a', '', {}, { onResponse: () => { answered = performance.now(); } });
		assert.ok(answered <= await arrived, `fired ${answered - await arrived} ms before the answer`);
		await gone(daemon, 'a');
	}
});

hold('register-while-waiting-fires-now', async (x) => {
	const { origin, daemon, stream } = await world(x, [refresh('a', { retrySeconds: 600 })]);
	origin.answers.push({ status: 500 });
	await register(daemon, 'a');
	const r = await inState(daemon, 'a', 'waiting');
	assert.ok(r.nextAttemptInMs > 60000, `next in ${r.nextAttemptInMs} ms`);
	assert.equal(r.attempts, 1);
	await register(daemon, 'a');
	await stream.nth('a', 'succeeded');
	assert.equal(hits(origin, '/r/a'), 2);
});

for (const [name, status] of [['success-fires-twice', 200], ['failure-resets-attempts', 500]])
	hold(`register-while-firing-${name}`, async (x) => {
		const { origin, daemon, stream } = await world(x, [refresh('a', { retrySeconds: 1 })]);
		origin.answers.push({ status: 500 });
		const g = gate(origin);
		await register(daemon, 'a');
		await until(() => g.waiting.length === 1, { what: 'the second attempt' });
		assert.equal((await show(daemon, 'a')).attempts, 1);
		await register(daemon, 'a');
		assert.equal((await show(daemon, 'a')).state, 'reregistered');
		g.open(status);
		await until(() => g.waiting.length === 1, { what: 'the event that follows' });
		assert.equal((await show(daemon, 'a')).attempts, 0);
		g.open();
		await stream.nth('a', 'succeeded');
		assert.equal(hits(origin, '/r/a'), 3);
	});

hold('lastChance-only-on-final', async (x) => {
	const { origin, daemon, stream } = await world(x,
		[refresh('a', { retrySeconds: 1, maxAttempts: 3 })]);
	origin.handler = { status: 500 };
	await register(daemon, 'a');
	await stream.nth('a', 'exhausted');
	assert.deepEqual(stream.all('a').filter((e) => e.state === 'firing').map((e) => e.lastChance),
		[false, false, true]);
	const r = await show(daemon, 'a');
	assert.equal(r.state, 'exhausted');
	assert.equal(r.attempts, 3);
	assert.equal(r.reason, 'answer');
	assert.equal(r.status, 500);
	assert.equal((await daemon.status()).sync.exhausted, 1);
	/* It stays until a person dismisses it, also over a restart, and stands in
	 * nobody's way. */
	await daemon.restart();
	assert.equal((await show(daemon, 'a')).state, 'exhausted');
	origin.handler = null;
	await register(daemon, 'a');
	await until(() => hits(origin, '/r/a') === 4, { what: 'the new registration' });
	await inState(daemon, 'a', 'exhausted');
	assert.equal((await unregister(daemon, 'a')).status, 200);
	assert.equal((await unregister(daemon, 'a')).status, 404);
}, { seconds: 60 });

hold('reject-then-success-removes', async (x) => {
	const { origin, daemon, stream } = await world(x, [refresh('a', { retrySeconds: 1 })]);
	origin.answers.push({ status: 503 }, { status: 404 });
	await register(daemon, 'a');
	await stream.nth('a', 'succeeded');
	assert.equal(stream.states('a'), 'pending firing waiting pending firing waiting pending firing succeeded');
	assert.deepEqual(await tags(daemon), []);
});

hold('terminated-equals-reject', async (x) => {
	const { origin, daemon, stream } = await world(x,
		[page('p', { timeoutSeconds: 1, retrySeconds: 600 }), refresh('a', { retrySeconds: 600 })]);
	await register(daemon, 'p');
	const waits = await stream.nth('p', 'waiting');
	assert.equal(waits.reason, 'timeout');
	assert.equal(waits.attempts, 1);
	origin.answers.push({ reset: 'body' });
	await register(daemon, 'a');
	const broken = await stream.nth('a', 'waiting');
	assert.equal(broken.attempts, 1);
});

hold('offline-at-dispatch-does-not-count', async (x) => {
	const { origin, daemon, stream } = await world(x, [refresh('a', { maxAttempts: 1 })]);
	await origin.stop();
	await register(daemon, 'a');
	await until(async () => (await daemon.status()).origins[0].state !== 'unknown', { ms: 20000 });
	const r = await show(daemon, 'a');
	assert.equal(r.attempts, 0);
	assert.equal(r.state, 'pending');
	await origin.start();
	await stream.nth('a', 'succeeded');
}, { seconds: 60 });

hold('getTags-includes-waiting-and-firing', async (x) => {
	const { origin, daemon } = await world(x,
		[refresh('w', { retrySeconds: 600 }), refresh('f'), refresh('n')]);
	origin.answers.push({ status: 500 });
	await register(daemon, 'w');
	await inState(daemon, 'w', 'waiting');
	const g = gate(origin);
	await register(daemon, 'f');
	await until(() => g.waiting.length === 1);
	await register(daemon, 'n');
	assert.deepEqual(await tags(daemon), ['w', 'f', 'n']);
	assert.equal((await show(daemon, 'f')).state, 'firing');
	assert.equal((await show(daemon, 'n')).state, 'pending');
	g.open();
	await until(() => g.waiting.length === 1);
	g.open();
	await gone(daemon, 'n');
	assert.deepEqual(await tags(daemon), ['w']);
});

hold('online-edge-promotes-waiting', async (x) => {
	const { origin, daemon, stream } = await world(x, [refresh('a', { retrySeconds: 600 })]);
	origin.answers.push({ status: 500 });
	await register(daemon, 'a');
	const r = await inState(daemon, 'a', 'waiting');
	assert.ok(r.nextAttemptInMs > 60000);
	await origin.stop();
	/* other traffic finds out that the origin is gone */
	await until(async () => {
		await daemon.get('/x');
		return (await daemon.status()).origins[0].state === 'down';
	}, { what: 'the origin is down', every: 50 });
	await origin.start();
	await stream.nth('a', 'succeeded');
	assert.equal(hits(origin, '/r/a'), 2);
}, { seconds: 60 });

hold('retry-after-beats-edge', async (x) => {
	const { origin, daemon, stream } = await world(x, [refresh('a')]);
	origin.answers.push({ status: 503, headers: { 'Retry-After': '300' } });
	await register(daemon, 'a');
	const r = await inState(daemon, 'a', 'waiting');
	assert.equal(r.reason, 'retry-after');
	assert.ok(r.nextAttemptInMs > 250000 && r.nextAttemptInMs <= 300000);
	await origin.stop();
	await until(async () => {
		await daemon.get('/x');
		return (await daemon.status()).origins[0].state === 'down';
	}, { what: 'the origin is down', every: 50 });
	await origin.start();
	await daemon.post('/api/orders'); /* looks for it */
	await until(async () => (await daemon.status()).origins[0].state === 'up', { ms: 20000 });
	await sleep(5500); /* longer than devices are spread over */
	await daemon.post('/.holdfast/sync-now', '');
	await sleep(300);
	assert.equal(stream.states('a'), 'pending firing waiting');
	assert.equal(hits(origin, '/r/a'), 1);
	await daemon.restart();
	const after = await show(daemon, 'a');
	assert.ok(after.nextAttemptInMs > 200000, `next in ${after.nextAttemptInMs} ms`);
}, { seconds: 60 });

hold('crash-mid-event-restores-pending', async (x) => {
	const request = { url: '/r/q', fields: { 'Content-Type': 'application/json' }, body: '{"n":1}' };
	const { origin, daemon } = await world(x, [{ tag: 'q', request, maxAttempts: 1 }]);
	const g = gate(origin);
	await register(daemon, 'q');
	await until(() => g.waiting.length === 1);
	origin.handler = null;
	await daemon.restart();
	await until(() => origin.effects.size === 1, { what: 'the event after the restart' });
	await gone(daemon, 'q');
	const [first, second] = origin.arrivals.filter((a) => a.url === '/r/q');
	assert.equal(first.key, second.key);
	assert.match(first.key, /^sync-/);
	assert.equal(second.body.toString(), '{"n":1}');
	assert.equal(second.headers['content-type'], 'application/json');
});

hold('crash-loop-is-bounded', async (x) => {
	const { origin, daemon } = await world(x, [refresh('a', { retrySeconds: 600, maxAttempts: 2 })]);
	const g = gate(origin);
	await register(daemon, 'a');
	for (let i = 1; i <= 3; i++) {
		await until(() => g.waiting.length === i, { what: `attempt ${i}` });
		await daemon.restart();
	}
	const r = await inState(daemon, 'a', 'waiting');
	assert.equal(r.attempts, 1);
	assert.equal(r.reason, 'crash');
	await register(daemon, 'a');
	for (let i = 4; i <= 6; i++) {
		await until(() => g.waiting.length === i, { what: `attempt ${i}` });
		await daemon.restart();
	}
	assert.equal((await inState(daemon, 'a', 'exhausted')).reason, 'crash');
}, { seconds: 60 });

hold('an orderly end of holdfastd during an event does not count', async (x) => {
	const { origin, daemon } = await world(x, [refresh('a', { maxAttempts: 1 })]);
	const g = gate(origin);
	await register(daemon, 'a');
	for (let i = 1; i <= 5; i++) {
		await until(() => g.waiting.length === i, { what: `attempt ${i}` });
		await daemon.restart('SIGTERM');
	}
	assert.equal((await show(daemon, 'a')).attempts, 0);
	await until(() => g.waiting.length === 6);
	g.waiting.at(-1).end('done');
	await gone(daemon, 'a');
}, { seconds: 60 });

hold('a registration that was answered survives SIGKILL before it is fired', async (x) => {
	const { origin, daemon } = await world(x, [{ tag: '*', refresh: ['/r/any'] }]);
	await origin.stop();
	for (let i = 0; i < 10; i++) {
		await register(daemon, `t${i}`);
		await daemon.restart();
	}
	assert.equal((await tags(daemon)).length, 10);
	await origin.start();
	await until(async () => (await tags(daemon)).length === 0, { ms: 40000, what: 'all are fired' });
	assert.equal(hits(origin, '/r/any'), 10);
}, { seconds: 90 });

hold('storage-error-keeps-other-rows', async (x) => {
	const { origin, daemon } = await world(x, [page('*')]);
	await origin.stop();
	for (let i = 0; i < 30; i++)
		await register(daemon, `t${i}`);
	await daemon.kill('SIGTERM');
	/* one row changes on the medium */
	const { DatabaseSync } = await import('node:sqlite').catch(() => ({}));
	const { readdirSync } = await import('node:fs');
	assert.ok(readdirSync(daemon.stateDir).includes('queue-1.db'));
	if (DatabaseSync) {
		const db = new DatabaseSync(`${daemon.stateDir}/queue-1.db`);
		db.exec("UPDATE registration SET tag = x'ff00' WHERE id = 7");
		db.close();
	}
	await daemon.start();
	const left = await tags(daemon);
	assert.equal(left.length, DatabaseSync ? 29 : 30);
	assert.ok(left.includes('t0') && left.includes('t29'));
	if (DatabaseSync)
		assert.equal((await daemon.status()).sync.damaged, 1);
	await register(daemon, 'more');
	assert.equal((await tags(daemon)).length, left.length + 1);
});

hold('unregister-worker-drops-registrations', async (x) => {
	const origin = await Origin.create(x, { start: false });
	const manifest = { name: 'm', sync: [{ tag: '*', refresh: ['/r'] }] };
	const workers = [{ name: 'one', scope: '/one/', manifest }, { name: 'two', scope: '/two/', manifest }];
	const daemon = await Daemon.create(x, { origin, workers });
	const as = (tag, scope) => daemon.post(`/.holdfast/sync/${tag}`, '',
		{ Referer: `http://localhost:${daemon.port}${scope}index.html` });
	assert.equal((await as('a', '/one/')).json().worker, 'one');
	assert.equal((await as('a', '/two/')).json().worker, 'two');
	assert.equal((await as('a', '/three/')).status, 409);
	assert.equal((await daemon.post('/.holdfast/sync/a?worker=three', '')).status, 404);
	await daemon.kill();
	const other = await Daemon.create(x, { origin, workers: workers.slice(1), agent: {
		'state-dir': daemon.stateDir } });
	const list = (await other.json('/.holdfast/sync?worker=two')).registrations;
	assert.deepEqual(list.map((r) => `${r.worker} ${r.tag}`), ['two a']);
	assert.equal((await other.status()).sync.dropped, 1);
	await other.kill();
	await daemon.start();
	assert.deepEqual((await daemon.json('/.holdfast/sync?worker=one')).registrations, []);
});

hold('the page says how its event ended', async (x) => {
	const { daemon, stream } = await world(x, [page('*', { retrySeconds: 1 })]);
	await register(daemon, 'p/1 ä');
	const first = await stream.nth('p/1 ä', 'firing');
	assert.equal(first.action, 'page');
	assert.equal((await show(daemon, 'p/1 ä')).event, first.event);
	assert.equal((await settle(daemon, 'f'.repeat(32), 'success')).status, 404);
	assert.equal((await settle(daemon, first.event, 'failure')).status, 200);
	assert.equal((await settle(daemon, first.event, 'success')).status, 404);
	const second = await stream.nth('p/1 ä', 'firing', 2);
	assert.notEqual(second.event, first.event);
	assert.equal(second.attempts, 1);
	assert.equal((await settle(daemon, second.event, 'success')).status, 200);
	await stream.nth('p/1 ä', 'succeeded');
	assert.equal(await show(daemon, 'p/1 ä'), null);
});

hold('pages of another origin do not end an event', async (x) => {
	const a = await Origin.create(x), b = await Origin.create(x);
	const daemon = await Daemon.create(x, { origins: [{ name: 'a', url: a.url },
		{ name: 'b', url: b.url, host: 'b.localhost' }], manifest: { name: 'm', sync: [page('p')] } });
	await register(daemon, 'p');
	const { event } = await until(async () => { const r = await show(daemon, 'p'); return r?.event && r; });
	const host = { Host: `b.localhost:${daemon.port}` };
	assert.equal((await daemon.post(`/.holdfast/sync-events/${event}/success`, '', host)).status, 404);
	assert.equal((await daemon.get('/.holdfast/sync/p', host)).status, 409);
	assert.equal((await settle(daemon, event, 'success')).status, 200);
});

hold('an event for pages waits until the origin has been reached, once', async (x) => {
	const { origin, daemon } = await world(x, [page('a', { maxAttempts: 1 })],
		{ origin: { start: false } });

	await register(daemon, 'a');
	await daemon.restart();
	const stream = await Stream.open(x, daemon);
	await sleep(1500);
	assert.equal((await show(daemon, 'a')).state, 'pending');
	await origin.start();
	const fired = await until(() => stream.all('a').find((e) => e.state === 'firing'), { ms: 20000 });
	assert.equal((await settle(daemon, fired.event, 'success')).status, 200);
	await gone(daemon, 'a');
}, { seconds: 60 });

hold('an event replays the lanes that queue with its tag', async (x) => {
	const { origin, daemon, stream } = await world(x, [{ tag: 'orders', replay: true, retrySeconds: 1 }]);
	origin.handler = { status: 500 };
	const queued = await daemon.post('/api/orders');
	assert.equal(queued.status, 202);
	await register(daemon, 'orders');
	await stream.nth('orders', 'waiting');
	origin.handler = null;
	await stream.nth('orders', 'succeeded', 1, 40000);
	assert.equal((await daemon.record(queued.json().id)).state, 'settled');
	/* nothing waits: it has nothing to do */
	await register(daemon, 'orders');
	await stream.nth('orders', 'succeeded', 2);
}, { seconds: 60 });

hold('unregister ends a registration and its event', async (x) => {
	const { origin, daemon, stream } = await world(x);
	const g = gate(origin);
	await register(daemon, 'a');
	await until(() => g.waiting.length === 1);
	assert.equal((await unregister(daemon, 'a')).json().state, 'unregistered');
	assert.deepEqual(await tags(daemon), []);
	await daemon.restart();
	assert.deepEqual(await tags(daemon), []);
	assert.match(stream.states('a'), /firing unregistered$/);
});

hold('tags have rules', async (x) => {
	const { origin, daemon } = await world(x, [page('*')]);
	await origin.stop();
	const post = async (target) => (await daemon.post(`/.holdfast/sync${target}`, '')).status;
	assert.equal(await post('?tag='), 200);
	assert.equal(await post('?tag=..'), 200);
	assert.equal(await post(`/${'x'.repeat(256)}`), 200);
	assert.equal(await post(`/${'x'.repeat(257)}`), 413);
	assert.equal(await post('/%ff'), 400);
	assert.equal(await post('/a%00b'), 400);
	assert.equal(await post('/%zz'), 400);
	assert.equal(await post(''), 400);
	assert.deepEqual(await tags(daemon), ['', '..', 'x'.repeat(256)]);
	assert.equal((await daemon.json('/.holdfast/sync?tag=..')).tag, '..');
	assert.equal((await daemon.json('/.holdfast/sync?tag=')).tag, '');
	assert.equal((await daemon.get('/.holdfast/sync?tag=other')).status, 404);
});

hold('the operator lists, registers and unregisters', async (x) => {
	const { origin, daemon } = await world(x, [refresh('a')]);
	await origin.stop();
	assert.match((await daemon.cli('sync', 'list')).stdout, /No tag is registered/);
	assert.equal((await daemon.cli('sync', 'register', 'a')).code, 0);
	assert.equal((await daemon.cli('sync', 'register', 'b c/ä')).code, 0);
	const list = await daemon.cli('sync', 'list');
	assert.equal(list.code, 0);
	assert.match(list.stdout, /b c\/ä/);
	const json = JSON.parse((await daemon.cli('--json', 'sync', 'list')).stdout);
	assert.deepEqual(json.registrations.map((r) => r.tag), ['a', 'b c/ä']);
	assert.equal((await daemon.cli('sync', 'unregister', 'b c/ä')).code, 0);
	assert.equal((await daemon.cli('sync', 'unregister', 'b c/ä')).code, 1);
	assert.equal((await daemon.cli('sync', 'register')).code, 2);
	assert.deepEqual(await tags(daemon), ['a']);
});

hold('10 k tags scheduler cost', async (x) => {
	const N = sanitized ? 1000 : 10000;
	const { origin, daemon } = await world(x, [{ tag: '*', refresh: ['/r'] }]);
	await origin.stop();
	for (let i = 0; i < N;) {
		const part = [];
		for (; part.length < 64 && i < N; i++)
			part.push(daemon.post(`/.holdfast/sync/document-${i}`, ''));
		assert.ok((await Promise.all(part)).every((a) => a.status === 200));
	}
	if (N === 10000) {
		assert.equal((await daemon.post('/.holdfast/sync/more', '')).status, 503);
		await daemon.restart();
		const rss = daemon.rssKb();
		assert.ok(rss < 7680, `${rss} kB with ${N} tags`);
	}
	const seen = new Set();
	for (let after = '0'; after;) {
		const part = await daemon.json(`/.holdfast/sync?limit=1000&after=${after}`);
		part.registrations.forEach((r) => seen.add(r.tag));
		after = part.next;
	}
	assert.equal(seen.size, N);
	const begin = performance.now();
	await origin.start();
	await until(async () => {
		const { sync } = await daemon.status();
		return sync.pending + sync.firing === 0;
	}, { ms: 200000, every: 250, what: 'all are fired' });
	assert.equal(hits(origin, '/r'), N);
	console.log(`# ${N} tags fired in ${Math.round(performance.now() - begin)} ms, ${daemon.rssKb()} kB`);
}, { seconds: 300 });

suite('background sync', 6);
