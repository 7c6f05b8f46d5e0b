/* SPDX-License-Identifier: Apache-2.0 */
/* The page's library in Chromium: reloads, kills of the daemon, tabs. */
import assert from 'node:assert/strict';
import { test, suite, until } from './lib/harness.mjs';
import { browser, noBrowser, open } from './lib/chromium.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon, queuedRoute } from './lib/daemon.mjs';

const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Orders</title><link rel="icon" href="data:,">
<script type="module">
import { holdfast, HoldfastError } from '/.holdfast/client.js';
const told = { ids: [], events: [], answers: [], errors: [] };
const settle = (promise) => promise.then(
	async (r) => told.answers.push({ status: r.status, text: await r.text() }),
	(e) => told.errors.push({ name: e.name, ours: e instanceof HoldfastError, state: e.state, reason: e.reason, id: e.id }));
const order = (init = {}) => settle(holdfast.fetch('/api/orders', { method: 'POST', body: 'tea', ...init,
	onqueued: (id) => told.ids.push(id) }));
Object.assign(window, { holdfast, told, settle, order });
</script>`;

/* The origin shows its page always, and takes orders while origin.takes. */
async function kiosk(x, policy, context) {
	const origin = await Origin.create(x);
	origin.handler = (req, res, arrival, o) => {
		if (req.method !== 'GET')
			return o.reply(req, res, arrival, !origin.takes ? { status: 503 } :
				origin.echoes ? { body: `answer to ${arrival.body}` } : {});
		return o.reply(req, res, arrival, { body: PAGE, headers: { 'Content-Type': 'text/html' } });
	};
	const daemon = await Daemon.create(x, { origin, manifest: { name: 'kiosk', version: '1',
		routes: [queuedRoute('/api/orders', 'orders', policy)] } });
	context ??= await browser(x);
	const tab = async () => {
		const page = await open(x, context, `http://localhost:${daemon.port}/`);
		page.streams = 0;
		page.on('request', (r) => (page.streams += r.url().endsWith('/.holdfast/events')));
		await loaded(page);
		return page;
	};
	return { origin, daemon, context, tab };
}

const loaded = (page) => page.waitForFunction(() => window.told);
const told = (page, what, n = 1) => until(async () => {
	const all = await page.evaluate((w) => window.told[w], what);
	return all.length >= n && all;
}, { ms: 20000, what: `${n} ${what}` });

async function takes(k) {
	k.origin.takes = true;
	await k.daemon.post('/.holdfast/sync-now', '');
}

test('queued, reloaded, found again, the daemon killed: the answer comes', { skip: noBrowser, seconds: 90 }, async (x) => {
	const k = await kiosk(x);
	const page = await k.tab();
	await page.evaluate(() => void window.order());
	const [id] = await told(page, 'ids');
	await page.reload();
	await loaded(page);
	const found = await page.evaluate(async () => {
		const pending = await window.holdfast.pending({ tag: 'orders' });
		pending.forEach((r) => window.settle(r.response));
		return pending.map((r) => ({ id: r.id, url: r.url }));
	});
	assert.deepEqual(found, [{ id, url: '/api/orders' }]);
	await k.daemon.restart();
	await takes(k);
	const [answer] = await told(page, 'answers');
	assert.deepEqual(answer, { status: 201, text: '{"order":1}' });
	assert.equal(k.origin.effects.size, 1);
	assert.deepEqual(await page.evaluate(() => window.holdfast.pending()), []);
});

test('the origin gone altogether: the promise of before the outage', { skip: noBrowser, seconds: 90 }, async (x) => {
	const k = await kiosk(x);
	const page = await k.tab();
	await k.origin.stop();
	await page.evaluate(() => void window.order());
	await told(page, 'ids');
	await k.daemon.kill('SIGKILL');
	await k.daemon.start();
	k.origin.takes = true;
	await k.origin.start();
	assert.equal((await told(page, 'answers'))[0].status, 201);
	assert.equal(page.streams > 0, true);
});

/* Any of them may be the one that listens for all. */
async function leaderFirst(tabs) {
	await until(() => tabs.some((tab) => tab.streams > 0), { ms: 30000, what: 'a stream' });
	return [...tabs].sort((a, b) => b.streams - a.streams);
}

/* False: it was being sent at that moment. */
const cancelFirst = () => window.holdfast.pending().then(([r]) => r.cancel()).then(() => true, (e) => {
	if (e.status !== 409)
		throw e;
	return false;
});

