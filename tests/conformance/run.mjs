#!/usr/bin/env node
/* SPDX-License-Identifier: Apache-2.0 */
/* The suite on any device: README.md says what it needs. Exit code 0: nothing failed, 1, 64: usage. */
import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { HttpDevice } from './lib/device.mjs';
import { benchOrigin } from './lib/bench.mjs';
import { groupNames, runGroup, table } from './lib/vectors.mjs';
import './vectors/all.mjs';

const USAGE = `run.mjs --origin-port N (--base URL [--prefix /.holdfast] [--restart COMMAND] [--later COMMAND] | --adapter FILE.mjs)
        [--group NAME]... [--only REGEX] [--seconds N] [--json]
groups: ${groupNames().join(' ')}`;

function usage(why) {
	console.error(`${why}\n${USAGE}`);
	process.exit(64);
}

function options() {
	const text = { type: 'string' };
	try {
		return parseArgs({ options: { base: text, prefix: text, restart: text, later: text, adapter: text, 'origin-port': text,
			group: { type: 'string', multiple: true }, only: text, seconds: text, json: { type: 'boolean' } } }).values;
	} catch (error) {
		return usage(error.message);
	}
}

function shell(command) {
	const { status } = spawnSync('/bin/sh', ['-c', command], { stdio: ['ignore', 'inherit', 'inherit'] });
	if (status !== 0)
		throw new Error(`${command}: exit code ${status}`);
}

const given = options();
if (!given['origin-port'] || !given.base === !given.adapter)
	usage('where is the device, and where does it look for its origin?');
const groups = given.group ?? groupNames();
const unknown = groups.find((group) => !groupNames().includes(group));
if (unknown)
	usage(`there is no group ${unknown}`);

const ends = [];
const origin = await benchOrigin({ defer: (f) => ends.push(f) }, Number(given['origin-port']));
const device = given.adapter ?
	await (await import(pathToFileURL(resolve(given.adapter)))).create({ originPort: origin.port }) :
	new HttpDevice({ base: given.base, prefix: given.prefix, restart: given.restart && (() => shell(given.restart)),
		later: given.later && ((ms) => shell(`${given.later} ${Math.ceil(ms / 1000)}`)) });
const results = [];
for (const group of groups)
	results.push(...await runGroup(group, { device, origin },
		{ only: new RegExp(given.only ?? '.'), seconds: Number(given.seconds ?? 30) }));
console.log(given.json ? JSON.stringify(results, null, 2) : table(results));
for (const end of ends)
	await end();
await device.close?.();
process.exit(results.some((r) => r.result === 'fail') ? 1 : 0);
