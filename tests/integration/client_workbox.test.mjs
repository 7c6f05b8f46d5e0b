/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workbox's background sync, as npm has it, on Holdfast's sync events: in
 * Chromium whose own SyncManager is taken away, so that it is as Firefox,
 * WebKit and WebViews are.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test, suite, until } from './lib/harness.mjs';
import { browser, killBrowser, newProfile, noBrowser, open } from './lib/chromium.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon } from './lib/daemon.mjs';

const part = (name) => fileURLToPath(new URL(`./node_modules/${name}/build/${name}.prod.js`, import.meta.url));
const PARTS = ['workbox-core', 'workbox-background-sync', 'workbox-strategies'];
const skip = noBrowser || (PARTS.every((name) => existsSync(part(name))) ? false : 'npm ci has not been run');

const HIDE = `
for (const name of ['sync', 'periodicSync']) delete ServiceWorkerRegistration.prototype[name];
for (const name of ['SyncManager', 'PeriodicSyncManager', 'SyncEvent', 'PeriodicSyncEvent']) delete globalThis[name];
for (const name of ['onsync', 'onperiodicsync']) delete globalThis[name];
`;

const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Orders</title><link rel="icon" href="data:,">
<script>${HIDE}
window.native = 'sync' in ServiceWorkerRegistration.prototype;</script>
<script type="module">
import { holdfast } from '/.holdfast/client.js';
holdfast.install();
await navigator.serviceWorker.register('/sw.js', { type: new URL(location).searchParams.get('type') ?? 'classic' });
const registration = await navigator.serviceWorker.ready;
if (!navigator.serviceWorker.controller)
	await new Promise((done) => navigator.serviceWorker.addEventListener('controllerchange', done, { once: true }));
const ask = (what) => new Promise((done) => {
	const { port1, port2 } = new MessageChannel();
	port1.onmessage = (event) => done(event.data);
	registration.active.postMessage(what, [port2]);
});
const order = (body) => fetch('/api/orders', { method: 'POST', body }).then((r) => r.status, (e) => e.name);
Object.assign(window, { holdfast, registration, ask, order, ready: true });
</script>`;

/* The page, and itself, from its cache while the shop is away; orders through Workbox. */
const WORKER = `
const { Queue, BackgroundSyncPlugin } = workbox.backgroundSync;
const seen = [];
self.addEventListener('sync', (event) => seen.push({ tag: event.tag, lastChance: event.lastChance }));
const orders = new workbox.strategies.NetworkOnly({ plugins: [new BackgroundSyncPlugin('orders')] });
const kept = new workbox.strategies.NetworkFirst({ cacheName: 'page' });
const stored = async () => (await indexedDB.databases()).some((db) => db.name === 'workbox-background-sync');
const size = async () => await stored() && new Promise((done) => {
	const open = indexedDB.open('workbox-background-sync');
	open.onsuccess = () => {
		const all = open.result.transaction('requests').objectStore('requests').count();
		all.onsuccess = () => (open.result.close(), done(all.result));
	};
});
self.addEventListener('install', (event) => event.waitUntil(self.skipWaiting()));
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('message', (event) => event.waitUntil((async () =>
	event.ports[0].postMessage({ seen, size: await size(), native: self.native, said: event.data }))()));
self.addEventListener('fetch', (event) => {
	const { pathname } = new URL(event.request.url);
	if (event.request.method === 'POST') event.respondWith(orders.handle(event));
	else if (!pathname.startsWith('/.holdfast/')) event.respondWith(kept.handle(event));
});
`;

const SCRIPTS = {
	classic: `${HIDE} self.native = 'sync' in self.registration;
		importScripts('/.holdfast/worker.js');
		holdfast.install();
		importScripts(${PARTS.map((name) => `'/${name}.js'`)});${WORKER}`,
	/* what a page's author writes without Workbox; a module's imports run before it */
	module: `import '/hide.js';
import { holdfast } from '/.holdfast/client.js';
holdfast.install();
self.onperiodicsync = (event) => event.waitUntil(fetch('/api/orders', { method: 'POST', body: 'periodic ' + event.tag }));
let tries = 0;
self.onsync = (event) => event.waitUntil((async () => {
	if (++tries === 1) throw new Error('not yet');
	await fetch('/api/orders', { method: 'POST', body: event.tag });
})());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', () => {});`,
};

