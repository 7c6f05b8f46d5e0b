/* SPDX-License-Identifier: Apache-2.0 */
/* The suite on holdfastd of this build: each group has a device and an origin of its own. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { test, suite } from '../integration/lib/harness.mjs';
import { Daemon, run } from '../integration/lib/daemon.mjs';
import { freePort } from '../integration/lib/ports.mjs';
import { HttpDevice } from './lib/device.mjs';
import { benchOrigin, profile } from './lib/bench.mjs';
import { groupNames, runGroup, table } from './lib/vectors.mjs';
import './vectors/all.mjs';

const RUN = fileURLToPath(new URL('./run.mjs', import.meta.url));

async function bench(x, Device = HttpDevice) {
	const origin = await benchOrigin(x);
	const daemon = await Daemon.create(x, { origin, manifest: profile });
	return { origin, device: new Device({ base: `http://127.0.0.1:${daemon.port}`, restart: () => daemon.restart(),
		later: (ms) => daemon.later(ms) }) };
}

for (const group of groupNames())
	test(`conformance: ${group}`, { seconds: 240 }, async (x) => {
		const results = await runGroup(group, await bench(x));
		x.say(`\n${table(results)}`);
		assert.deepEqual(results.filter((r) => r.result === 'fail').map((r) => `${r.name}: ${r.why}`), []);
	});

/* ---- devices that are not as they should be: what the suite finds ---- */

class Forgets extends HttpDevice {
	restart = async () => {
		await super.restart();
		await this.clear();
	};
}
class SaysDone extends HttpDevice {
	end(event) {
		return super.end(event, true);
	}
}
class LastChanceNever extends HttpDevice {
	async event(...args) {
		return { ...await super.event(...args), lastChance: false };
	}
}
class NothingTwice extends HttpDevice {
	async register(tag, options) {
		if (!(await this.tags(options)).includes(tag))
			await super.register(tag, options);
	}
}
class FakesOk extends HttpDevice {
	async send(...args) {
		const answer = await super.send(...args);
		return this.queued(answer) ? { ...answer, status: 200 } : answer;
	}
}

const faulty = [
	[Forgets, 'queue', /survives a power cut/],
	[SaysDone, 'sync', /a failure is followed/],
	[LastChanceNever, 'sync', /lastChance is true/],
	[NothingTwice, 'sync', /registered while it waits/],
	[FakesOk, 'queue', /the origin away: 202/],
];

for (const [Device, group, only] of faulty)
	test(`a device that is not as it should be is found: ${Device.name}`, { seconds: 60 }, async (x) => {
		const results = await runGroup(group, await bench(x, Device), { only, seconds: 20 });
		assert.deepEqual(results.map((r) => r.result), ['fail'], JSON.stringify(results));
	});

test('the program: a table, and its exit code', { seconds: 60 }, async (x) => {
	const port = await freePort();
	const daemon = await Daemon.create(x, { origins: [{ name: 'o', url: `http://127.0.0.1:${port}` }], manifest: profile });
	const program = (...args) => run(process.execPath, [RUN, '--origin-port', `${port}`, ...args], { seconds: 50 });
	const base = ['--base', `http://127.0.0.1:${daemon.port}`];
	const good = await program(...base, '--only', 'never given|away: 202|power cut', '--group', 'answers', '--group', 'queue');
	assert.equal(good.code, 0, good.stderr + good.stdout);
	assert.match(good.stdout, /^pass  answers   RFC 9110 15\.5\.5  +an id that was never given: 404$/m);
	assert.match(good.stdout, /^skip  queue .*power cut.*\n +there is no way to restart the device$/m);
	assert.match(good.stdout, /^answers +1 +0 +2\nqueue +1 +0 +2$/m);
	const bad = await program(...base, '--prefix', '/.elsewhere', '--only', 'never given', '--group', 'answers', '--json');
	assert.equal(bad.code, 1);
	assert.equal(JSON.parse(bad.stdout)[0].result, 'fail');
	assert.equal((await program(...base, '--group', 'none')).code, 64);
	assert.equal((await program()).code, 64);
});

suite('conformance', 5);
