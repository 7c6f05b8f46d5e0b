/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A single-page app, built by Vite and listed by workbox-build, in Chromium behind
 * Holdfast: it opens without its origin, and a new version takes the place of the
 * one before as a whole. Screenshots lie in HF_OUT_DIR/screenshots.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, suite, until, median } from './lib/harness.mjs';
import { launch, noBrowser, SHOTS } from './lib/chromium.mjs';
import { Daemon } from './lib/daemon.mjs';
import { Site, installed, load, whole } from './lib/spa.mjs';
import { noBuild } from './spa/build.mjs';

const skip = noBuild || noBrowser;
const LOADS = 7;

/* The app's first version behind a daemon, installed. */
async function kiosk(x, prepare = () => {}) {
	const site = await Site.create(x);
	await site.deploy(1);
	prepare(site);
	const daemon = await Daemon.create(x, { origin: site.origin, manifest: site.manifest });
	await installed(daemon, site);
	return { site, daemon, url: `http://localhost:${daemon.port}/` };
}

/* The daemon is started with what the site serves now. */
async function hand(daemon, site, signal = 'SIGKILL') {
	await daemon.kill(signal);
	daemon.configure({ manifest: site.manifest });
	await daemon.start();
}

const firstPaint = (page) => until(() => page.evaluate(() =>
	performance.getEntriesByName('first-contentful-paint')[0]?.startTime), { ms: 10000, what: 'a first paint' });

test('the list of workbox-build is a precache as it is', { skip: noBuild, seconds: 60 }, async (x) => {
	const { site, daemon } = await kiosk(x);
	await site.origin.stop();
	await daemon.restart();
	assert.ok(site.app.manifestEntries.some((e) => e.url === 'index.html' && e.revision));
	assert.ok(site.app.manifestEntries.some((e) => e.url.startsWith('assets/') && e.revision === null));
	for (const { url } of site.app.manifestEntries) {
		const answer = await daemon.get(`/${url}`);
		assert.equal(answer.status, 200, url);
		assert.match(answer.headers['cache-status'], /hit/, url);
	}
});

test('without its origin, after a power cut, the app opens in an empty browser', { skip, seconds: 120 }, async (x) => {
	const { site, daemon, url } = await kiosk(x);
	const chromium = await launch(x);
	const shot = (name) => (page) => page.screenshot({ path: join(SHOTS, `spa-${name}.png`) });
	assert.equal(whole(await load(chromium, url, shot('online'))), 'v0001');
	const paints = { online: [], offline: [] };
	for (let i = 0; i < LOADS; i++) {
		for (const kind of ['online', 'offline']) {
			await (kind === 'offline' ? site.origin.stop() : !site.origin.up && site.origin.start());
			await daemon.restart();
			const seen = await load(chromium, url, async (page) => {
				paints[kind].push(await firstPaint(page));
				if (i === 0)
					await shot(kind)(page);
			});
			assert.equal(whole(seen), 'v0001');
		}
	}
	const online = median(paints.online), offline = median(paints.offline);
	x.say(`first paint, median of ${LOADS}: online ${online.toFixed(0)} ms, offline ${offline.toFixed(0)} ms, ` +
		`ratio ${(offline / online).toFixed(2)}`);
	assert.ok(offline < 5 * online + 1000, `${offline} ms, with the origin ${online} ms`);
});

test('a page of the version before finds its own files after the next one is there', { skip, seconds: 120 },
	async (x) => {
		const { site, daemon, url } = await kiosk(x);
		const chromium = await launch(x);
		await load(chromium, url, async (page) => {
			await site.deploy(2);
			await hand(daemon, site);
			await installed(daemon, site);
			assert.equal(whole(await load(chromium, url)), 'v0002');
			await site.origin.stop();
			await daemon.restart();
			assert.equal(await page.evaluate(() => window.app.later()), 'v0001');
		});
	});

suite('a single-page app', 1);
