/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chromium for tests: browser(x) starts one, open() gives a page whose console
 * is printed when the test fails and whose errors make it fail; killBrowser()
 * ends one as a power cut does, and its profile is there for another. launch(x)
 * starts one whose contexts begin empty. noBrowser is false or the reason why
 * there is none; SHOTS is the folder for screenshots.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BINARY = process.env.HF_CHROMIUM ??
	['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((f) => existsSync(f));
const playwright = await import('playwright-core').catch(() => null);

export const noBrowser = !BINARY ? 'there is no chromium' : !playwright ? 'npm ci has not been run' : false;
export const SHOTS = join(process.env.HF_OUT_DIR ?? join(tmpdir(), 'holdfast'), 'screenshots');
mkdirSync(SHOTS, { recursive: true });

export function newProfile(x) {
	const profile = mkdtempSync(join(tmpdir(), 'hf-profile-'));
	x.defer(() => rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
	return profile;
}

const HOW = { executablePath: BINARY,
	args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
		'--disable-background-networking', '--disable-component-update', '--disable-sync'] };

export async function browser(x, profile = newProfile(x)) {
	const context = await playwright.chromium.launchPersistentContext(profile, {
		...HOW,
		viewport: { width: 1280, height: 800 },
	});
	x.defer(() => context.close());
	return context;
}

export async function launch(x) {
	const chromium = await playwright.chromium.launch(HOW);
	x.defer(() => chromium.close());
	return chromium;
}

/* The processes whose command line names @profile. */
function processesOf(profile) {
	const of = (pid) => {
		try {
			return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(profile);
		} catch {
			return false; /* it has ended */
		}
	};
	return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && of(pid)).map(Number);
}

export async function killBrowser(profile) {
	for (let pids; (pids = processesOf(profile)).length > 0;) {
		for (const pid of pids)
			try {
				process.kill(pid, 'SIGKILL');
			} catch { /* it has ended */ }
		await new Promise((done) => setTimeout(done, 20));
	}
}

/* @quiet: a warning or an error on the console fails the test too. */
export async function open(x, context, url, { quiet = false } = {}) {
	const page = await context.newPage();
	const said = [];
	const errors = [];
	page.on('console', (m) => {
		said.push(`${m.type()}: ${m.text()}`);
		if (quiet && ['warning', 'error'].includes(m.type()))
			errors.push(m.text());
	});
	page.on('pageerror', (e) => errors.push(e.message));
	x.explain(() => `${url} said:\n${said.join('\n')}\n${errors.join('\n')}`);
	x.defer(() => assert.deepEqual(errors, []));
	await page.goto(url);
	return page;
}

/* Until what follows a new size and colour scheme has been drawn. */
async function look(page, width, height, colorScheme) {
	await page.setViewportSize({ width, height });
	await page.emulateMedia({ colorScheme });
	await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 60))));
}

/* Calls f(width, scheme) at both widths, light and dark; the page is never wider than the window. */
export async function eachLook(page, f) {
	for (const [width, height] of [[1280, 800], [400, 860]]) {
		for (const scheme of ['light', 'dark']) {
			await look(page, width, height, scheme);
			const wide = await page.evaluate(() => document.documentElement.scrollWidth);
			assert.ok(wide <= width, `at ${width} the page is ${wide} wide`);
			await f(width, scheme);
		}
	}
	await look(page, 1280, 800, 'light');
}
