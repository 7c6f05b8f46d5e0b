/* SPDX-License-Identifier: Apache-2.0 */
/* The report of a simulated run: its data against what the run printed, and what it is made of. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from './lib/harness.mjs';
import { noSim, report, scenario, sim } from './lib/sim.mjs';

const skip = noSim;
const seconds = 60;

const total = (data, key) => data.totals.find((t) => t.key === key).value;
const series = (data, name) => data.series.find((s) => s.name === name);
const traceOf = (out) => /trace ([0-9a-f]{16})/.exec(out)[1];

/* The figures of the table under the story, by their first words. */
function table(out) {
	const rows = [...out.matchAll(/^ {2,4}([a-z][a-z ]+?) {2,}(\S+(?: [a-zA-Z]+)*)$/gm)];
	return Object.fromEntries(rows.map((r) => [r[1], r[2]]));
}

function assertRising(list) {
	for (let i = 1; i < list.length; i++)
		assert.ok(list[i] >= list[i - 1], `${list[i]} after ${list[i - 1]}`);
}

/* What the requests say by themselves. */
function recount({ requests }) {
	const accepted = requests.filter((r) => r.status >= 200 && r.status < 300);
	const effects = requests.map((r) => r.attempts.filter((a) => a[2]).length);
	const waits = accepted.filter((r) => r.status === 202)
		.map((r) => (r.attempts.find((a) => a[2])?.[0] ?? 0) - r.answered);
	return {
		accepted: accepted.length,
		kept: requests.filter((r) => r.status === 202).length,
		delivered: accepted.filter((r) => effects[r.number - 1] > 0).length,
		lost: accepted.filter((r) => effects[r.number - 1] === 0).length,
		duplicated: effects.reduce((sum, n) => sum + Math.max(0, n - 1), 0),
		wait: Math.max(0, ...waits),
	};
}

function assertAgrees(data) {
	for (const [key, value] of Object.entries(recount(data)))
		assert.equal(total(data, key), value, key);
	const waiting = series(data, 'Waiting').points;
	assertRising(waiting.map((p) => p[0]));
	assert.ok(waiting.every((p) => p[1] >= 0));
	assert.equal(waiting.at(-1)[1], data.requests.filter((r) => r.status === 202 && r.end === null).length);
	const written = series(data, 'Written').points;
	assertRising(written.map((p) => p[0]));
	assert.equal(written.reduce((sum, p) => sum + p[1], 0), total(data, 'bytes'));
	assert.equal(data.marks.filter((m) => m.kind === 'cut').length, total(data, 'cuts'));
	for (const band of data.bands) {
		assert.equal(band.spans[0].from, 0, band.name);
		assertRising(band.spans.map((s) => s.from));
	}
	for (const r of data.requests) {
		assert.ok(data.lanes[r.lane]);
		assertRising(r.attempts.map((a) => a[0]));
	}
}

test('the day: the data agrees with the table', { skip, seconds }, async (x) => {
	const run = await report(x, ['day']);
	const { data } = run;
	const said = table(run.out);
	assert.equal(run.code, 0);
	assertAgrees(data);
	assert.equal(total(data, 'accepted'), Number(said['accepted from the panel']));
	assert.equal(total(data, 'kept'), Number(said['of these kept for later']));
	assert.equal(total(data, 'delivered'), Number(said['delivered to the shop']));
	assert.equal(total(data, 'lost'), Number(said.lost));
	assert.equal(total(data, 'duplicated'), Number(said['duplicated effects']));
	assert.equal(total(data, 'order'), Number(said['order kept'] === 'yes'));
	assert.equal(total(data, 'cuts'), Number(said['power cuts']));
	assert.equal(`${(total(data, 'bytes') / 1e6).toFixed(1)} MB`, said['written to the disk']);
	assert.equal(data.title, 'A day at the kiosk');
	assert.equal(data.command, 'holdfast-sim day --seed 1');
	assert.equal(data.failure, null);
	assert.ok(data.checks.some((c) => c.name === 'accounted-for'));
	assert.ok(data.checks.every((c) => c.holds === true && c.promise));
	assert.equal(data.begins_us, 6 * 3600e6);
	assert.equal(data.end_us, 24 * 3600e6);
	assert.match(data.commit, /^([0-9a-f]{7,}\+?|unknown)$/);
});

