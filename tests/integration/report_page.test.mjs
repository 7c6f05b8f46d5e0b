/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report of a simulated run in Chromium: it fits at both widths, says what
 * is under the pointer, zooms, and takes keys. Screenshots lie in
 * HF_OUT_DIR/screenshots.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { browser, eachLook, noBrowser, open, SHOTS } from './lib/chromium.mjs';
import { suite, test, until } from './lib/harness.mjs';
import { noSim, report, scenario } from './lib/sim.mjs';

const skip = noSim || noBrowser;
const seconds = 120;

async function openReport(x, args) {
	const run = await report(x, args);
	const page = await open(x, await browser(x), pathToFileURL(run.file).href, { quiet: true });
	await page.waitForFunction(() => document.getElementById('range').textContent.includes('–'));
	return { ...run, page };
}

const range = (page) => page.locator('#range').innerText();

/* Where request @number stands in the window. */
const placeOf = (page, number) => page.evaluate((n) => {
	app.plot.scrollIntoView({ block: 'center' });
	return app.place(app.model.requests[n - 1]);
}, number);

const shoot = (page, name) => page.screenshot({ path: join(SHOTS, `report-${name}.png`) });

/* The colours of the pixels of a canvas, as many as there are. */
const colours = (page, id) => page.evaluate((name) => {
	const drawn = document.getElementById(name);
	const copy = new OffscreenCanvas(drawn.width, drawn.height).getContext('2d', { willReadFrequently: true });
	copy.drawImage(drawn, 0, 0);
	const { data } = copy.getImageData(0, 0, drawn.width, drawn.height);
	return new Set(new Uint32Array(data.buffer)).size;
}, id);

test('the day fits at both widths, light and dark', { skip, seconds }, async (x) => {
	const { page, data } = await openReport(x, ['day']);
	await eachLook(page, async (width, scheme) => {
		await page.screenshot({ path: join(SHOTS, `report-day-${width}-${scheme}.png`), fullPage: true });
		assert.ok(await colours(page, 'tracks') > 8, 'the timeline is drawn');
		assert.ok(await colours(page, 'lanes') > 4, 'the requests are drawn');
		const sizes = await page.evaluate(() => [app.plot.clientWidth, app.tracks.pen.width, app.lanes.pen.width]);
		assert.ok(sizes[1] <= sizes[0] && sizes[2] <= sizes[0], `${sizes}`);
	});
	const shown = await page.$$eval('#totals > div', (boxes) =>
		boxes.map((b) => [b.dataset.key, b.querySelector('dd').textContent]));
	assert.equal(shown.length, data.totals.length);
	assert.deepEqual(shown[0], ['accepted', String(data.totals[0].value)]);
	assert.match(await page.locator('#result').innerText(), /held/);
	assert.ok(await page.locator('#failure').isHidden());
	assert.equal(await page.locator('#checks li.good').count(), data.checks.length);
});

