/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast-sim live in Chromium: the panel orders, the control page pulls the
 * link, cuts the power, turns the portal on, and both show what became of it.
 * Screenshots lie in HF_OUT_DIR/screenshots.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { join } from 'node:path';
import { Authority } from './lib/certs.mjs';
import { browser, eachLook, noBrowser, open, SHOTS } from './lib/chromium.mjs';
import { request } from './lib/http.mjs';
import { test, suite, until, sanitized } from './lib/harness.mjs';
import { freePort } from './lib/ports.mjs';
import { noSim, SIM } from './lib/sim.mjs';

const skip = noSim || noBrowser;
const LONG = sanitized ? 60000 : 20000;

/* A running holdfast-sim live: { panel, control, child, stop(), state(), ... }. */
async function live(x, args = []) {
	const port = await freePort();
	const tmp = join(x.dir, 'tmp');
	mkdirSync(tmp, { recursive: true });
	const child = spawn(SIM, ['live', '--no-browser', '--port', String(port), ...args],
		{ stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TMPDIR: tmp } });
	const l = { child, tmp, said: '' };
	child.stdout.on('data', (d) => (l.said += d));
	child.stderr.on('data', (d) => (l.said += d));
	l.exit = new Promise((resolve) => child.once('close', (code, signal) => {
		l.over = { code, signal };
		resolve(l.over);
	}));
	l.stop = async (signal = 'SIGINT') => {
		child.kill(signal);
		return l.exit;
	};
	x.explain(() => `holdfast-sim live said:\n${l.said}`);
	x.defer(async () => {
		if (!l.over)
			await l.stop();
		assert.doesNotMatch(l.said, /Sanitizer|assert/i);
	});
	const url = (name) => new RegExp(`${name}\\s+(http://\\S+)`).exec(l.said)?.[1];
	await until(() => l.over || url('Control'), { ms: LONG, what: 'holdfast-sim live says where' });
	assert.ok(!l.over, l.said);
	l.panel = url('Panel');
	l.control = url('Control');
	l.port = Number(new URL(l.panel).port);
	l.controlPort = Number(new URL(l.control).port);
	l.post = (path, body, headers) => request({ port: l.controlPort, method: 'POST', path,
		body: JSON.stringify(body), headers });
	l.state = () => readState(l.controlPort);
	await until(async () => (await l.state()).daemon.power === 'on', { ms: LONG, what: 'holdfastd serves' });
	return l;
}

/* The first state of a new feed. */
function readState(port) {
	return new Promise((resolve, reject) => {
		request({ port, path: '/feed', onResponse(res) {
			let text = '';
			res.on('data', (d) => {
				text += d;
				const found = /event: ?state\ndata: ?(.*)\n\n/.exec(text);
				if (!found)
					return;
				resolve(JSON.parse(found[1]));
				res.destroy();
			});
			res.on('end', () => reject(new Error('the feed has ended')));
		} }).catch(reject);
	});
}

/* Each page at two widths, light and dark. */
async function shoot(pages, name) {
	for (const [who, page] of Object.entries(pages)) {
		await eachLook(page, (width, colorScheme) =>
			page.screenshot({ path: join(SHOTS, `live-${name}-${who}-${width}-${colorScheme}.png`),
				fullPage: who === 'control' || width === 400 }));
	}
}

async function order(page, ...items) {
	for (const item of items)
		await page.click(`[data-id="${item}"]`);
	await page.click('#order');
}

/* Until the panel's newest tickets are in these states. */
const tickets = (page, states) => page.waitForFunction((wanted) => {
	const now = [...document.querySelectorAll('.ticket')].map((t) => t.dataset.state);
	return wanted.every((s, i) => now[i] === s);
}, states, { timeout: LONG });

const number = (page, i) => page.locator('.ticket .number').nth(i).innerText().then(Number);

const counts = async (page) => Object.fromEntries(await page.$$eval('#counts > div', (boxes) =>
	boxes.map((b) => [b.dataset.count, Number(b.querySelector('dd').textContent)])));

const nodeSays = (page, id, text) => page.waitForFunction(
	([i, t]) => document.getElementById(i).textContent.includes(t), [id, text], { timeout: LONG });

/* Of all sensors together. */
const readings = ({ coap }) => coap.sensors.reduce((sum, s) => ({
	taken: sum.taken + s.taken, delivered: sum.delivered + s.delivered }), { taken: 0, delivered: 0 });

const noCoap = !process.env.HF_COAP && 'this build has no CoAP';

