/* SPDX-License-Identifier: Apache-2.0 */
/* Background sync in the page's library, in Node: managers as the standards shape them, events with waitUntil(). */
import assert from 'node:assert/strict';
import { test, suite, until, sleep } from './lib/harness.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon } from './lib/daemon.mjs';
import { client } from './lib/client.mjs';

const HOUR = 3600000;

async function kiosk(x, { sync = [{ tag: '*', page: true, retrySeconds: 1 }], up = true, sources, ...options } = {}) {
	const origin = await Origin.create(x, { start: up });
	const daemon = await Daemon.create(x, { origin, manifest: { name: 'kiosk', sync }, ...options });
	return { x, origin, daemon, ...await client(x, daemon, { sources }) };
}

/* Until the test is over: what listens keeps the process. */
function listen(k, type, listener) {
	k.holdfast.addEventListener(type, listener);
	k.x.defer(() => k.holdfast.removeEventListener(type, listener));
}

const shown = async (k, tag) => {
	const answer = await k.daemon.get(`/.holdfast/sync?tag=${encodeURIComponent(tag)}`);
	const { registrations } = await k.daemon.json('/.holdfast/sync');
	assert.equal(answer.status, 200);
	return registrations.find((r) => r.tag === tag) ?? null;
};
const gone = (k, tag) => until(async () => !(await k.holdfast.sync.getTags()).includes(tag),
	{ ms: 20000, what: `${tag} is done` });

/* A listener that collects its events; each waits for what @work gives. */
function worker(k, work, type = 'sync') {
	const events = [];
	const listener = (event) => {
		events.push(event);
		event.waitUntil(work(event, events.length));
	};
	listen(k, type, listener);
	return { events, listener };
}

for (const sources of [true, false])
	test(`a tag is registered, its event is worked on, and it is gone, ${sources ? 'with' : 'without'} an event stream`,
		{ seconds: 60 }, async (x) => {
			const k = await kiosk(x, { sources });
			const { events } = worker(k, () => sleep(50));
			assert.equal(await k.holdfast.ready, k.holdfast);
			assert.equal(await k.holdfast.sync.register('orders/1 ä+&'), undefined);
			await gone(k, 'orders/1 ä+&');
			assert.equal(events.length, 1);
			assert.equal(events[0].type, 'sync');
			assert.equal(events[0].tag, 'orders/1 ä+&');
			assert.equal(events[0].lastChance, false);
			assert.ok(events[0] instanceof Event);
			const { sync } = await k.daemon.status();
			assert.deepEqual([sync.fired, sync.succeeded, sync.failed], [1, 1, 0]);
		});

test('a tag waits for the origin, once however often it is registered', { seconds: 60 }, async (x) => {
	const k = await kiosk(x, { up: false });
	const { events } = worker(k, async () => {});
	await until(async () => {
		await k.daemon.get('/x');
		return (await k.daemon.status()).origins[0].state === 'down';
	}, { ms: 20000, every: 50, what: 'the origin is down' });
	for (const tag of ['a', 'b', 'a', 'a', '', '..'])
		await k.holdfast.sync.register(tag);
	assert.deepEqual(await k.holdfast.sync.getTags(), ['a', 'b', '', '..']);
	assert.equal(events.length, 0);
	await k.origin.start();
	await until(async () => (await k.holdfast.sync.getTags()).length === 0, { ms: 30000 });
	assert.deepEqual(events.map((e) => e.tag).sort(), ['', '..', 'a', 'b']);
});

test('all promises are waited for, and one that is rejected fails the event', { seconds: 60 }, async (x) => {
	const k = await kiosk(x, { sync: [{ tag: '*', page: true, retrySeconds: 1, maxAttempts: 2 }] });
	const ended = [];
	const { events } = worker(k, async (event, n) => {
		event.waitUntil(sleep(60).then(() => {
			event.waitUntil(sleep(60).then(() => ended.push(`late ${n}`)));
			if (n === 1)
				throw new Error('not yet');
		}));
	});
	await k.holdfast.sync.register('a');
	await gone(k, 'a');
	assert.deepEqual(events.map((e) => e.lastChance), [false, true]);
	assert.deepEqual(ended, ['late 1', 'late 2']);
	assert.throws(() => events[1].waitUntil(sleep(1)), { name: 'InvalidStateError' });
	const { sync } = await k.daemon.status();
	assert.deepEqual([sync.fired, sync.succeeded, sync.failed], [2, 1, 1]);
});

test('past its last chance a tag is listed no more', { seconds: 60 }, async (x) => {
	const k = await kiosk(x, { sync: [{ tag: '*', page: true, maxAttempts: 1 }] });
	worker(k, () => Promise.reject(new Error('never')));
	await k.holdfast.sync.register('a');
	await until(async () => (await shown(k, 'a'))?.state === 'exhausted', { ms: 20000 });
	assert.deepEqual(await k.holdfast.sync.getTags(), []);
});

test('a page that comes in the middle of an event takes it', { seconds: 60 }, async (x) => {
	const k = await kiosk(x);
	await k.holdfast.sync.register('a');
	await until(async () => (await shown(k, 'a'))?.state === 'firing');
	const late = { ...k, ...await client(x, k.daemon) };
	const { events } = worker(late, async () => {});
	await gone(k, 'a');
	assert.equal(events.length, 1);
	assert.equal((await k.daemon.status()).sync.failed, 0);
});