async function kiosk(x, type) {
	const origin = await Origin.create(x);
	origin.handler = (req, res, arrival, o) => {
		if (req.method !== 'GET')
			return o.reply(req, res, arrival, {});
		const path = req.url.split('?')[0].slice(1, -3);
		const body = PARTS.includes(path) ? readFileSync(part(path)) :
			{ '/sw.js': SCRIPTS[type], '/hide.js': HIDE }[req.url] ?? PAGE;
		return o.reply(req, res, arrival, { body, headers: {
			'Content-Type': body === PAGE ? 'text/html' : 'text/javascript' } });
	};
	const daemon = await Daemon.create(x, { origin, manifest: { name: 'kiosk', version: '1',
		sync: [{ tag: '*', page: true, retrySeconds: 1 }] } });
	const profile = newProfile(x);
	const tab = async (context) => {
		const page = await open(x, context, `http://localhost:${daemon.port}/?type=${type}`);
		await page.waitForFunction(() => window.ready);
		return page;
	};
	return { origin, daemon, profile, tab };
}

const posts = (k) => k.origin.got('/api/orders').filter((a) => a.method === 'POST').map((a) => a.body.toString());
const tags = async (k) => (await k.daemon.json('/.holdfast/sync')).registrations.map((r) => r.tag);
const asked = (page) => page.evaluate(() => window.ask('how is it'));

test('Workbox: offline, killed, started again: delivered once, on our event', { skip, seconds: 120 }, async (x) => {
	const k = await kiosk(x, 'classic');
	const page = await k.tab(await browser(x, k.profile));
	assert.equal(await page.evaluate(() => window.native), false);
	assert.equal((await asked(page)).native, false);
	await page.reload(); /* through the worker's cache */
	await page.waitForFunction(() => window.ready);
	await k.origin.stop();
	/* no event begins meanwhile: a kill while Workbox sends would cost it what it sends */
	await until(async () => {
		await k.daemon.get('/x');
		return (await k.daemon.status()).origins[0].state === 'down';
	}, { ms: 20000, every: 50, what: 'the origin is down' });
	assert.equal(await page.evaluate(() => window.order('tea')), 'TypeError');
	assert.equal(await page.evaluate(() => window.order('cake')), 'TypeError');
	await until(async () => (await tags(k)).length === 1, { what: 'the tag is registered' });
	assert.deepEqual(await tags(k), ['workbox-background-sync:orders']);
	await until(async () => (await asked(page)).size === 2);
	await killBrowser(k.profile);
	await k.daemon.restart();

	const again = await k.tab(await browser(x, k.profile));
	assert.deepEqual(await again.evaluate(() => window.registration.sync.getTags()), ['workbox-background-sync:orders']);
	await until(async () => (await asked(again)).size === 2);
	assert.deepEqual(posts(k), []);
	await k.origin.start();
	await until(async () => (await tags(k)).length === 0, { ms: 40000, what: 'the event has succeeded' });
	assert.deepEqual(posts(k), ['tea', 'cake']);
	const { seen, size } = await asked(again);
	assert.equal(size, 0);
	assert.ok(seen.length >= 1 && seen.every((e) => e.tag === 'workbox-background-sync:orders'), JSON.stringify(seen));
	assert.equal((await k.daemon.status()).sync.succeeded, 1);
});