test('the pointer: what is there, zoom, selection, pin', { skip, seconds }, async (x) => {
	const { page, data } = await openReport(x, ['day']);
	const late = data.requests.find((r) => r.status === 202 && r.attempts.length === 1);
	const tip = page.locator('#tip');
	const all = await range(page);
	assert.match(all, /^06:00 – day 2, 06:00 · 24 h$/);

	let at = await placeOf(page, late.number);
	await page.mouse.move(at.x + 12, at.y);
	await tip.waitFor();
	const text = await tip.innerText();
	assert.match(text, new RegExp(`No\\. ${late.number} POST /api/orders`));
	assert.match(text, /delivered after/);
	assert.match(text, /attempt 1: 201, done/);
	assert.match(text, new RegExp(late.id));
	await shoot(page, 'tip');

	const ticks = () => page.evaluate(() => ticks(app.view, app.model.clock).map((t) => app.model.clock.text(t, 1e6)).join());
	const before = await ticks();
	await until(async () => { /* right after the page was scrolled the wheel scrolls it */
		await page.mouse.wheel(0, -100);
		return await range(page) !== all;
	}, { what: 'the wheel zooms', every: 100 });
	assert.notEqual(await ticks(), before, 'the axis has changed');
	const { from, to } = await page.evaluate(() => ({ from: app.view.from, to: app.view.to }));
	assert.ok(from < late.answered && to > late.answered, 'around the pointer');

	await page.click('#all');
	assert.equal(await range(page), all);
	assert.ok(await page.locator('#out').isDisabled());
	at = await placeOf(page, late.number);
	await page.mouse.move(at.x - 10, at.y - 60);
	await page.mouse.down();
	await page.mouse.move(at.x + 60, at.y - 60, { steps: 4 });
	assert.ok(await page.locator('#choice').isVisible());
	await page.mouse.up();
	const chosen = await page.evaluate(() => app.view.lasts);
	assert.ok(chosen > 3600e6 && chosen < 3 * 3600e6, `${chosen}`);
	await shoot(page, 'zoomed');

	at = await placeOf(page, late.number);
	await page.mouse.click(at.x + 20, at.y);
	await page.locator('#pin').waitFor();
	await page.mouse.move(5, 5);
	assert.match(await page.locator('#pin').innerText(), new RegExp(`No\\. ${late.number} `));
	await page.click('#pin .close');
	assert.ok(await page.locator('#pin').isHidden());
});

test('touch: a tap pins, a drag moves', { skip, seconds }, async (x) => {
	const { page, data } = await openReport(x, ['day']);
	const late = data.requests.find((r) => r.status === 202);
	await page.setViewportSize({ width: 400, height: 860 });
	await page.evaluate((r) => app.view.show(r.sent, r.sent + 3600e6), late);
	await page.waitForFunction(() => app.view.narrow);
	const at = await placeOf(page, late.number);
	const touch = (type, px) => page.locator('#plot').dispatchEvent(type, { pointerType: 'touch', pointerId: 7, button: 0,
		clientX: at.x + 10 + px, clientY: at.y, isPrimary: true });
	await page.evaluate(() => (app.plot.setPointerCapture = () => {}));
	await touch('pointerdown', 0);
	await touch('pointerup', 0);
	assert.match(await page.locator('#pin').innerText(), new RegExp(`No\\. ${late.number} `));
	const box = await page.locator('#pin').boundingBox();
	assert.ok(box.x >= 0 && box.x + box.width <= 400 && box.y + box.height <= 860, JSON.stringify(box));
	const before = await page.evaluate(() => app.view.from);
	await touch('pointerdown', 0);
	await touch('pointermove', -60);
	await touch('pointerup', -60);
	assert.ok(await page.evaluate(() => app.view.from) > before);
});

test('the keys do what the pointer does', { skip, seconds }, async (x) => {
	const { page } = await openReport(x, ['day']);
	const lasts = () => page.evaluate(() => app.view.lasts);
	const all = await lasts();
	await page.focus('#plot');
	await page.keyboard.press('+');
	const shorter = await lasts();
	assert.ok(shorter < all);
	const before = await range(page);
	await page.keyboard.press('ArrowRight');
	assert.notEqual(await range(page), before);
	assert.equal(await lasts(), shorter);
	await page.keyboard.press('0');
	assert.equal(await lasts(), all);
	await page.keyboard.press('n');
	assert.match(await page.locator('#tip').innerText(), /^No\. 1 /);
	assert.match(await page.locator('#said').textContent(), /^Request 1, POST \/api\/orders/);
	await page.keyboard.press('n');
	await page.keyboard.press('Enter');
	assert.match(await page.locator('#pin').innerText(), /No\. 2 /);
	await page.keyboard.press('Escape');
	assert.ok(await page.locator('#pin').isHidden());
	assert.ok(await page.evaluate(() => document.activeElement === app.plot));
});

