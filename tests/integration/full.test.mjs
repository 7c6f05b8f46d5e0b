/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state folder on a medium of its own, a small tmpfs, that runs full: at the
 * first start, by the requests that wait, by others. Needs the right to mount, in
 * a mount namespace of this process or not at all; without it the tests are skipped.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmdirSync, unlinkSync,
	writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, suite, sleep, until } from './lib/harness.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon } from './lib/daemon.mjs';

const BODY = 'b'.repeat(20000);

const mount = (dir, kib) => spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'tmpfs', dir]);
const unmount = (dir) => spawnSync('umount', [dir]);

function cannotMount() {
	const dir = mkdtempSync(join(tmpdir(), 'hf-mount-'));
	try {
		if (mount(dir, 64).status !== 0)
			return 'a tmpfs cannot be mounted here (root is needed)';
		return unmount(dir).status === 0 ? false : 'a tmpfs cannot be unmounted here';
	} finally {
		rmdirSync(dir);
	}
}

const skip = cannotMount();

/* Bytes of others on the medium, as many as there is room for. */
function occupy(dir) {
	const file = openSync(join(dir, 'others'), 'w');
	let size = 65536;
	while (size >= 512) {
		try {
			writeSync(file, Buffer.alloc(size));
		} catch (e) {
			assert.equal(e.code, 'ENOSPC');
			size /= 2;
		}
	}
	closeSync(file);
}

async function kiosk(x, { kib = 4096, full = false, up = false } = {}) {
	const origin = await Origin.create(x, { start: up });
	const medium = join(x.dir, 'medium');
	mkdirSync(medium);
	assert.equal(mount(medium, kib).status, 0);
	x.defer(() => assert.equal(unmount(medium).status, 0));
	if (full)
		occupy(medium);
	const daemon = await Daemon.create(x, { origin, start: false });
	const conf = daemon.conf;
	rewrite(conf, daemon.stateDir, join(medium, 'state'));
	mkdirSync(join(medium, 'state'), { recursive: true });
	await daemon.start();
	return { origin, daemon, medium };
}

function rewrite(conf, from, to) {
	const done = spawnSync('sed', ['-i', `s|${from}|${to}|`, conf]);
	assert.equal(done.status, 0);
}

const order = (n) => `{"n":${n},"pad":"${BODY}"}`;

/* Posts until one is refused with 507; how many were accepted. */
async function fill(daemon, from = 0) {
	for (let n = from; ; n++) {
		const answer = await daemon.post('/api/orders', order(n));
		if (answer.status === 507)
			return n - from;
		assert.equal(answer.status, 202, answer.text);
	}
}

const waiting = async (daemon) => (await daemon.status()).totals.waiting;

async function drained(daemon, left = 0) {
	await until(async () => await waiting(daemon) <= left,
		{ ms: 60000, what: `no more than ${left} wait`, every: 50 });
}

/* Within seconds, though not at once: what was settled last is still to be purged. */
async function accepts(daemon, text) {
	let answer;
	await until(async () => {
		answer = await daemon.post('/api/orders', text);
		return answer.status !== 507;
	}, { ms: 15000, what: 'a request is accepted', every: 500 });
	assert.ok(answer.status === 202 || answer.status === 201 || answer.status === 200,
		`${answer.status} ${answer.text}`);
}

test('a medium that its queue has filled takes requests again when the queue has drained',
	{ skip, seconds: 120 }, async (x) => {
		const { origin, daemon } = await kiosk(x);
		for (let round = 0; round < 3; round++) {
			const n = await fill(daemon, round * 1000);
			assert.ok(n >= 10, `only ${n} in round ${round}`);
			await origin.start();
			await drained(daemon);
			assert.equal(origin.effects.size, origin.arrivals.length);
			await origin.stop();
			await accepts(daemon, order(round * 1000 + 900));
			if (round === 1) {
				await daemon.restart();
				await accepts(daemon, order(round * 1000 + 901));
			}
		}
		await origin.start();
		await drained(daemon);
		assert.equal((await daemon.status()).totals.dead, 0);
	});

test('a part of the queue that is delivered is room enough', { skip, seconds: 90 }, async (x) => {
	const { origin, daemon } = await kiosk(x);
	const n = await fill(daemon);
	await origin.start();
	await drained(daemon, n / 2);
	await origin.stop();
	await accepts(daemon, order(5000));
});

test('after a restart a drained medium takes requests, and the queue is whole',
	{ skip, seconds: 90 }, async (x) => {
		const { origin, daemon } = await kiosk(x);
		const n = await fill(daemon);
		await daemon.restart();
		assert.equal(await waiting(daemon), n);
		await origin.start();
		await drained(daemon);
		assert.equal(origin.effects.size, n);
		await daemon.restart('SIGTERM');
		await origin.stop();
		await accepts(daemon, order(6000));
	});

test('a first start on a full medium: it proxies, refuses to queue, and begins when there is room',
	{ skip, seconds: 90 }, async (x) => {
		const { origin, daemon, medium } = await kiosk(x, { full: true, up: true });
		assert.equal((await daemon.get('/page')).status, 200);
		assert.ok((await daemon.post('/api/orders', order(1))).status < 300);
		await origin.stop();
		for (let i = 0; i < 3; i++) {
			assert.equal((await daemon.post('/api/orders', order(2))).status, 507);
			await sleep(100);
		}
		assert.equal((await daemon.status()).store.full, true);
		assert.deepEqual((await daemon.json('/.holdfast/requests')).requests, []);
		unlinkSync(join(medium, 'others'));
		await until(async () => (await daemon.post('/api/orders', order(3))).status === 202,
			{ ms: 40000, what: 'a request is queued', every: 500 });
		await daemon.restart();
		assert.equal(await waiting(daemon), 1);
		await origin.start();
		await drained(daemon);
	});

suite('a full medium', 2);
