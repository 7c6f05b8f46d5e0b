/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast-sim as a person meets it: a scenario and a manifest of one's own, and the
 * line that tells how far a long run is, at a terminal only. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from './lib/harness.mjs';
import { noSim, scenario, sim, SIM } from './lib/sim.mjs';

const seconds = 120;

/* The blocks of the manual that stand in @language, "" for plain ones. */
function blocks(language) {
	const text = readFileSync(new URL('../../docs/SIMULATOR.md', import.meta.url), 'utf8');
	return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].filter((m) => m[1] === language).map((m) => m[2]);
}

test('the examples of the manual hold', { skip: noSim, seconds }, async (x) => {
	const stories = blocks('').filter((text) => text.startsWith('title'));
	assert.ok(stories.length >= 2);
	writeFileSync(join(x.dir, 'bakery.worker.json'), blocks('json').find((text) => text.includes('bakery')));
	for (const text of stories) {
		const { code, out, err } = await sim(['run', scenario(x, text)]);
		assert.equal(code, 0, `${out}${err}`);
		assert.match(out, /lost +0\n/);
	}
});

test('a manifest with a fault is told with its line', { skip: noSim, seconds }, async (x) => {
	writeFileSync(join(x.dir, 'm.json'), '{\n "name": "m"\n "version": "1" }\n');
	const { code, err } = await sim(['run', scenario(x, 'manifest m.json\nat 1s panel POST /x body "1"\nexpect 202\n')]);
	assert.equal(code, 1);
	assert.match(err, /worker\.json:3: .*comma/);
	assert.match(err, /test\.scn:3:1: not so: Holdfast does not start on kiosk/);
});

const noScript = (() => {
	try {
		execFileSync('script', ['--version']);
		return false;
	} catch {
		return 'there is no script';
	}
})();

/* What it says on a terminal, where stdout and stderr are one. */
function atTerminal(args) {
	const child = spawn('script', ['-qec', [SIM, ...args].join(' '), '/dev/null'], { stdio: ['ignore', 'pipe', 'inherit'] });
	let out = '';
	child.stdout.on('data', (d) => (out += d));
	return new Promise((resolve) => child.once('close', (code) => resolve({ code, out })));
}

const folder = new URL('../../host-sim/scenarios/', import.meta.url).pathname;
const long = {
	soak: ['soak', '--count', '60', '--jobs', '1'],
	sweep: ['sweep', join(folder, 'disk_full.scn'), '--cuts', '--sample', '60', '--jobs', '1'],
	fleet: ['fleet', '--devices', '80', '--outage', '5m'],
	shrink: ['shrink', '--seed', '15', '--mutant', 'careless', '--out', '/dev/null'],
};

for (const [name, args] of Object.entries(long))
	test(`${name} tells how far it is at a terminal, and nowhere else`, { skip: noSim || noScript, seconds: 300 }, async () => {
		const there = await atTerminal(args);
		assert.match(there.out, /\r[a-z: ]+ \[[#-]{24}\] \d+ of \d+/);
		const { out, err } = await sim(args);
		assert.doesNotMatch(out + err, /\r|\x1b|\[[#-]{24}\]/);
	});

suite('sim_cli', 1);