test('readings of sensors through a pulled link, to a meter that speaks CoAP', { skip: skip || noCoap, seconds: 300 }, async (x) => {
	const l = await live(x);
	const context = await browser(x);
	const control = await open(x, context, l.control);
	let before;

	await until(async () => readings(await l.state()).delivered >= 3, { ms: 3 * LONG, what: 'the meter gets readings' });
	await control.waitForSelector('#sensors tbody tr:nth-child(3)');
	assert.equal((await l.post('/levers', { link: false })).status, 204);
	before = readings(await l.state());
	await until(async () => readings(await l.state()).taken >= before.taken + 3,
		{ ms: 3 * LONG, what: 'readings are taken without a network' });
	await until(async () => {
		const now = readings(await l.state());
		return now.taken > now.delivered;
	}, { ms: LONG, what: 'readings wait' });
	await shoot({ control }, '6-readings-wait');
	before = readings(await l.state());
	assert.equal((await l.post('/levers', { link: true })).status, 204);
	await until(async () => readings(await l.state()).delivered >= before.taken,
		{ ms: 3 * LONG, what: 'all that waited has come' });
	assert.equal((await l.state()).coap.duplicates, 0);
	await nodeSays(control, 'meter-words', '0 were done twice');
});

test('orders through a pulled link and a power cut', { skip, seconds: 150 }, async (x) => {
	const l = await live(x);
	const context = await browser(x);
	const panel = await open(x, context, l.panel);
	const control = await open(x, context, l.control);
	await panel.waitForSelector('.card');

	await order(panel, 'coffee', 'croissant');
	await tickets(panel, ['done']);
	assert.equal(await number(panel, 0), 101);
	await nodeSays(control, 'counts', '1');
	assert.equal((await counts(control)).straight, 1);

	await control.click('#link');
	await nodeSays(control, 'wire-words', 'link pulled');
	await order(panel, 'flatwhite', 'flatwhite', 'cake');
	await order(panel, 'soup');
	await tickets(panel, ['queued', 'queued', 'done']);
	await nodeSays(control, 'device-words', '2 waiting');
	await panel.waitForFunction(() => document.getElementById('line').dataset.state === 'offline',
		null, { timeout: LONG });
	await panel.click('[data-id="tea"]');
	await shoot({ panel, control }, '1-link-pulled');

	await control.click('#cut');
	await nodeSays(control, 'device-words', 'off');
	await panel.waitForFunction(() => document.getElementById('line').dataset.state === 'off');
	await panel.click('#order');
	await tickets(panel, ['unsent', 'queued', 'queued', 'done']);
	await shoot({ panel, control }, '2-power-cut');
	await control.click('#boot');
	await tickets(panel, ['queued', 'queued', 'queued', 'done']);
	await nodeSays(control, 'device-words', '3 waiting');

	await control.click('#link');
	await tickets(panel, ['done', 'done', 'done', 'done']);
	assert.deepEqual(await Promise.all([3, 2, 1, 0].map((i) => number(panel, i))), [101, 102, 103, 104]);
	await until(async () => (await counts(control)).delivered === 3, { what: 'three delivered' });
	assert.deepEqual(await counts(control),
		{ lost: 0, duplicates: 0, waiting: 0, delivered: 3, straight: 1, held: 0 });
	await shoot({ panel, control }, '3-delivered');
	assert.equal(await control.locator('#got li').count(), 4);

	const { code } = await l.stop();
	assert.equal(code, 0);
	assert.deepEqual(readdirSync(l.tmp), [], 'the temporary folder is gone');
});

test('a panel that is loaded anew finds its orders', { skip, seconds: 90 }, async (x) => {
	const l = await live(x);
	const context = await browser(x);
	const panel = await open(x, context, l.panel);
	await panel.waitForSelector('.card');
	await l.post('/levers', { mood: 'busy' });
	await order(panel, 'tea');
	await tickets(panel, ['queued']);
	await panel.reload();
	await tickets(panel, ['queued']);
	await panel.evaluate(() => localStorage.clear());
	await panel.reload();
	await tickets(panel, ['queued']);
	assert.match(await panel.locator('.ticket .what').innerText(), /earlier order/);
	await l.post('/levers', { mood: 'ok' });
	await l.post('/do', { what: 'sync' });
	await tickets(panel, ['done']);
	const { counts: c } = await l.state();
	assert.deepEqual([c.effects, c.lost, c.duplicates], [1, 0, 0]);
});

