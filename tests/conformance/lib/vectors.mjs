/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of vectors, and how they are run and shown. */


const groups = new Map();

/* Thrown by a vector for what the device does not offer. */
export class Skip extends Error {}

/* @section: of the standard, as "RFC 9110 15.3.3" or "background-sync #sync-event". */
export function vector(group, section, name, fn) {
	if (!groups.has(group))
		groups.set(group, []);
	groups.get(group).push({ section, name, fn });
}

export const groupNames = () => [...groups.keys()];

function limit(promise, seconds) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`not over after ${seconds} s`)), seconds * 1000);
	});
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function one({ section, name, fn }, bench, seconds) {
	const begin = performance.now();
	let result = 'pass', why = '';
	try {
		await bench.origin.reset();
		await bench.device.clear();
		await limit(fn(bench), seconds);
	} catch (error) {
		result = error instanceof Skip ? 'skip' : 'fail';
		why = error.message;
	}
	return { section, name, result, why, ms: Math.round(performance.now() - begin) };
}

/* The vectors of @group on @bench { device, origin }, one after the other. */
export async function runGroup(group, bench, { seconds = 30, only = /./ } = {}) {
	const results = [];
	for (const v of groups.get(group))
		if (only.test(v.name))
			results.push({ group, ...await one(v, bench, seconds) });
	return results;
}

export function table(results) {
	const lines = [];
	const width = Math.max(...results.map((r) => r.section.length));
	for (const r of results)
		lines.push(`${r.result}  ${r.group.padEnd(9)} ${r.section.padEnd(width)}  ${r.name}` +
			`${r.why ? `\n      ${r.why.split('\n')[0]}` : ''}`);
	lines.push('', 'group      pass  fail  skip');
	for (const group of [...new Set(results.map((r) => r.group))]) {
		const n = (result) => String(results.filter((r) => r.group === group && r.result === result).length).padStart(5);
		lines.push(`${group.padEnd(9)} ${n('pass')} ${n('fail')} ${n('skip')}`);
	}
	return lines.join('\n');
}