test('who listens no more says nothing; who listens and waits for nothing says yes', { seconds: 60 }, async (x) => {
	const k = await kiosk(x, { sync: [{ tag: '*', page: true, timeoutSeconds: 2, retrySeconds: 600 }] });
	const { events, listener } = worker(k, async () => {});
	k.holdfast.removeEventListener('sync', listener);
	await k.holdfast.sync.register('a');
	const waiting = await until(async () => {
		const r = await shown(k, 'a');
		return r.state === 'waiting' && r;
	});
	assert.equal(waiting.reason, 'timeout');
	assert.equal(events.length, 0);
	const seen = [];
	listen(k, 'sync', (event) => seen.push(event.tag));
	await k.holdfast.sync.register('a');
	await gone(k, 'a');
	assert.deepEqual(seen, ['a']);
});

test('a kill in the middle of an event: it comes again, under another name', { seconds: 60 }, async (x) => {
	const k = await kiosk(x);
	let go;
	const { events } = worker(k, (event, n) => (n === 1 ? new Promise((done) => (go = done)) : Promise.resolve()));
	await k.holdfast.sync.register('a');
	await until(() => events.length === 1);
	await k.daemon.restart();
	await until(() => events.length === 2, { ms: 20000 });
	go();
	await gone(k, 'a');
	assert.equal((await k.daemon.status()).sync.succeeded, 1);
});

test('the first word counts when pages of two browsers work on one event', { seconds: 60 }, async (x) => {
	const k = await kiosk(x);
	const other = { ...k, ...await client(x, k.daemon) };
	const one = worker(k, async () => {}), two = worker(other, () => sleep(300).then(() => assert.fail('late')));
	await k.holdfast.sync.register('a');
	await gone(k, 'a');
	await until(() => two.events.length === 1 || one.events.length === 1);
	await sleep(500);
	const { sync } = await k.daemon.status();
	assert.deepEqual([sync.succeeded, sync.failed], [1, 0]);
});

test('refusals have the names of the standards', { seconds: 60 }, async (x) => {
	const k = await kiosk(x, { up: false });
	const { sync, periodicSync } = k.holdfast;
	const fails = (promise, name) => assert.rejects(promise, (e) => {
		assert.equal(e.name, name, `${e.stack}`);
		return name === 'TypeError' ? e instanceof TypeError : e instanceof DOMException;
	});
	await fails(sync.register('x'.repeat(257)), 'NotAllowedError');
	await fails(sync.register('a\0b'), 'NotAllowedError');
	await fails(sync.register(), 'TypeError');
	await fails(periodicSync.register(), 'TypeError');
	await fails(periodicSync.unregister(), 'TypeError');
	for (const minInterval of [-1, NaN, Infinity, 'soon', 2 ** 53])
		await fails(periodicSync.register('a', { minInterval }), 'TypeError');
	await k.daemon.kill();
	await fails(sync.register('a'), 'UnknownError');
	await fails(sync.getTags(), 'UnknownError');

	const nobody = await kiosk(x, { up: false, manifest: null });
	await fails(nobody.holdfast.sync.register('a'), 'InvalidStateError');
	for (const [status, name] of [[403, 'NotAllowed'], [409, 'InvalidState'], [501, 'NotSupported'], [503, 'Unknown'],
		[507, 'QuotaExceeded']]) {
		const made = new k.Holdfast({ fetch: async () => new Response('{"detail":"no"}', { status }) });
		await fails(made.sync.register('a'), `${name}Error`);
	}
	const asked = [];
	const made = new k.Holdfast({ fetch: async (url, init) => {
		asked.push(`${init.method} ${url}`);
		return new Response('{}', { status: init.method === 'DELETE' ? 404 : 200 });
	} });
	await made.periodicSync.register('me nu', { minInterval: 1000.7 });
	await made.periodicSync.register('b');
	await made.periodicSync.unregister('b');
	assert.deepEqual(asked, ['POST /.holdfast/periodicsync?tag=me+nu&minInterval=1000',
		'POST /.holdfast/periodicsync?tag=b&minInterval=0', 'DELETE /.holdfast/periodicsync?tag=b']);
});

test('a periodic tag: its events come, fail and come again, and it stays until it is unregistered', { seconds: 90 }, async (x) => {
	const k = await kiosk(x);
	const { periodicSync, sync } = k.holdfast;
	assert.equal(await periodicSync.register('menu', { minInterval: HOUR }), undefined);
	await periodicSync.register('other', { minInterval: 20 * HOUR });
	await periodicSync.register('menu', { minInterval: HOUR });
	assert.deepEqual(await periodicSync.getTags(), ['menu', 'other']);
	assert.deepEqual(await sync.getTags(), []);
	const { events } = worker(k, (event, n) => (n === 1 ? Promise.reject(new Error('not yet')) : sleep(20)), 'periodicsync');
	const oneOff = worker(k, async () => {});
	const is = (what) => until(async () => {
		const r = await k.daemon.json('/.holdfast/periodicsync/menu');
		return what(r) && r;
	}, { ms: 30000, what: `${what}` });
	await k.daemon.later(1.2 * HOUR);
	await k.daemon.later((await is((r) => r.state === 'retrying')).nextDueInMs);
	await is((r) => r.runs === 1);
	assert.equal(events.length, 2);
	await k.daemon.later(1.2 * HOUR);
	await is((r) => r.runs === 2);
	assert.deepEqual(events.map((e) => [e.type, e.tag, 'lastChance' in e]), Array(3).fill(['periodicsync', 'menu', false]));
	assert.equal(oneOff.events.length, 0);
	assert.deepEqual(await periodicSync.getTags(), ['menu', 'other']);
	assert.equal(await periodicSync.unregister('menu'), undefined);
	assert.equal(await periodicSync.unregister('menu'), undefined);
	assert.deepEqual(await periodicSync.getTags(), ['other']);
	await assert.rejects(periodicSync.register('x'.repeat(257)), { name: 'NotAllowedError' });
	await assert.rejects(periodicSync.register('x', { minInterval: 1e12 }), { name: 'NotAllowedError' });
});

suite('client_sync');