test('a panel that starts without its shop does not say that it is online', { skip, seconds: 120 }, async (x) => {
	const l = await live(x);
	const context = await browser(x);
	const panel = await open(x, context, l.panel);
	const line = (state) => panel.waitForFunction((wanted) =>
		document.getElementById('line').dataset.state === wanted, state, { timeout: LONG });
	await panel.waitForSelector('.card');
	await line('online');
	await l.post('/levers', { origin: false });
	await l.post('/do', { what: 'cut' });
	await line('off');
	await panel.evaluate(() => {
		globalThis.said = [];
		new MutationObserver(() => globalThis.said.push(document.getElementById('line').dataset.state))
			.observe(document.getElementById('line'), { attributeFilter: ['data-state'] });
	});
	await until(async () => (await l.state()).daemon.power === 'off', { ms: LONG, what: 'the power is off' });
	await l.post('/do', { what: 'boot' });
	await line('offline');
	assert.ok(!(await panel.evaluate(() => globalThis.said)).includes('online'));
	await l.post('/levers', { origin: true });
	await line('online');
});

test('a captive portal is no origin', { skip, seconds: 120 }, async (x) => {
	const l = await live(x);
	const context = await browser(x);
	const panel = await open(x, context, l.panel);
	const control = await open(x, context, l.control);
	await panel.waitForSelector('.card');
	for (const portal of ['page', 'redirect']) {
		await control.locator(`[name="portal"][value="${portal}"] + span`).click();
		await nodeSays(control, 'wire-words', 'captive portal');
		await order(panel, 'juice');
		await tickets(panel, ['queued']);
		if (portal === 'page') {
			await panel.waitForFunction(() => document.getElementById('line-words').textContent.includes('login'),
				null, { timeout: LONG });
			await shoot({ panel, control }, '4-portal');
		}
		await control.locator('[name="portal"][value="off"] + span').click();
		await tickets(panel, ['done']);
	}
	await until(async () => (await counts(control)).delivered === 2, { what: 'both delivered' });
	assert.equal((await counts(control)).lost, 0);
});

test('answers lost after the effect make no second order', { skip, seconds: 90 }, async (x) => {
	const l = await live(x);
	const context = await browser(x);
	const panel = await open(x, context, l.panel);
	const control = await open(x, context, l.control);
	await panel.waitForSelector('.card');
	await control.click('[name="mood"][value="loses"]');
	await nodeSays(control, 'origin-words', 'loses');
	await order(panel, 'soup', 'tea');
	await tickets(panel, ['queued']);
	await until(async () => (await l.state()).counts.arrivals >= 2, { ms: LONG, what: 'a second attempt' });
	await control.click('[name="mood"][value="ok"]');
	await tickets(panel, ['done']);
	const { counts: c, orders } = await l.state();
	assert.deepEqual([c.effects, c.lost, c.duplicates], [1, 0, 0]);
	assert.ok(orders[0].arrivals >= 3 && orders[0].effects === 1);
	await shoot({ control }, '5-lost-answers');
});

test('a rush on a slow, shaky line with the power cut in it', { skip: noSim, seconds: 150 }, async (x) => {
	const l = await live(x);
	const set = async (levers) => assert.equal((await l.post('/levers', levers)).status, 204);
	await set({ slow: true, delayMs: 40, kbytesPerS: 20, shaky: true, autoBoot: true });
	await l.post('/do', { what: 'rush', n: 30 });
	await until(async () => (await l.state()).counts.orders >= 8, { ms: LONG, what: 'eight orders' });
	await set({ origin: false });
	await until(async () => (await l.state()).counts.accepted >= 10, { ms: LONG, what: 'ten accepted' });
	const { starts } = (await l.state()).daemon;
	await l.post('/do', { what: 'cut' });
	await until(async () => {
		const { daemon } = await l.state();
		return daemon.starts > starts && daemon.power === 'on';
	}, { ms: LONG, what: 'booted by itself' });
	await l.post('/do', { what: 'rush', n: 10 });
	await until(async () => (await l.state()).rush === 0, { ms: 2 * LONG, what: 'the rush is over' });
	await set({ origin: true, slow: false, shaky: false });
	await until(async () => (await l.state()).counts.waiting === 0, { ms: 4 * LONG, what: 'all delivered' });
	const { counts: c } = await l.state();
	assert.deepEqual([c.lost, c.duplicates, c.held, c.dead], [0, 0, 0, 0]);
	assert.ok(c.accepted >= 10 && c.effects >= c.delivered);
});

