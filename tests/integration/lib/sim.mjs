/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast-sim and the report of a run. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { binDir } from './daemon.mjs';

export const SIM = join(binDir, 'holdfast-sim');
export const noSim = existsSync(SIM) ? false : 'there is no holdfast-sim';

/* { code, out, err } */
export function sim(args) {
	const child = spawn(SIM, args, { stdio: ['ignore', 'pipe', 'pipe'] });
	const said = { out: '', err: '' };
	child.stdout.on('data', (d) => (said.out += d));
	child.stderr.on('data', (d) => (said.err += d));
	return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...said })));
}

/* A file of x's folder with a scenario; its path. */
export function scenario(x, text, name = 'test.scn') {
	const file = join(x.dir, name);
	writeFileSync(file, text);
	return file;
}

/* Runs with --report: also { file, html, data }. */
export async function report(x, args) {
	const file = join(x.dir, 'report.html');
	const run = await sim([...args, '--report', file]);
	x.explain(() => `${run.out.slice(-2000)}${run.err}`);
	const html = readFileSync(file, 'utf8');
	const data = JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html)[1]);
	return { ...run, file, html, data };
}
