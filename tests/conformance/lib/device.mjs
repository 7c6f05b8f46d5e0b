/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device under test that speaks HTTP as docs/PROTOCOL.md has it. Another
 * implementation has another class with the same methods; README.md says what
 * each must do.
 */
import { request } from '../../integration/lib/http.mjs';
import { until, sleep } from '../../integration/lib/harness.mjs';
import { Skip } from './vectors.mjs';

export class HttpDevice {
	#seen = new Set();

	/*
	 * @base: of the panel side; @restart: ends the device as a power cut does, and starts it again; @later(ms): goes on as
	 * after that time.
	 */
	constructor({ base, prefix = '/.holdfast', restart, later }) {
		this.base = new URL(base);
		this.prefix = prefix;
		this.hooks = { restart, later };
	}

	/* ---- what a page does ---- */

	send(method, path, { body, headers = {}, timeout = 20000 } = {}) {
		return request({ host: this.base.hostname, port: this.base.port, method, path, timeout, body,
			headers: { Host: this.base.host, ...headers } });
	}

	#ours(method, path) {
		return this.send(method, `${this.prefix}/${path}`, method === 'POST' ? { body: '' } : {});
	}

	async #good(method, path) {
		const answer = await this.#ours(method, path);
		if (answer.status === 501)
			throw new Skip(`${method} ${path}: 501`);
		if (answer.status !== 200)
			throw Object.assign(new Error(`${method} ${path}: ${answer.status} ${answer.text}`), { status: answer.status });
		return answer.json();
	}

	/* ---- requests that were queued ---- */

	/* The id that a 202 gives, or null. */
	queued(answer) {
		return (answer.status === 202 && answer.headers.location?.match(/\/requests\/([^/]+)$/)?.[1]) || null;
	}

	answer(id) {
		return this.#ours('GET', `requests/${id}/response`);
	}

	async state(id) {
		return (await this.#good('GET', `requests/${id}`)).state;
	}

	cancel(id) {
		return this.#ours('DELETE', `requests/${id}`);
	}

	/* ---- background sync ---- */

	async register(tag, { periodic, minInterval } = {}) {
		const more = minInterval === undefined ? '' : `&minInterval=${minInterval}`;
		await this.#good('POST', `${periodic ? 'periodicsync' : 'sync'}?tag=${encodeURIComponent(tag)}${more}`);
	}

	async unregister(tag) {
		await this.#good('DELETE', `periodicsync?tag=${encodeURIComponent(tag)}`).catch((error) => {
			if (error.status !== 404)
				throw error;
		});
	}

	async tags({ periodic } = {}) {
		return (await this.#list(periodic)).map((r) => r.tag);
	}

	async #list(periodic) {
		const { registrations } = await this.#good('GET', `${periodic ? 'periodicsync' : 'sync'}?limit=1000`);
		return registrations.filter((r) => r.state !== 'exhausted');
	}

	/* The next event of @tag that is at a page: { id, tag, lastChance }. */
	async event(tag, { ms = 15000, periodic } = {}) {
		const r = await until(async () => (await this.#list(periodic))
			.find((one) => one.tag === tag && one.event && !this.#seen.has(one.event)), { ms, what: `an event of ${tag}` });
		this.#seen.add(r.event);
		return { id: r.event, tag, lastChance: r.lastChance };
	}

	/* There is none, for @ms. */
	async quiet(tag, ms, options) {
		const event = await this.event(tag, { ms, ...options }).catch(() => null);
		if (event)
			throw new Error(`there is an event of ${tag}`);
	}

	/* How the page's work on an event ended; false: the device had no such event. */
	async end(event, good) {
		return (await this.#ours('POST', `sync-events/${event.id}/${good ? 'success' : 'failure'}`)).status === 200;
	}

	/* ---- the event stream ---- */

	/* { list: [{ id, type, data }], close() }, from @last on. */
	async stream(last) {
		const over = new AbortController();
		const response = await fetch(new URL(`${this.prefix}/events`, this.base), { signal: over.signal,
			headers: last ? { 'Last-Event-ID': last } : {} });
		const list = [];
		const field = (block, name) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1];
		(async () => {
			let text = '';
			for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
				const blocks = (text + piece).split('\n\n');
				text = blocks.pop();
				for (const block of blocks)
					if (field(block, 'data'))
						list.push({ id: field(block, 'id'), type: field(block, 'event'), data: field(block, 'data') });
			}
		})().catch(() => {});
		return { list, type: response.headers.get('Content-Type'), close: () => over.abort() };
	}

	/* ---- what the suite does to it ---- */

	async restart() {
		await this.#hook('restart');
	}

	async later(ms) {
		await this.#hook('later', ms);
	}

	async #hook(name, ...args) {
		if (!this.hooks[name])
			throw new Skip(name === 'later' ? 'there is no way to let time pass' : 'there is no way to restart the device');
		await this.hooks[name](...args);
		await until(() => this.#ours('GET', 'status').then((a) => a.status === 200, () => false),
			{ ms: 30000, what: 'the device serves' });
	}

	/* Until it has found out that the origin is gone. */
	async notices() {
		for (let i = 0; i < 6; i++) {
			await this.send('GET', '/conformance/poke').catch(() => {});
			await sleep(10);
		}
	}

	/* Nothing is queued or registered any more. */
	async clear() {
		const { requests } = await this.#good('GET', 'requests?state=queued,held,inflight&limit=64');
		for (const r of requests)
			await until(async () => (await this.cancel(r.id)).status !== 409 ||
				!['queued', 'held', 'inflight'].includes(await this.state(r.id)), { what: 'an earlier request ends', every: 50 });
		for (const { tag } of (await this.#good('GET', 'sync?limit=1000')).registrations)
			await this.#ours('DELETE', `sync?tag=${encodeURIComponent(tag)}`);
		const periodic = await this.#ours('GET', 'periodicsync');
		for (const { tag } of periodic.status === 200 ? periodic.json().registrations : [])
			await this.unregister(tag);
	}
}