test('the control page obeys its own page only', { skip: noSim }, async (x) => {
	const l = await live(x);
	const post = (headers) => l.post('/do', { what: 'cut' }, headers).then((a) => a.status);
	assert.equal(await post({ Origin: 'http://evil.example' }), 403);
	assert.equal(await post({ Host: 'evil.example' }), 403);
	assert.equal((await l.post('/levers', { link: 'no' })).status, 400);
	assert.equal((await l.post('/do', { what: 'dance' })).status, 400);
	assert.equal((await l.state()).daemon.power, 'on');
});

for (const scheme of ['http', 'https']) {
	test(`an app of the user behind it, over ${scheme}`, { skip: noSim, seconds: 60 }, async (x) => {
		const got = [];
		const serve = (req, res) => {
			const parts = [];
			req.on('data', (d) => parts.push(d));
			req.on('end', () => {
				got.push([req.method, req.headers.host, req.url, Buffer.concat(parts).toString(),
					req.headers.origin]);
				res.end('mine');
			});
		};
		const args = [];
		let app = createServer(serve);
		if (scheme === 'https') {
			const authority = new Authority(join(x.dir, 'ca'));
			app = createTlsServer(authority.issue('app', { names: ['localhost'] }), serve);
			args.push('--ca-file', authority.file);
		}
		app.on('upgrade', (req, socket) => {
			socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
			socket.on('error', () => {}); /* the pulled link resets it */
			socket.pipe(socket);
		});
		await new Promise((resolve) => app.listen(0, '127.0.0.1', resolve));
		x.defer(() => app.closeAllConnections());
		x.defer(() => app.close());
		const host = `localhost:${app.address().port}`;
		const l = await live(x, ['--origin', `${scheme}://${host}`, ...args]);
		const ask = (options) => request({ port: l.port, ...options });
		const headers = { Origin: `http://127.0.0.1:${l.port}` };
		async function* pieces() {
			yield 'in ';
			yield 'pieces';
		}
		assert.equal((await ask({ path: '/x?y=1' })).text, 'mine');
		assert.equal((await ask({ method: 'PUT', path: '/a', body: pieces(), headers })).status, 200);
		assert.equal(await echo(l.port, 'over and over'), 'over and over');
		await l.post('/levers', { link: false });
		assert.equal((await ask({ method: 'POST', path: '/b', body: 'two' })).status, 202);
		await l.post('/levers', { link: true });
		await until(() => got.length === 3, { ms: LONG, what: 'the queued one has come' });
		assert.deepEqual(got, [['GET', host, '/x?y=1', '', undefined],
			['PUT', host, '/a', 'in pieces', `${scheme}://${host}`], ['POST', host, '/b', 'two', undefined]]);
		await until(async () => (await l.state()).counts.delivered === 1, { ms: LONG, what: 'delivered' });
		const { counts: c } = await l.state();
		assert.deepEqual([c.lost, c.accepted], [0, 1]);
	});
}

/* What an upgraded connection says back. */
function echo(port, text) {
	return new Promise((resolve, reject) => {
		const req = httpRequest({ host: '127.0.0.1', port, path: '/echo',
			headers: { Connection: 'upgrade', Upgrade: 'echo' } });
		req.on('upgrade', (_res, socket) => {
			socket.on('data', (d) => {
				resolve(String(d));
				socket.destroy();
			});
			socket.write(text);
		});
		req.on('response', (res) => reject(new Error(`upgrade answered ${res.statusCode}`)));
		req.on('error', reject);
		req.end();
	});
}

test('--dir keeps the state from one run to the next', { skip: noSim, seconds: 60 }, async (x) => {
	const dir = join(x.dir, 'kept');
	const post = (l, ref) => request({ port: l.port, method: 'POST', path: '/api/orders',
		headers: { 'Idempotency-Key': ref }, body: JSON.stringify({ ref, lines: [{ id: 'tea', n: 1 }] }) });
	const one = await live(x, ['--dir', dir]);
	await one.post('/levers', { origin: false });
	assert.equal((await post(one, 'a')).status, 202);
	await one.stop('SIGTERM');
	const two = await live(x, ['--dir', dir]);
	await until(async () => (await two.state()).counts.effects === 1, { ms: LONG, what: 'delivered' });
	const { counts: c } = await two.state();
	assert.deepEqual([c.lost, c.arrivals], [0, 1]);
});

suite('live', 1);