test('the table: only rows that are seen, filters, a click leads to the timeline', { skip, seconds }, async (x) => {
	const { page, data } = await openReport(x, ['day']);
	const rows = () => page.locator('#requests tbody tr:not(.gap)').count();
	assert.ok(await rows() < data.requests.length);
	await page.evaluate(() => (document.getElementById('requests-box').scrollTop = 1e6));
	await page.locator(`#requests [data-number="${data.requests.length}"]`).first().waitFor();
	await page.selectOption('#kind', 'late');
	const late = data.requests.filter((r) => r.status === 202).length;
	assert.equal(await page.locator('#requests-count').innerText(), `${late} of ${data.requests.length}`);
	await page.evaluate(() => (document.getElementById('requests-box').scrollTop = 0));
	await page.locator('#requests tbody button').first().click();
	const first = data.requests.find((r) => r.status === 202);
	assert.match(await page.locator('#pin').innerText(), new RegExp(`No\\. ${first.number} `));
	const view = await page.evaluate(() => ({ from: app.view.from, to: app.view.to, end: app.view.end }));
	assert.ok(view.from < first.sent && view.to > first.end && view.to - view.from < view.end / 2);
	await page.check('#in-view');
	await until(async () => (await page.locator('#requests-count').innerText()) !== `${late} of ${data.requests.length}`,
		{ what: 'fewer requests' });
	await page.locator('#troubles button').first().click();
	assert.match(await range(page), /1 h|2 h/);
});

test('a failed run says so first, and hostile words are words', { skip, seconds }, async (x) => {
	const title = '</script><script>document.body.dataset.broken=1</script><img src=x onerror=document.body.dataset.broken=1>';
	const file = scenario(x, `title "${title}"\nafter 1s panel POST "/<b>${title}" body "x"\nexpect origin received 4 within 2s\n`);
	const { page } = await openReport(x, ['run', file]);
	assert.equal(await page.title(), title);
	assert.equal(await page.locator('#title').innerText(), title);
	assert.match(await page.locator('#failure').innerText(), /test\.scn:3:1\nexpect origin received 4 within 2s/);
	assert.match(await page.locator('#result').innerText(), /Failed/);
	await page.locator('#requests tbody button').first().click();
	assert.match(await page.locator('#pin').innerText(), /onerror/);
	assert.equal(await page.evaluate(() => document.body.dataset.broken), undefined);
	assert.equal(await page.locator('img').count(), 0);
	await eachLook(page, (width, scheme) => shoot(page, `failed-${width}-${scheme}`));
});

test('thousands of requests, and none', { skip, seconds }, async (x) => {
	const many = scenario(x, 'begins 06:00\nlasts 6h\n' +
		['orders', 'payments', 'reports'].map((p) => `every 8s to 20s until 11:50 panel POST /api/${p} body "{n}"\n`).join('') +
		'at 07:00 link down\nat 09:00 link up\n', 'many.scn');
	const { page, data } = await openReport(x, ['run', many]);
	assert.ok(data.requests.length > 2000);
	await eachLook(page, (width, scheme) => page.screenshot({
		path: join(SHOTS, `report-many-${width}-${scheme}.png`), fullPage: true }));
	await page.waitForFunction(() => app.lanes.crowded && app.lanes.height <= app.lanes.room);
	await page.click('#rows');
	await page.waitForFunction(() => app.lanes.height > app.lanes.room);
	assert.ok(await page.evaluate(() => document.getElementById('lanes').height) < 2000, 'only what is seen is drawn');
	await shoot(page, 'many-whole');

	const none = await openReport(x, ['run', scenario(x, 'lasts 10s\n', 'none.scn')]);
	await eachLook(none.page, (width, scheme) => none.page.screenshot({
		path: join(SHOTS, `report-none-${width}-${scheme}.png`), fullPage: true }));
	assert.match(await none.page.locator('#requests-none').innerText(), /No request was sent/);
	assert.ok(await none.page.locator('#troubles-none').isVisible());
});

suite('the page of the report', 2);
