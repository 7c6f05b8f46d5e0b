/* SPDX-License-Identifier: Apache-2.0 */
/* The report of a fleet: its data, and the page in Chromium. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { browser, eachLook, noBrowser, open, SHOTS } from './lib/chromium.mjs';
import { suite, test } from './lib/harness.mjs';
import { noSim, report } from './lib/sim.mjs';

const seconds = 120;
const refused = ['fleet', '--devices', '60', '--outage', '5m', '--capacity', '6', '--retry-after', '5s'];
const alone = ['fleet', '--devices', '1', '--queued', '1', '--outage', '1m'];
const total = (data, key) => data.totals.find((t) => t.key === key).value;

test('the data of a fleet agrees with its table and with itself', { skip: noSim, seconds }, async (x) => {
	const { code, out, data, html } = await report(x, refused);
	assert.equal(code, 0);
	const sum = (n) => data.ticks.reduce((s, t) => s + t[n], 0);
	const said = (words) => Number(new RegExp(`${words} +(\\d+)`).exec(out)[1]);
	assert.equal(sum(1), 180);
	assert.equal(sum(1) + sum(2), said('requests until then'));
	assert.equal(sum(2), said('of these refused with 503'));
	assert.ok(sum(2) > 0);
	assert.equal(total(data, 'refused'), sum(2));
	assert.equal(total(data, 'kept'), said('orders that wait when it is back'));
	assert.equal(total(data, 'half'), data.first[29]);
	assert.equal(total(data, 'lost'), said('lost'));
	assert.equal(data.first.length, 60);
	assert.deepEqual(data.first, [...data.first].sort((a, b) => a - b));
	assert.equal(data.command, 'holdfast-sim fleet --devices 60 --queued 3 --outage 5m --capacity 6 --retry-after 5s --seed 1');
	assert.deepEqual([...html.matchAll(/(?:src|href)\s*=\s*["']?([^"'>\s]*)/g)].map((m) => m[1]), ['data:,']);
	for (const line of out.split('\n').filter((l) => !l.includes(x.dir)))
		assert.ok(line.length <= 80, line);
	const again = await report(x, data.command.split(' ').slice(1));
	assert.equal(again.html, html);
});

for (const [name, args] of Object.entries({ refused, alone }))
	test(`the page of a fleet fits: ${name}`, { skip: noSim || noBrowser, seconds }, async (x) => {
		const { file, data } = await report(x, args);
		const page = await open(x, await browser(x), pathToFileURL(file).href, { quiet: true });
		await eachLook(page, async (width, scheme) => {
			await page.screenshot({ path: join(SHOTS, `fleet-${name}-${width}-${scheme}.png`), fullPage: true });
			for (const id of ['rates', 'first'])
				assert.ok(await page.evaluate((i) => charts[i].pen.width <= charts[i].box.clientWidth, id));
		});
		assert.match(await page.locator('#result').innerText(), /held/);
		assert.match(await page.locator('#first-said').innerText(), /all after/);
		await page.locator('.chart').nth(1).hover({ position: { x: 1100, y: 100 } });
		assert.match(await page.locator('#first-said').innerText(), /after the return: .* of \d/);
		await page.locator('.chart').first().focus();
		await page.keyboard.press('ArrowRight');
		assert.match(await page.locator('#rates-said').innerText(), /a second/);
		assert.equal(await page.locator('#totals > div').count(), data.totals.length);
	});

suite('fleet_page', 2);
