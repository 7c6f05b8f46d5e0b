/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test(name, options, fn): a node:test test whose helpers clean up after
 * themselves and whose daemons' logs are printed when it fails. fn gets a
 * context:
 *
 *   x.dir         a new folder, gone after the test
 *   x.defer(f)    f runs at the end, last deferred first
 *   x.explain(f)  f() gives text to print on failure
 *   x.say(text)   a line in the output, failed or not
 *
 * Tests of one file run side by side, as many as HF_TEST_CONCURRENCY says;
 * HF_TEST_ONLY is a regular expression on their names, HF_TEST_LOG the daemons'
 * log level.
 */
import { describe, it } from 'node:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const sanitized = process.env.HF_SANITIZE === '1';

export class Context {
	#deferred = [];
	#explanations = [];

	constructor(name) {
		this.name = name;
		this.dir = mkdtempSync(join(tmpdir(), 'hf-'));
		this.defer(() => rmSync(this.dir, { recursive: true, force: true }));
	}

	defer(f) {
		this.#deferred.push(f);
	}

	explain(f) {
		this.#explanations.push(f);
	}

	say(text) {
		console.log(`# ${text}`);
	}

	explanation() {
		return this.#explanations.map((f) => f()).join('\n');
	}

	async finish() {
		const faults = [];
		while (this.#deferred.length > 0) {
			try {
				await this.#deferred.pop()();
			} catch (e) {
				faults.push(e);
			}
		}
		if (faults.length > 0)
			throw faults[0];
	}
}

function limit(promise, ms, name) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`${name}: not over after ${ms} ms`)), ms);
	});
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function run(name, seconds, fn) {
	const x = new Context(name);
	let failure = null;
	try {
		await limit(Promise.resolve(fn(x)), seconds * 1000, name);
	} catch (e) {
		failure = e;
		console.log(`# ---- ${name}: failed ----\n${x.explanation()}\n# ---- end of ${name} ----`);
	}
	try {
		await x.finish();
	} catch (e) {
		failure ??= e;
	}
	if (failure)
		throw failure;
}

const only = process.env.HF_TEST_ONLY ? new RegExp(process.env.HF_TEST_ONLY) : null;
const collected = [];

/* Options: seconds (limit, default 60), skip (a reason). */
export function test(name, options, fn) {
	if (typeof options === 'function') {
		fn = options;
		options = {};
	}
	if (only && !only.test(name))
		return;
	const seconds = (options.seconds ?? 60) * (sanitized ? 3 : 1);
	collected.push([name, { skip: options.skip ?? false, timeout: (seconds + 20) * 1000 },
		() => run(name, seconds, fn)]);
}

/* At the end of each file: title, and how many tests run at a time. */
export function suite(title, concurrency = 4) {
	const n = Number(process.env.HF_TEST_CONCURRENCY ?? concurrency);
	describe(title, { concurrency: n }, () => {
		for (const [name, options, fn] of collected)
			it(name, options, fn);
	});
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/* Waits until f() gives something true and returns it. The limit is for what never comes,
 * not for what comes late on a machine that has much to do. */
export async function until(f, { ms = 40000, what = 'condition', every = 10 } = {}) {
	const end = Date.now() + ms;
	for (;;) {
		const value = await f();
		if (value)
			return value;
		if (Date.now() > end)
			throw new Error(`${what}: not within ${ms} ms`);
		await sleep(every);
	}
}

/* Numbers that repeat: mulberry32. */
export function random(seed) {
	let a = seed >>> 0;
	return () => {
		a = (a + 0x6d2b79f5) >>> 0;
		let t = a;
		t = Math.imul(t ^ (t >>> 15), t | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

export function median(numbers) {
	const sorted = [...numbers].sort((a, b) => a - b);
	return sorted.length ? sorted[Math.floor(sorted.length / 2)] : NaN;
}