/* What a story's lines begin with, in seconds. */
function storyTimes(out) {
	const lines = [...out.matchAll(/^ {2}(\d+):(\d\d)(?:-\d+:\d\d)? /gm)];
	return lines.map((m) => Number(m[1]) * 60 + Number(m[2]));
}

test('a story is told in the order of time', { skip, seconds: 180 }, async () => {
	const day = storyTimes((await sim(['day'])).out).map((t) => (t + 1080) % 1440);
	assert.ok(day.length > 30);
	assertRising(day);
	const folder = new URL('../../host-sim/scenarios/', import.meta.url).pathname;
	for (const name of readdirSync(folder).filter((n) => n.endsWith('.scn'))) {
		const file = join(folder, name);
		if (/^begins/m.test(readFileSync(file, 'utf8')))
			continue; // midnight comes in between
		const { out } = await sim(['run', file]);
		assertRising(storyTimes(out));
	}
});

test('the day: the states are those of the scenario', { skip, seconds }, async (x) => {
	const { data } = await report(x, ['day']);
	const minutes = (at) => 360 + Math.round(at / 60e6);
	const troubles = (name) => data.bands.find((b) => b.name === name).spans.filter((s) => s.mood !== 'good')
		.map((s) => [minutes(s.from), s.text]);
	assert.deepEqual(troubles('Link'), [[9 * 60 + 12, 'down'], [17 * 60 + 35, 'login page']]);
	assert.deepEqual(troubles('Origin'), [[12 * 60 + 38, 'answers 503, retry after 120 s'],
		[20 * 60 + 28, 'loses 100 % of its answers'], [27 * 60, 'refuses calls']]);
	assert.equal(troubles('Power').length, 2);
	assert.deepEqual(troubles('Clock').filter((t) => t[1] === 'not set').length, 3);
});

test('several devices and origins have bands and lanes of their own', { skip, seconds }, async (x) => {
	const file = scenario(x, `lasts 5m
device kiosk
device lobby
origin parts http://parts.example
at 5s panel POST /api/orders body "1"
lobby panel POST /api/orders to parts body "2"
at 20s kiosk disk full
lobby dns fails
at 30s kiosk disk normal
at 40s kiosk process killed
at 60s lobby cut power
at 90s origin parts answers 503
kiosk network loses 5%
kiosk clock jumps ahead 3h
kiosk link flaps 2s down 3s up
`);
	const { code, data } = await report(x, ['run', file]);
	assert.equal(code, 0);
	assertAgrees(data);
	const bad = Object.fromEntries(data.bands.map((b) => [`${b.of} ${b.name}`,
		b.spans.filter((s) => !['good', 'off'].includes(s.mood)).map((s) => [s.from / 1e6, s.text])]));
	assert.deepEqual(bad['kiosk Disk'], [[20, 'full']]);
	assert.deepEqual(bad['kiosk Process'], [[40, 'has ended']]);
	assert.deepEqual(bad['kiosk Network'], [[90, 'loses 5 %']]);
	assert.deepEqual(bad['kiosk Clock'], [[0, 'not set'], [90, '3 h 0 min ahead']]);
	assert.ok(bad['kiosk Link'].length > 30);
	assert.deepEqual(bad['lobby Names'], [[20, 'are not found']]);
	assert.deepEqual(bad['lobby Power'], [[60, 'off']]);
	assert.deepEqual(bad['parts.example Origin'], [[90, 'answers 503']]);
	assert.deepEqual(bad['shop.example Origin'], []);
	assert.ok(!('lobby Disk' in bad), 'a disk that was well has no band');
	assert.deepEqual(data.lanes, ['kiosk shop /api/orders', 'lobby parts /api/orders']);
	assert.equal(data.requests[1].panel, 'lobby/panel');
	assert.deepEqual(data.marks.filter((m) => m.kind === 'cut').map((m) => m.text), ['The power goes: lobby']);
});