test('a module worker: its event fails and comes again, two tabs, one effect', { skip, seconds: 120 }, async (x) => {
	const k = await kiosk(x, 'module');
	const context = await browser(x, k.profile);
	const first = await k.tab(context), second = await k.tab(context);
	await second.evaluate(() => window.registration.sync.register('a tag'));
	await until(async () => (await tags(k)).length === 0, { ms: 40000, what: 'the event has succeeded' });
	assert.deepEqual(posts(k), ['a tag']);
	const { sync } = await k.daemon.status();
	assert.deepEqual([sync.fired, sync.failed, sync.succeeded], [2, 1, 1]);
	/* a page that has work of its own for a tag does it; the other tags stay the worker's */
	await first.evaluate(() => window.holdfast.addEventListener('sync', (event) => {
		if (event.tag === 'mine')
			event.waitUntil(window.order('from the page'));
	}));
	await second.close();
	for (const tag of ['mine', 'another'])
		await first.evaluate((t) => window.registration.sync.register(t), tag);
	await until(async () => (await tags(k)).length === 0, { ms: 40000, what: 'both events have succeeded' });
	assert.deepEqual(posts(k).slice(1).sort(), ['another', 'from the page']);
	/* periodic sync goes the same way */
	await first.evaluate(() => window.registration.periodicSync.register('menu', { minInterval: 3600000 }));
	assert.deepEqual(await first.evaluate(() => window.registration.periodicSync.getTags()), ['menu']);
	await k.daemon.later(1.2 * 3600000);
	await until(async () => (await k.daemon.json('/.holdfast/periodicsync/menu')).runs === 1, { ms: 40000 });
	assert.deepEqual(posts(k).slice(3), ['periodic menu']);
});

test('two tabs: one works on an event, and when it is closed the other one', { skip, seconds: 120 }, async (x) => {
	const k = await kiosk(x, 'module');
	const context = await browser(x, k.profile);
	const tabs = [await k.tab(context), await k.tab(context)];
	for (const [i, page] of tabs.entries())
		await page.evaluate((n) => {
			window.events = [];
			window.holdfast.addEventListener('sync', (event) => {
				window.events.push(event.tag);
				event.waitUntil(window.go ? window.order(`tab ${n}`) : new Promise(() => {}));
			});
		}, i);
	await tabs[0].evaluate(() => window.holdfast.sync.register('a'));
	const events = () => Promise.all(tabs.map((page) => page.evaluate(() => window.events)));
	await until(async () => (await events()).flat().length === 1);
	const at = (await events()).findIndex((list) => list.length === 1);
	const other = tabs[1 - at];
	await other.evaluate(() => (window.go = true));
	assert.deepEqual(await other.evaluate(() => window.events), []);
	await tabs[at].close();
	await until(async () => (await tags(k)).length === 0, { ms: 40000 });
	assert.deepEqual(posts(k), [`tab ${1 - at}`]);
	assert.equal((await k.daemon.status()).sync.fired, 1);
});

test('where there are no service workers, and in a frame of another site', { skip, seconds: 120 }, async (x) => {
	const k = await kiosk(x, 'module');
	const context = await browser(x, k.profile);
	await context.addInitScript(`delete Navigator.prototype.serviceWorker; ${HIDE}`);
	const page = await open(x, context, `http://localhost:${k.daemon.port}/.holdfast/client.js`);
	const said = await page.evaluate(async () => {
		const before = 'serviceWorker' in navigator;
		const { holdfast } = await import('/.holdfast/client.js');
		holdfast.install();
		holdfast.install();
		holdfast.addEventListener('sync', (event) => event.waitUntil((async () => (window.done = event.tag))()));
		const registration = await navigator.serviceWorker.ready;
		await registration.sync.register('plain');
		const { state } = await navigator.permissions.query({ name: 'periodic-background-sync' });
		return { before, state, manager: 'SyncManager' in window && 'PeriodicSyncManager' in window,
			same: registration === await navigator.serviceWorker.getRegistration(),
			refused: await navigator.serviceWorker.register('/sw.js').catch((e) => e.name) };
	});
	assert.deepEqual(said, { before: false, state: 'granted', manager: true, same: true, refused: 'NotSupportedError' });
	await page.waitForFunction(() => window.done === 'plain');

	await page.goto(`http://127.0.0.1:${k.daemon.port}/.holdfast/status`);
	await page.setContent(`<iframe src="http://localhost:${k.daemon.port}/.holdfast/client.d.ts"></iframe>`);
	const frame = await until(() => page.frames().find((f) => f.url().includes('client.d.ts')));
	assert.equal(await frame.evaluate(async () => {
		const { holdfast } = await import('/.holdfast/client.js');
		return holdfast.sync.register('a').then(() => 'taken', (e) => e.name);
	}), 'InvalidAccessError');
});

suite('client_workbox', 2);
