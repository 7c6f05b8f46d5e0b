/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chromium behind Holdfast: a page posts an order while the origin is gone,
 * shows "queued", the daemon is killed and started again, the origin comes
 * back, and the page, or one loaded anew in another browser, shows the
 * origin's answer. Screenshots lie in HF_OUT_DIR/screenshots.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after } from 'node:test';
import { test, suite, sleep } from './lib/harness.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon, orders } from './lib/daemon.mjs';
import { Nginx, hasNginx } from './lib/nginx.mjs';
import { Authority } from './lib/certs.mjs';

const BINARY = process.env.HF_CHROMIUM ??
	['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((f) => existsSync(f));
const playwright = await import('playwright-core').catch(() => null);
const missing = !BINARY ? 'there is no chromium' : !playwright ? 'npm ci has not been run' : false;

const PAGE = fileURLToPath(new URL('./page', import.meta.url));
const SHOTS = join(process.env.HF_OUT_DIR ?? join(tmpdir(), 'holdfast'), 'screenshots');
mkdirSync(SHOTS, { recursive: true });

const dir = mkdtempSync(join(tmpdir(), 'hf-browser-'));
after(() => rmSync(dir, { recursive: true, force: true }));
let authority;
const ca = () => (authority ??= new Authority(join(dir, 'ca')));
let issued;
const certificate = () => (issued ??= ca().issue('origin'));

async function browser(x) {
	const profile = mkdtempSync(join(tmpdir(), 'hf-profile-'));
	const context = await playwright.chromium.launchPersistentContext(profile, {
		executablePath: BINARY,
		args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
			'--disable-background-networking', '--disable-component-update', '--disable-sync'],
		viewport: { width: 800, height: 480 },
	});
	let closed = false;
	const close = async () => {
		if (closed)
			return;
		closed = true;
		await context.close();
		rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
	};
	x.defer(close);
	return { context, close };
}

async function open(x, context, url) {
	const page = context.pages()[0] ?? await context.newPage();
	const said = [];
	page.on('console', (m) => said.push(`${m.type()}: ${m.text()}`));
	page.on('pageerror', (e) => said.push(`error: ${e.message}`));
	x.explain(() => `the page said:\n${said.join('\n')}`);
	await page.goto(url);
	return page;
}

const TYPES = { html: 'text/html; charset=utf-8', css: 'text/css', mjs: 'text/javascript' };

/* The two kinds of origin behind one face: start, stop, orders(). */
const kinds = {
	async node(x, tls) {
		const origin = await Origin.create(x, tls ? { tls: { key: certificate().key, cert: certificate().cert } } : {});
		origin.handler = (req, res, a, o) => {
			if (req.method === 'POST')
				return o.reply(req, res, a, { status: 201,
					body: JSON.stringify({ accepted: true, key: a.key }) });
			const file = join(PAGE, req.url === '/' ? 'index.html' : req.url.slice(1));
			const known = existsSync(file);
			res.writeHead(known ? 200 : 404, { 'Content-Type': TYPES[file.split('.').pop()] ?? 'text/plain' });
			res.end(known ? readFileSync(file) : '');
		};
		return { url: origin.url, start: () => origin.start(), stop: () => origin.stop(),
			orders: () => origin.got('/api/orders').filter((a) => a.method === 'POST')
				.map((a) => ({ key: a.key, body: a.body.toString() })) };
	},
	async nginx(x, tls) {
		const nginx = await Nginx.create(x, { root: PAGE, tls: tls ? certificate() : undefined });
		return { url: nginx.url, start: () => nginx.start(), stop: () => nginx.stop(),
			orders: () => nginx.got() };
	},
};

async function order(page, item, table) {
	await page.fill('#table', String(table));
	await page.click(`label[for="${item}"]`);
	await page.click('#send');
}

const shown = (page, text) => page.waitForFunction(
	(t) => document.querySelector('#state').textContent.includes(t), text, { timeout: 15000 });

for (const kind of ['node', 'nginx']) {
	for (const tls of [false, true]) {
		const name = `${kind}-${tls ? 'https' : 'http'}`;
		const skip = missing || (kind === 'nginx' && !hasNginx && 'there is no nginx');

		test(`an order through an outage, origin ${kind} over ${tls ? 'https' : 'http'}`,
			{ skip, seconds: 90 }, async (x) => {
				const origin = await kinds[kind](x, tls);
				const daemon = await Daemon.create(x, { manifest: orders, origins: [{ name: 'shop',
					url: origin.url, ...(tls ? { 'ca-file': ca().file } : {}) }] });
				const url = `http://localhost:${daemon.port}/`;
				const one = await browser(x);
				const page = await open(x, one.context, url);
				const shot = (n, p = page) => p.screenshot({ path: join(SHOTS, `${name}-${n}.png`) });

				await order(page, 'tea', 1);
				await shown(page, 'Order accepted');
				await shot('1-live');
				assert.equal(origin.orders().length, 1);

				await origin.stop();
				await order(page, 'cake', 7);
				await shown(page, 'queued');
				await shot('2-queued');
				const key = await page.textContent('#key');
				assert.ok(key.length > 10);

				await daemon.kill('SIGKILL');
				await sleep(300);
				await daemon.start();
				await origin.start();
				await shown(page, 'Order accepted');
				await shot('3-answered');
				assert.equal(origin.orders().length, 2);
				assert.equal(origin.orders()[1].key, key);
				assert.match(origin.orders()[1].body, /cake/);
				assert.ok((await page.textContent('#answer')).includes(key));

				/* The browser goes while the order waits; another one asks later. */
				await origin.stop();
				await order(page, 'soup', 9);
				await shown(page, 'queued');
				const third = await page.textContent('#key');
				const id = await page.textContent('#id');
				await one.close();
				await daemon.kill('SIGKILL');
				await daemon.start();
				await origin.start();
				await daemon.state(id, 'settled');
				const two = await browser(x);
				const fresh = await open(x, two.context, `${url}#${id}`);
				await shown(fresh, 'Order accepted');
				await shot('4-new-browser', fresh);
				assert.ok((await fresh.textContent('#answer')).includes(third));
				assert.equal(origin.orders().length, 3);
				assert.equal(origin.orders()[2].key, third);
			});
	}
}

test('a panel that starts without its origin shows why, and the site by itself once it is there',
	{ skip: missing, seconds: 90 }, async (x) => {
		const origin = await kinds.node(x, false);
		const daemon = await Daemon.create(x, { manifest: orders, origins: [{ name: 'shop', url: origin.url }] });
		await origin.stop();
		const one = await browser(x);
		const page = await open(x, one.context, `http://localhost:${daemon.port}/`);
		assert.equal(await page.textContent('h1'), 'This page is not here yet');
		assert.match(await page.textContent('small'), /^502 Bad Gateway\. Origin "shop"/);
		await page.screenshot({ path: join(SHOTS, 'not-here-yet.png') });
		await origin.start();
		await page.waitForSelector('#send', { timeout: 40000 });
	});

suite('browser', 1);
