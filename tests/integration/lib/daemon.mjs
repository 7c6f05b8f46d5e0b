/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfastd of this build (HF_BIN_DIR), with its configuration, manifests, state
 * folder and control socket in the test's folder.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from './ports.mjs';
import { request } from './http.mjs';
import { until } from './harness.mjs';

export const binDir = process.env.HF_BIN_DIR ??
	fileURLToPath(new URL('../../../build/host/bin', import.meta.url));
export const holdfastd = join(binDir, 'holdfastd');
export const holdfast = join(binDir, 'holdfast');
const storeTime = process.env.HF_STORE_TIME ?? join(binDir, '../tests/integration/store_time');

const LOG_BYTES_SHOWN = 12000;

/* Runs a program to its end: { code, signal, stdout, stderr }. */
export function run(program, args, { seconds = 60, env, input } = {}) {
	return new Promise((resolve, reject) => {
		const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: 'pipe' });
		let stdout = '', stderr = '';
		const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
		child.stdout.on('data', (d) => (stdout += d));
		child.stderr.on('data', (d) => (stderr += d));
		child.on('error', reject);
		child.on('close', (code, signal) => {
			clearTimeout(timer);
			resolve({ code, signal, stdout, stderr });
		});
		child.stdin.on('error', () => {});
		child.stdin.end(input);
	});
}

/* Route of POST @pattern into its own lane. */
export function queuedRoute(pattern, tag, policy = {}, method = 'POST') {
	return { condition: { urlPattern: pattern, requestMethod: method }, source: 'network',
		queue: { tag, lane: tag, ...policy } };
}

export const orders = { name: 'kiosk', version: '1.0.0',
	routes: [queuedRoute('/api/orders', 'orders')] };

let count = 0;

export class Daemon {
	starts = 0;

	/*
	 * options: origins: [{ name, url, host, ... }] (keys of [origin NAME]), or an
	 * Origin; manifest: object for the first origin; workers: [{ name, origin,
	 * scope, manifest }]; listen; agent: more keys; sections: { title: keys };
	 * env; start: false.
	 */
	static async create(x, options = {}) {
		const d = new Daemon();
		d.options = options;
		d.dir = join(x.dir, `d${++count}`);
		mkdirSync(d.dir);
		d.host = options.ipv6 ? '::1' : '127.0.0.1';
		d.port = await freePort(d.host);
		d.conf = join(d.dir, 'holdfast.conf');
		d.stateDir = join(d.dir, 'state');
		d.control = join(d.dir, 'control.sock');
		d.log = '';
		x.defer(() => d.dispose());
		x.explain(() => `holdfastd on port ${d.port}, ${d.starts} starts:\n` +
			`${d.log.length > LOG_BYTES_SHOWN ? '...' : ''}${d.log.slice(-LOG_BYTES_SHOWN)}`);
		d.#configure();
		if (options.start !== false)
			await d.start();
		return d;
	}