test('the run is the same with and without its report', { skip, seconds }, async (x) => {
	for (const args of [['day'], ['replay', '--seed', '23']]) {
		const run = await report(x, args);
		const again = await report(x, args);
		assert.equal(run.data.trace, traceOf(run.out));
		assert.equal(traceOf((await sim(args)).out), traceOf(run.out), args[0]);
		assert.equal(again.html, run.html, `${args[0]}: the same run makes the same page`);
	}
});

test('random plans: the data agrees with itself', { skip, seconds }, async (x) => {
	for (let seed = 1; seed <= 12; seed++) {
		const { data } = await report(x, ['replay', '--seed', String(seed)]);
		assert.equal(data.command, `holdfast-sim replay --seed ${seed}`);
		assert.equal(data.seed, String(seed));
		assertAgrees(data);
	}
});

test('the path is the last line, and the page needs nothing else', { skip, seconds }, async (x) => {
	const { out, file, html } = await report(x, ['day']);
	assert.ok(out.trimEnd().split('\n').at(-1).endsWith(file));
	assert.ok(Buffer.byteLength(html) < 300000, `${Buffer.byteLength(html)} bytes`);
	assert.deepEqual([...html.matchAll(/(?:src|href)\s*=\s*["']?([^"'>\s]*)/g)].map((m) => m[1]), ['data:,']);
	assert.doesNotMatch(html, /@import|url\(|\{\{/);
});

test('a title cannot leave its place', { skip, seconds }, async (x) => {
	const title = '</script><script>document.title=1</script><!-- <b>&amp; \'x\' é';
	const file = scenario(x, `title "${title}"\nafter 1s panel POST /api/orders body "</script>"\nexpect 201\n`);
	const { code, data, html } = await report(x, ['run', file]);
	assert.equal(code, 0);
	assert.equal(data.title, title);
	assert.equal(html.match(/<\/script>/g).length, 2);
	assert.ok(!html.includes('<script>document'));
	assert.ok(!html.includes('<!-- <b>'));
	assert.match(html, /<title>&#60;\/script&#62;/);
});

test('a failed expectation is told with its line', { skip, seconds }, async (x) => {
	const file = scenario(x, '# nothing\nafter 1s panel POST /api/orders body "x"\n  expect origin received 4 within 2s\n');
	const { code, out, data } = await report(x, ['run', file, '--seed', '9']);
	assert.equal(code, 1);
	assert.deepEqual(data.failure, { what: 'the origin received 1', file, line: 3, column: 3,
		text: '  expect origin received 4 within 2s' });
	assert.ok(data.checks.every((c) => c.holds === null));
	assert.equal(data.title, 'test.scn');
	assert.equal(data.command, `holdfast-sim run ${file} --seed 9`);
	assert.match(out, /report\.html\n$/);
});

test('a check that does not hold is told', { skip, seconds: 120 }, async (x) => {
	for (let seed = 1; seed <= 200; seed++) {
		const run = await report(x, ['replay', '--seed', String(seed), '--mutant', 'normal']);
		if (run.code === 0)
			continue;
		const { failure, checks } = run.data;
		assert.ok(failure.check);
		assert.equal(checks.find((c) => c.name === failure.check).holds, false);
		assert.equal(checks.find((c) => c.name === failure.check).why, failure.what);
		assert.match(run.data.command, /--mutant normal$/);
		return;
	}
	assert.fail('no seed has caught the mutant');
});

test('a report that cannot be written is a failure', { skip, seconds }, async (x) => {
	const file = join(x.dir, 'no', 'such', 'folder.html');
	const { code, out, err } = await sim(['day', '--report', file]);
	assert.equal(code, 1);
	assert.match(err, /the report .*folder\.html cannot be written: No such file/);
	assert.ok(!out.includes(file));
	assert.ok(!existsSync(file));
});

suite('report', 2);
