/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A single-page app behind Holdfast: Site builds versions of it and is the origin
 * that serves one of them; load() opens it in a browser without anything in its
 * caches and says what the page's parts said.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildApp } from '../spa/build.mjs';
import { sleep, until } from './harness.mjs';
import { Origin, sha256 } from './origin.mjs';

const TYPES = { html: 'text/html; charset=utf-8', js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml',
	json: 'application/json', woff2: 'font/woff2', webm: 'video/webm' };
const ITEMS = ['Soup', 'Bread', 'Apple cake'];
const SQUEEZED = /\.(html|js|css|json)$/;

export class Site {
	#versions = new Map();
	extra = new Map(); /* path -> Buffer, of every version */
	slow = () => 0; /* ms before an answer */

	static async create(x, options) {
		const site = new Site();
		site.dir = x.dir;
		site.origin = await Origin.create(x, options);
		site.origin.handler = (req, res) => site.#answer(req, res);
		return site;
	}

	/* The origin serves the app's version @n from now on. */
	async deploy(n) {
		const version = `v${String(n).padStart(4, '0')}`;
		if (!this.#versions.has(version))
			this.#versions.set(version, await buildApp(this.dir, version));
		this.app = this.#versions.get(version);
		return this.app;
	}

	get manifest() {
		return { name: 'menu', version: this.app.version, precache: this.app.manifestEntries,
			routes: [{ condition: { urlPattern: '/api/*' }, source: 'network-first' }] };
	}

	#file(path) {
		const name = path === '/' ? '/index.html' : path;
		try {
			return this.extra.get(name) ?? readFileSync(join(this.app.root, name));
		} catch {
			return null;
		}
	}

	async #answer(req, res) {
		const path = req.url.split('?')[0];
		const api = path === '/api/menu';
		let body = api ? Buffer.from(JSON.stringify({ items: ITEMS })) : this.#file(path);
		await sleep(this.slow());
		if (!body) {
			res.writeHead(404, { 'Content-Type': 'text/plain' }).end('there is no such file\n');
			return;
		}
		const type = path === '/' ? 'html' : path.split('.').pop();
		const headers = { 'Content-Type': api ? TYPES.json : TYPES[type] ?? 'text/plain',
			ETag: `"${sha256(body).slice(0, 16)}"` };
		if (SQUEEZED.test(path)) {
			headers.Vary = 'Accept-Encoding';
			if (/\bgzip\b/.test(req.headers['accept-encoding'] ?? '')) {
				headers['Content-Encoding'] = 'gzip';
				headers.ETag = headers.ETag.replace(/"$/, '-gz"');
				body = gzipSync(body);
			}
		}
		res.writeHead(200, { ...headers, 'Content-Length': body.length });
		res.end(req.method === 'HEAD' ? undefined : body);
	}
}

export const installed = (daemon, { app }) => until(async () => {
	const answer = await daemon.get('/');
	return /hit/.test(answer.headers['cache-status']) && answer.text.includes(app.version);
}, { ms: 30000, every: 25, what: `${app.version} out of the precache` });

/* Until the page is complete, or says why not; what it is then. */
export async function state(page, ms = 30000) {
	await page.waitForFunction(() => window.app?.done || window.app?.error, null, { timeout: ms });
	return page.evaluate(() => ({ error: window.app.error, parts: window.app.parts, items: window.app.menu?.items,
		text: document.querySelector('#app').innerText,
		width: document.querySelector('#app img')?.naturalWidth ?? 0 }));
}

/* The version that all parts of a page are of. */
export function whole(seen) {
	assert.equal(seen.error, null, JSON.stringify(seen));
	const versions = [...new Set(Object.values(seen.parts))];
	assert.equal(versions.length, 1, `parts of several versions: ${JSON.stringify(seen.parts)}`);
	assert.equal(Object.keys(seen.parts).length, 6);
	assert.match(seen.text, /Menu of the day/);
	assert.deepEqual(seen.items, ITEMS);
	assert.ok(seen.width > 0, 'the picture is not there');
	return versions[0];
}

/* Opens the app in a browser that has nothing of it yet; f(page, seen) once it is
 * complete. */
export async function load(chromium, url, f = () => {}) {
	const context = await chromium.newContext({ viewport: { width: 1280, height: 800 } });
	try {
		const page = await context.newPage();
		const open = new Set();
		page.on('request', (r) => open.add(r.url()));
		page.on('requestfinished', (r) => open.delete(r.url()));
		await page.goto(url, { waitUntil: 'commit' });
		const seen = await state(page).catch((e) => {
			throw new Error(`${e.message}; not answered: ${[...open].join(' ')}`);
		});
		await f(page, seen);
		return seen;
	} finally {
		await context.close();
	}
}
