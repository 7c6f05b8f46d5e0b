/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New versions of a single-page app are given to the daemon, which is killed at
 * random moments of their installation: whoever opens the page gets all of one
 * version, with the origin and without it. HF_SPA_DEPLOYS versions (12, which takes
 * 40 s; 100 take five minutes), HF_SEED the random numbers.
 */
import assert from 'node:assert/strict';
import { test, suite, sleep, random } from './lib/harness.mjs';
import { launch, noBrowser } from './lib/chromium.mjs';
import { Daemon } from './lib/daemon.mjs';
import { Site, installed, load, whole } from './lib/spa.mjs';
import { noBuild } from './spa/build.mjs';

const DEPLOYS = Number(process.env.HF_SPA_DEPLOYS ?? 12);
const SEED = Number(process.env.HF_SEED ?? 1);
const KILLS_MAX = 3;
const WITHIN_MS = 120; /* of a start: about what an installation takes */
const ANSWER_MS = 30; /* at most, the origin's */

/* Kills the daemon a few times while it installs what the site serves. */
async function deploy(daemon, site, rand, count) {
	await daemon.kill();
	daemon.configure({ manifest: site.manifest });
	for (let kills = Math.floor(rand() * (KILLS_MAX + 1)); kills > 0; kills--) {
		await daemon.start({ wait: rand() < 0.7 });
		await sleep(rand() * WITHIN_MS);
		await daemon.kill();
		count.kills++;
	}
	await daemon.start();
}

/* The page as it is opened again and again until the daemon has the new version. */
async function watch(k, old, count) {
	const { daemon, site, chromium, rand } = k;
	const offline = rand() < 0.5;
	if (offline) {
		await sleep(rand() * WITHIN_MS);
		await site.origin.stop();
		count.offline++;
	}
	const seen = whole(await load(chromium, k.url));
	assert.ok([old, site.app.version].includes(seen), `${seen}, not ${old} or ${site.app.version}`);
	count.loads++;
	if (!offline)
		return;
	if (rand() < 0.5) {
		await daemon.restart();
		count.kills++;
		whole(await load(chromium, k.url));
		count.loads++;
	}
	await site.origin.start();
	await daemon.restart();
	count.kills++;
}

async function round(k, n, count) {
	const { daemon, site, chromium, rand } = k;
	const old = site.app.version;
	await load(chromium, k.url, async (page, seen) => {
		assert.equal(whole(seen), old);
		/* Sometimes the version before comes back. */
		await site.deploy(n > 2 && rand() < 0.2 ? k.before : n);
		k.before = Number(old.slice(1));
		await deploy(daemon, site, rand, count);
		await watch(k, old, count);
		await installed(daemon, site);
		assert.equal(whole(await load(chromium, k.url)), site.app.version);
		assert.equal(await page.evaluate(() => window.app.later()), old, 'of the page that was open');
		count.loads += 2;
	});
}

test(`${DEPLOYS} versions, the daemon killed while they are installed`,
	{ skip: noBuild || noBrowser, seconds: 60 + 10 * DEPLOYS }, async (x) => {
		const rand = random(SEED);
		const site = await Site.create(x);
		await site.deploy(1);
		site.slow = () => rand() * ANSWER_MS;
		const daemon = await Daemon.create(x, { origin: site.origin, manifest: site.manifest });
		await installed(daemon, site);
		const k = { site, daemon, rand, before: 1, chromium: await launch(x), url: `http://localhost:${daemon.port}/` };
		const count = { deploys: 0, kills: 0, loads: 0, offline: 0 };
		const from = performance.now();
		x.explain(() => `seed ${SEED}: ${JSON.stringify(count)}`);
		for (let n = 2; n < DEPLOYS + 2; n++) {
			await round(k, n, count);
			count.deploys++;
		}
		x.say(`${count.deploys} versions, ${count.kills} kills, ${count.loads} pages, ${count.offline} of the versions ` +
			`without their origin, ${((performance.now() - from) / 1000).toFixed(0)} s`);
	});

suite('versions of a single-page app', 1);
