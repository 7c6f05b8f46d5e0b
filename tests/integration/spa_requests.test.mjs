/* SPDX-License-Identifier: Apache-2.0 */
/* What Chromium itself asks of the caches: ranges of a recording, conditions of its
 * own cache, encodings, pages that cannot be had. */
import assert from 'node:assert/strict';
import { test, suite, until } from './lib/harness.mjs';
import { launch, noBrowser } from './lib/chromium.mjs';
import { Daemon, run } from './lib/daemon.mjs';
import { Origin } from './lib/origin.mjs';
import { gzipSync } from 'node:zlib';

const RATE = 8000, WIDTH = 2, SECONDS = 900;
const skip = noBrowser;

/* Silence that says how long it is. */
function recording() {
	const bytes = RATE * WIDTH * SECONDS, wav = Buffer.alloc(44 + bytes);
	wav.write('RIFF', 0);
	wav.writeUInt32LE(36 + bytes, 4);
	wav.write('WAVEfmt ', 8);
	wav.writeUInt32LE(16, 16);
	wav.writeUInt16LE(1, 20);
	wav.writeUInt16LE(1, 22);
	wav.writeUInt32LE(RATE, 24);
	wav.writeUInt32LE(RATE * WIDTH, 28);
	wav.writeUInt16LE(WIDTH, 32);
	wav.writeUInt16LE(8 * WIDTH, 34);
	wav.write('data', 36);
	wav.writeUInt32LE(bytes, 40);
	return wav;
}

const files = { '/': 'text/html', '/offline.html': 'text/html', '/text': 'text/plain', '/tone.wav': 'audio/wav' };
const texts = { '/': '<!doctype html><link rel="icon" href="data:,"><title>start</title><p>start',
	'/offline.html': '<!doctype html><title>away</title><p>away', '/text': 'as it is', '/tone.wav': recording() };

async function kiosk(x) {
	const origin = await Origin.create(x);
	origin.handler = (req, res) => {
		const path = req.url.split('?')[0];
		const gzip = path === '/text' && /gzip/.test(req.headers['accept-encoding'] ?? '');
		if (!files[path])
			return res.writeHead(404).end();
		const body = gzip ? gzipSync(texts[path]) : texts[path];
		const etag = `"${path}${gzip ? 'gz' : ''}"`;
		const same = req.headers['if-none-match'] === etag;
		res.writeHead(same ? 304 : 200, { 'Content-Type': files[path], ETag: etag,
			'Cache-Control': 'no-cache', ...(path === '/text' ? { Vary: 'Accept-Encoding' } : {}), ...(gzip ? { 'Content-Encoding': 'gzip' } : {}) });
		return res.end(same ? undefined : body);
	};
	const daemon = await Daemon.create(x, { origin, manifest: { name: 'kiosk', version: '1',
		precache: [{ url: 'offline.html', revision: '1' }],
		routes: [{ condition: { urlPattern: '/tone.wav' }, source: 'cache-first' },
			{ condition: { urlPattern: '/*', requestMode: 'navigate' }, source: 'network-first', offline: '/offline.html' },
			{ condition: { urlPattern: '/text' }, source: 'network-first' }] } });
	await until(async () => /hit/.test((await daemon.get('/offline.html')).headers['cache-status']));
	const context = await (await launch(x)).newContext();
	const page = await context.newPage();
	const url = `http://localhost:${daemon.port}`;
	await page.goto(url);
	return { origin, daemon, page, url };
}

test('a page that cannot be had, and one that was opened before', { skip, seconds: 60 }, async (x) => {
	const { origin, daemon, page, url } = await kiosk(x);
	await daemon.keeps('/');
	await origin.stop();
	await daemon.restart();
	await page.goto(`${url}/`);
	assert.equal(await page.title(), 'start');
	await page.goto(`${url}/orders/7`);
	assert.equal(await page.title(), 'away');
	assert.equal((await page.evaluate(() => fetch('/data').then((r) => r.status))), 502);
});

test('a <video> finds its place in what is stored, without the origin', { skip, seconds: 90 }, async (x) => {
	const { origin, daemon, page } = await kiosk(x);
	await daemon.get('/tone.wav');
	await until(async () => /hit/.test((await daemon.get('/tone.wav')).headers['cache-status']));
	await origin.stop();
	const answers = [];
	x.explain(() => `the recording: ${answers}`);
	page.on('response', (r) => r.url().endsWith('.wav') && answers.push(r.status()));
	const at = await page.evaluate(async (to) => {
		const video = document.createElement('video');
		const once = (name) => new Promise((done, no) => {
			video.addEventListener(name, done, { once: true });
			video.addEventListener('error', () => no(new Error(video.error.message)), { once: true });
		});
		video.src = '/tone.wav';
		document.body.append(video);
		await once('loadedmetadata');
		const sought = once('seeked');
		video.currentTime = to;
		await sought;
		return [video.currentTime, video.duration];
	}, SECONDS - 10);
	assert.deepEqual(at, [SECONDS - 10, SECONDS]);
	assert.ok(answers.length >= 2 && answers.every((s) => s === 206), String(answers));
});

test('a browser that takes gzip and a program that does not', { skip, seconds: 60 }, async (x) => {
	const { origin, daemon, page, url } = await kiosk(x);
	const both = async () => {
		assert.equal(await page.evaluate(() => fetch('/text', { cache: 'no-store' }).then((r) => r.text())), texts['/text']);
		const curl = await run('curl', ['-s', '-S', `${url}/text`]);
		assert.equal(curl.stdout, texts['/text'], curl.stderr);
	};
	await both();
	await both();
	await daemon.keeps('/text', 2);
	await origin.stop();
	await both();
});

test('the conditions of the browser\'s own cache are answered 304', { skip, seconds: 60 }, async (x) => {
	const { origin, daemon, page } = await kiosk(x);
	const ask = () => page.evaluate(() => fetch('/text', { cache: 'no-cache' }).then((r) => r.text()));
	assert.equal(await ask(), texts['/text']);
	await daemon.keeps('/text');
	await origin.stop();
	assert.equal(await ask(), texts['/text']);
	const own = await daemon.get('/text', { 'If-None-Match': '"/textgz"',
		'Accept-Encoding': origin.got('/text').at(-1).headers['accept-encoding'] });
	assert.equal(own.status, 304);
});

suite('requests of a browser', 1);
