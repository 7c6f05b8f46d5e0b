/* SPDX-License-Identifier: Apache-2.0 */
/* drive.mjs URL COUNT BYTES: queues so many orders in the service worker of the page and replays them. */
import { browser, newProfile, noBrowser } from '../../integration/lib/chromium.mjs';

const [url, count, bytes] = process.argv.slice(2);
const deferred = [];
const x = { defer: (f) => deferred.push(f) };

async function main() {
	if (noBrowser)
		throw new Error(noBrowser);
	const page = await (await browser(x, newProfile(x))).newPage();
	await page.goto(url);
	await page.waitForFunction(() => window.ask);
	const ask = (what) => page.evaluate((w) => window.ask(w), what);
	const queued = await ask({ count: Number(count), bytes: Number(bytes) });
	if (queued !== Number(count))
		throw new Error(`${queued} of ${count} are queued`);
	const left = await ask('replay');
	if (left !== 0)
		throw new Error(`${left} are left`);
}

try {
	await main();
} catch (e) {
	console.error(`bench: Workbox: ${e.message}`);
	process.exitCode = 1;
} finally {
	for (const f of deferred.reverse())
		await f();
}