	#configure() {
		const o = this.options;
		const lines = [];
		const section = (title, keys) => {
			lines.push(`[${title}]`);
			for (const [key, value] of Object.entries(keys))
				for (const v of [value].flat())
					lines.push(`${key} = ${v}`);
			lines.push('');
		};
		section('agent', {
			listen: o.listen ?? (o.ipv6 ? `[::1]:${this.port}` : `127.0.0.1:${this.port}`),
			control: this.control, 'state-dir': this.stateDir,
			'log-level': process.env.HF_TEST_LOG ?? 'info', ...o.agent,
		});
		const origins = [o.origins ?? o.origin ?? []].flat();
		origins.forEach((origin, i) => {
			const { name = `o${i}`, url, host, ...keys } = plain(origin);
			section(`origin ${name}`, { url, ...(host ? { host } : i ? { host: `${name}.localhost` } : {}),
				...keys });
		});
		const workers = o.workers ?? (o.manifest === null ? [] :
			[{ name: 'kiosk', manifest: o.manifest ?? orders }]);
		workers.forEach((w, i) => {
			const file = join(this.dir, `${w.name ?? `w${i}`}.worker.json`);
			writeFileSync(file, JSON.stringify(w.manifest, null, 2));
			section(`worker ${w.name ?? `w${i}`}`, {
				origin: w.origin ?? plain(origins[0]).name ?? 'o0', scope: w.scope ?? '/', manifest: file });
		});
		if (o.probe)
			section('probe', o.probe);
		for (const [title, keys] of Object.entries(o.sections ?? {}))
			section(title, keys);
		writeFileSync(this.conf, lines.join('\n'));
	}

	/* Other options count from the next start on. */
	configure(options) {
		Object.assign(this.options, options);
		this.#configure();
	}

	/* Starts the process; without waiting when @wait is false. */
	async start({ wait = true } = {}) {
		this.starts++;
		this.started = performance.now();
		const child = spawn(holdfastd, ['--config', this.conf], { stdio: ['ignore', 'pipe', 'pipe'],
			env: { ...process.env, ...this.options.env } });
		this.child = child;
		child.stdout.on('data', (d) => (this.log += d));
		child.stderr.on('data', (d) => (this.log += d));
		this.exit = new Promise((resolve) => {
			child.once('close', (code, signal) => {
				child.over = true;
				this.log += `-- holdfastd ended: ${signal ?? code}\n`;
				resolve({ code, signal });
			});
		});
		child.on('error', (e) => (this.log += `-- ${e.message}\n`));
		if (wait)
			await this.serves();
	}

	get pid() {
		return this.child.pid;
	}

	get running() {
		return this.child && !this.child.over && this.child.exitCode === null &&
			this.child.signalCode === null;
	}

	/* Until it accepts connections of panels and operators; returns the ms since
	 * it was started. */
	async serves(ms = 40000) {
		const addresses = [{ port: this.port, host: this.host }, { path: this.control }];
		for (const address of addresses)
			await until(() => {
				if (!this.running)
					throw new Error(`holdfastd ended at its start: ${JSON.stringify(this.log.slice(-2000))}`);
				return canConnect(address);
			}, { ms, what: 'holdfastd listens', every: 3 });
		return performance.now() - this.started;
	}

	async kill(signal = 'SIGKILL') {
		if (this.running)
			this.child.kill(signal);
		return this.exit;
	}

	async restart(signal = 'SIGKILL') {
		await this.kill(signal);
		await this.start();
	}

	/* Goes on as after @ms of running. */
	async later(ms) {
		await this.kill('SIGTERM');
		const { code, stderr } = await run(storeTime, [this.stateDir, String(Math.ceil(ms))]);
		if (code !== 0)
			throw new Error(stderr);
		await this.start();
	}

	async dispose() {
		if (!this.child)
			return;
		if (this.running) {
			this.child.kill('SIGTERM');
			let late = false;
			const timer = setTimeout(() => {
				late = true;
				this.child.kill('SIGKILL');
			}, 30000);
			await this.exit;
			clearTimeout(timer);
			if (late)
				throw new Error('holdfastd did not end on SIGTERM');
		}
		const { code, signal } = await this.exit;
		/* A fault found by a sanitizer or an assertion, not a kill of ours. */
		if ((signal && signal !== 'SIGKILL' && signal !== 'SIGTERM') || /Sanitizer|assert/i.test(this.log))
			throw new Error(`holdfastd ended with ${signal ?? code}:\n${this.log.slice(-4000)}`);
	}

	/* ---- asking ---- */

	request(options) {
		return request({ port: this.port, host: this.host, ...options });
	}

	get(path, headers) {
		return this.request({ path, headers });
	}

	post(path, body, headers = {}, more = {}) {
		return this.request({ method: 'POST', path, body: body ?? '{"item":"tea"}',
			headers: { 'Content-Type': 'application/json', ...headers }, ...more });
	}

	async json(path) {
		const answer = await this.get(path);
		if (answer.status !== 200)
			throw new Error(`GET ${path}: ${answer.status} ${answer.text}`);
		return answer.json();
	}

	record(id) {
		return this.json(`/.holdfast/requests/${id}`);
	}

	status() {
		return this.json('/.holdfast/status');
	}

	/* Until the request @id is in one of @states. */
	async state(id, states, ms = 40000) {
		let last;
		await until(async () => {
			last = await this.record(id);
			return [states].flat().includes(last.state);
		}, { ms, what: `request ${id} in state ${states} (it is ${last?.state})`, every: 25 });
		return last;
	}

	/* Cancels it as a page does. 409: an attempt is under way. */
	cancel(id) {
		return until(async () => {
			const answer = await this.request({ method: 'DELETE', path: `/.holdfast/requests/${id}` });
			return answer.status !== 409 && answer;
		}, { what: `request ${id} can be cancelled` });
	}

	/* Until the caches have @n answers of @path: they are written behind the page. */
	async keeps(path, n = 1) {
		await until(async () => {
			let found = 0;
			for (const { name, kind } of (await this.json('/.holdfast/caches')).caches) {
				const { entries } = await this.json(`/.holdfast/caches/${encodeURIComponent(name)}/entries?kind=${kind}`);
				found += entries.filter((e) => e.url === path).length;
			}
			return found >= n;
		}, { what: `${path} in a cache` });
	}

	/* The operator's command. */
	cli(...args) {
		return run(holdfast, ['--socket', this.control, ...args]);
	}

	rssKb() {
		return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))[1]);
	}
}

function canConnect(address) {
	return new Promise((resolve) => {
		const s = connect(address, () => {
			s.destroy();
			resolve(true);
		});
		s.on('error', () => resolve(false));
	});
}

function plain(origin) {
	if (!origin)
		return {};
	return origin.arrivals || origin.options ? { url: origin.url, ...origin.conf } : origin;
}
