/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A checkout of http-tests/cache-tests: its origin server and its client, run as the
 * programs they are, and what its results mean. Nothing of it is in this repository.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { connect } from 'node:net';
import { run } from '../integration/lib/daemon.mjs';
import { freePort } from '../integration/lib/ports.mjs';
import { until } from '../integration/lib/harness.mjs';

const LOOPBACK = fileURLToPath(new URL('loopback.mjs', import.meta.url));
const CLIENT_SECONDS = 900;

export const kindOf = (test) => test.kind ?? 'required';

export const canConnect = (port) => new Promise((answer) => {
	const socket = connect(port, '127.0.0.1', () => {
		socket.destroy();
		answer(true);
	});
	socket.on('error', () => answer(false));
});

/* A process until the end of @x; its output is told when something fails. */
export function service(x, name, program, args, options = {}) {
	const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
	let log = '';
	for (const stream of [child.stdout, child.stderr])
		stream.on('data', (d) => (log = (log + d).slice(-8000)));
	const exit = new Promise((over) => {
		child.once('error', (e) => over(`${name}: ${e.message}`));
		child.once('exit', (code, signal) => over(`${name} ended: ${signal ?? code}`));
	});
	let over = null;
	exit.then((why) => (over = why));
	x.explain(() => `${over ?? `${name} runs`}\n${log}`);
	x.defer(async () => {
		const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
		child.kill('SIGTERM');
		await exit;
		clearTimeout(timer);
	});
	return {
		pid: child.pid,
		async listens(port) {
			await until(async () => {
				if (over)
					throw new Error(`${over}\n${log}`);
				return canConnect(port);
			}, { ms: 30000, what: `${name} listens on ${port}` });
		},
	};
}

export class Checkout {
	static async open(path) {
		const c = new Checkout();
		c.path = resolve(path);
		for (const file of ['tests/index.mjs', 'test-engine/cli.mjs', 'test-engine/server/server.mjs'])
			if (!existsSync(join(c.path, file)))
				throw new Error(`${c.path}: no checkout of http-tests/cache-tests: ${file} is not there`);
		const { default: groups } = await import(pathToFileURL(join(c.path, 'tests/index.mjs')).href);
		c.groups = groups
			.map(({ id, name, tests }) => ({ id, name,
				tests: tests.filter((t) => !t.browser_only && !t.cdn_only) }))
			.filter((g) => g.tests.length > 0);
		return c;
	}

	/* Its origin, on a port of loopback. */
	async serve(x) {
		const port = await freePort();
		const server = service(x, 'the suite\'s server', process.execPath,
			['--import', LOOPBACK, 'test-engine/server/server.mjs'], { cwd: this.path,
				env: { ...process.env, npm_config_protocol: 'http', npm_config_port: String(port),
					npm_config_pidfile: join(x.dir, 'server.pid') } });
		await server.listens(port);
		return port;
	}

	/* All its tests against the cache at @base: { id: true | [kind, words] }. */
	async ask(base) {
		/* An older Node has an undici of its own that does not know the suite's
		 * interceptors; the one that is loaded first serves both. */
		const undici = join(this.path, 'node_modules/undici/index.js');
		const args = existsSync(undici) ? ['--import', pathToFileURL(undici).href] : [];
		const { code, stdout, stderr } = await run(process.execPath,
			['--no-warnings', ...args, join(this.path, 'test-engine/cli.mjs')],
			{ seconds: CLIENT_SECONDS, env: { npm_config_base: base, npm_config_id: '', npm_package_config_id: '' } });
		try {
			return JSON.parse(stdout.slice(stdout.indexOf('{')));
		} catch {
			throw new Error(`the suite's client ended with ${code} and no results:\n${stderr.slice(-2000)}`);
		}
	}

	/*
	 * What became of every test: passed, failed, setup (its preparation failed),
	 * dependency (a test it depends on did not pass), untested. Only passed counts.
	 */
	judge(results) {
		const tests = new Map(this.groups.flatMap((g) => g.tests.map((t) => [t.id, t])));
		const verdicts = new Map();
		const judge = (id) => {
			if (!verdicts.has(id)) {
				verdicts.set(id, 'untested');
				verdicts.set(id, verdict(tests.get(id), results[id], judge));
			}
			return verdicts.get(id);
		};
		for (const id of tests.keys())
			judge(id);
		return verdicts;
	}

	/* { required: { passed, total }, ... } of @tests. */
	static count(tests, verdicts) {
		const figures = {};
		for (const kind of ['required', 'optimal', 'check']) {
			const those = tests.filter((t) => kindOf(t) === kind);
			figures[kind] = { total: those.length,
				passed: those.filter((t) => verdicts.get(t.id) === 'passed').length };
		}
		return figures;
	}

	all() {
		return this.groups.flatMap((g) => g.tests);
	}
}

function verdict(test, result, judge) {
	if (!test || result === undefined)
		return 'untested';
	if ((test.depends_on ?? []).some((id) => judge(id) !== 'passed'))
		return 'dependency';
	if (result === true)
		return 'passed';
	return result[0] === 'Setup' ? 'setup' : 'failed';
}