for (const order of ['in turn', 'the other way round', 'at once'])
	test(`two tabs that listen ${order}: one stream, cancelled from the other, handed on`,
		{ skip: noBrowser, seconds: 120 }, async (x) => {
			const k = await kiosk(x);
			const tabs = [await k.tab(), await k.tab()];
			const listen = (page) => page.evaluate(() => {
				window.holdfast.on('change', (e) => window.told.events.push(`${e.type} ${e.id}`));
				window.holdfast.on('gap', () => window.told.events.push('gap'));
			});
			if (order === 'at once')
				await Promise.all(tabs.map(listen));
			else
				for (const page of order === 'in turn' ? tabs : [...tabs].reverse())
					await listen(page);
			const [first, second] = await leaderFirst(tabs);
			await first.evaluate(() => void window.order());
			const [id] = await told(first, 'ids');
			assert.deepEqual((await told(second, 'events')).slice(0, 1), [`queued ${id}`]);
			await until(() => second.evaluate(cancelFirst), { ms: 20000, what: 'cancelled' });
			const [error] = await told(first, 'errors');
			assert.deepEqual(error, { name: 'HoldfastError', ours: true, state: 'cancelled', reason: 'operator', id });
			assert.deepEqual([first.streams, second.streams], [1, 0]);

			await second.evaluate(() => void window.order());
			await told(second, 'ids');
			await first.close();
			await until(() => second.streams === 1, { ms: 30000, what: 'the stream handed on' });
			await until(async () => (await told(second, 'events')).includes('gap'), { ms: 30000, what: 'a gap' });
			await takes(k);
			assert.deepEqual(await told(second, 'answers'), [{ status: 201, text: '{"order":1}' }]);
		});

test('two devices, two tabs of each, reloads in the middle: nothing is crossed', { skip: noBrowser, seconds: 120 }, async (x) => {
	const one = await kiosk(x);
	const two = await kiosk(x, undefined, one.context);
	const devices = { one, two }, pages = {};
	for (const [device, k] of Object.entries(devices)) {
		k.origin.echoes = true;
		for (const tab of ['left', 'right'])
			pages[`${device} ${tab}`] = await k.tab();
	}
	const all = Object.entries(pages);
	const of = (name) => devices[name.split(' ')[0]];
	await Promise.all(all.map(([name, page]) => page.evaluate((who) => {
		window.holdfast.on('change', (event) => event.tag === 'orders' && window.told.events.push(event.id));
		window.holdfast.addEventListener('sync', (event) => event.waitUntil(
			fetch('/api/notes', { method: 'POST', body: `${who} ${event.tag}` })));
		for (let i = 0; i < 8; i++)
			void window.order({ body: `${who} ${i}` });
	}, name)));
	const ids = {};
	for (const [name, page] of all)
		ids[name] = await told(page, 'ids', 8);
	assert.equal(new Set(Object.values(ids).flat()).size, 32);
	const mine = (name) => all.filter(([other]) => of(other) === of(name)).flatMap(([other]) => ids[other]);
	for (const device of ['one', 'two']) { /* a reload while its own and the other tab's are on their way */
		const page = pages[`${device} left`];
		await page.reload();
		await loaded(page);
		await page.evaluate(async () => (await window.holdfast.pending()).forEach((r) => window.settle(r.response)));
	}
	for (const [name, page] of all)
		await page.evaluate((tag) => window.holdfast.sync.register(tag), `tag of ${name.split(' ')[0]}`);
	for (const k of [one, two])
		await takes(k);
	const expected = (device, tabs) => tabs.flatMap((tab) => Array.from({ length: 8 }, (_, i) => `answer to ${device} ${tab} ${i}`));
	for (const device of ['one', 'two']) {
		const texts = async (tab, n) => (await told(pages[`${device} ${tab}`], 'answers', n)).map((a) => a.text).sort();
		assert.deepEqual(await texts('left', 16), expected(device, ['left', 'right']).sort());
		assert.deepEqual(await texts('right', 8), expected(device, ['right']).sort());
		const heard = [...new Set(await told(pages[`${device} right`], 'events', 16))];
		assert.deepEqual(heard.filter((id) => !mine(device).includes(id)), []);
		const { origin, daemon } = devices[device];
		assert.deepEqual([...origin.effects.values()].map((e) => e.body.toString()).filter((b) => !b.includes('tag of')).sort(),
			expected(device, ['left', 'right']).map((t) => t.slice('answer to '.length)).sort());
		await until(async () => (await daemon.json('/.holdfast/sync')).registrations.length === 0, { ms: 30000 });
		const notes = origin.got('/api/notes').map((a) => a.body.toString());
		assert.ok(notes.length > 0 && notes.every((note) => note.startsWith(device) && note.endsWith(`tag of ${device}`)), `${notes}`);
	}
});

test('abort, a body that is a stream, and a request that grows too old', { skip: noBrowser, seconds: 90 }, async (x) => {
	const k = await kiosk(x, { maxAgeSeconds: 3 });
	const page = await k.tab();
	await page.evaluate(() => {
		window.stop = new AbortController();
		window.order({ signal: window.stop.signal });
	});
	const [id] = await told(page, 'ids');
	await page.evaluate(() => window.stop.abort());
	assert.equal((await told(page, 'errors'))[0].name, 'AbortError');
	assert.equal((await k.daemon.record(id)).state === 'cancelled', false);
	await page.evaluate(() => void window.order({ body: new Blob(['a stream']).stream(), duplex: 'half' }));
	const [, other] = await told(page, 'ids', 2);
	const [, error] = await told(page, 'errors', 2);
	assert.deepEqual(error, { name: 'HoldfastError', ours: true, state: 'dead', reason: 'expired', id: other });
	const kept = (await k.daemon.cli('queue', 'export')).stdout.trim().split('\n').map((line) => JSON.parse(line));
	assert.equal(atob(kept.find((r) => r.id === other).body), 'a stream');
});

suite('client_page', 2);
