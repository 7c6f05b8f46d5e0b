/* SPDX-License-Identifier: Apache-2.0 */
/* The event stream: what a reader that comes and goes has heard in the end. */
import assert from 'node:assert/strict';
import { test, suite, sleep, until, sanitized, random } from './lib/harness.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon, orders } from './lib/daemon.mjs';
import { keepAliveAgent } from './lib/http.mjs';
import { Raw } from './lib/raw.mjs';
import { client } from './lib/client.mjs';

const N = sanitized ? 200 : 1000;
const LOG_MAX = 1024; /* HF_EVENT_LOG_MAX */

async function kiosk(x, options = {}) {
	const origin = await Origin.create(x, { start: false });
	return { origin, daemon: await Daemon.create(x, { origin, manifest: orders, ...options }) };
}

/* A reader: list of { id, type, data }, over any number of connections. */
class Reader {
	list = [];
	last = null;
	connections = 0;

	constructor(x, daemon) {
		this.daemon = daemon;
		x.defer(() => this.drop());
	}

	/* Reads until drop(); resolves with the first byte. */
	async connect(last = this.last) {
		let text = '', begun;
		const first = new Promise((done) => (begun = done));
		this.connections++;
		this.daemon.request({ path: '/.holdfast/events', timeout: 120000, headers: last ? { 'Last-Event-ID': last } : {},
			onResponse: (res) => {
				this.res = res;
				res.on('data', (d) => {
					text += d;
					for (let at; (at = text.indexOf('\n\n')) >= 0; text = text.slice(at + 2))
						if (this.res === res)
							this.#take(text.slice(0, at));
					begun();
				});
			} }).catch(() => {});
		await first;
	}

	drop() {
		const { res } = this;
		this.res = null;
		res?.destroy();
	}

	#take(block) {
		const value = (name) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
		this.last = value('id') ?? this.last; /* as the standard has it, also without data */
		if (!value('data'))
			return;
		this.list.push({ id: value('id'), type: value('event'), data: JSON.parse(value('data')) });
	}

	queued() {
		return this.list.filter((e) => e.type === 'queued').map((e) => e.data.id);
	}
}

/* Posts n orders one after the other on each of four connections; their ids. */
async function burst(x, daemon, n) {
	const ids = [];
	await Promise.all([0, 1, 2, 3].map(async () => {
		const agent = keepAliveAgent();
		x.defer(() => agent.destroy());
		while (n-- > 0)
			ids.push((await daemon.post('/api/orders', '1', {}, { agent })).json().id);
	}));
	return ids;
}

test('events in a burst, a reader that leaves and comes again all the time: each once, in order', { seconds: 120 },
	async (x) => {
		const { daemon } = await kiosk(x);
		const steady = new Reader(x, daemon), restless = new Reader(x, daemon);
		await steady.connect();
		await restless.connect();
		const draw = random(7);
		let over = false;
		const coming = (async () => {
			while (!over) {
				const target = restless.list.length + 1 + Math.floor(draw() * 40);
				await until(() => over || restless.list.length >= target, { ms: 60000, every: 0 });
				restless.drop();
				if (!restless.last)
					continue;
				await sleep(draw() * 20);
				await restless.connect();
			}
		})();
		const ids = await burst(x, daemon, N);
		await until(() => steady.queued().length >= N, { ms: 30000, what: `${N} events` });
		over = true;
		await coming;
		await until(() => restless.queued().length >= N, { ms: 30000, what: `${N} events over many connections` });
		assert.ok(restless.connections > 2, `${restless.connections} connections`);
		x.say(`${N} events over ${restless.connections} connections`);
		assert.deepEqual(restless.list, steady.list.filter((e) => restless.list.some((o) => o.id === e.id)));
		assert.equal(restless.list.length, steady.list.length);
		assert.deepEqual([...restless.queued()].sort(), [...ids].sort());
		assert.equal(new Set(restless.list.map((e) => e.id)).size, restless.list.length);
	});

test('more than is kept: one gap, then what is kept, in order', { seconds: 120, skip: sanitized && 'it takes too long' },
	async (x) => {
		const { daemon } = await kiosk(x);
		const reader = new Reader(x, daemon);
		await reader.connect();
		await burst(x, daemon, 1);
		await until(() => reader.last);
		reader.drop();
		const ids = await burst(x, daemon, LOG_MAX + 100);
		const before = reader.list.length;
		await reader.connect();
		/* what is known of the origin may change meanwhile, which is an event as well */
		await until(() => reader.list.length > before + LOG_MAX, { ms: 30000 });
		const later = reader.list.slice(before, before + LOG_MAX + 1);
		assert.deepEqual(later.map((e) => e.type).filter((t) => t === 'gap').length, 1);
		assert.equal(later[0].type, 'gap');
		const numbers = later.slice(1).map((e) => Number(e.id.split('-')[1]));
		assert.ok(numbers.every((n, i) => i === 0 || n === numbers[i - 1] + 1));
		/* what the gap swallowed is in the list */
		const listed = new Set();
		for (let after = ''; after !== null;) {
			const page = await daemon.json(`/.holdfast/requests?limit=64${after}`);
			page.requests.forEach((r) => listed.add(r.id));
			after = page.next && `&after=${page.next}`;
		}
		assert.ok(ids.every((id) => listed.has(id)));
	});

test('a reader that does not read costs nobody anything, and hears that it missed some', { seconds: 120 }, async (x) => {
	const { daemon } = await kiosk(x);
	const raw = await Raw.open(daemon.port);
	x.defer(() => raw.close());
	raw.send('GET /.holdfast/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
	await raw.wait(() => raw.bytes.includes(': holdfast'));
	raw.socket.pause();
	const steady = new Reader(x, daemon);
	await steady.connect();
	const n = sanitized ? 300 : 3000;
	await burst(x, daemon, n);
	await until(() => steady.queued().length === n, { ms: 60000 });
	assert.ok(!steady.list.some((e) => e.type === 'gap'));
	raw.socket.resume();
	await burst(x, daemon, 1);
	await until(() => steady.queued().length === n + 1);
	const last = steady.list.at(-1).id;
	assert.ok(await raw.wait(() => raw.bytes.includes(`id: ${last}\n`), 20000), 'it does not hear the last one');
});

test('over a restart: a gap, ids that were never given before, and then all', { seconds: 60 }, async (x) => {
	const { origin, daemon } = await kiosk(x);
	const reader = new Reader(x, daemon);
	await reader.connect();
	const [first] = await burst(x, daemon, 1);
	await until(() => reader.queued().length === 1);
	const old = new Set(reader.list.map((e) => e.id));
	for (let i = 0; i < 3; i++) {
		await daemon.restart(i ? 'SIGKILL' : 'SIGTERM');
		const before = reader.list.length;
		await reader.connect();
		await until(() => reader.list.length > before);
		assert.equal(reader.list[before].type, 'gap');
		assert.equal(reader.list[before].id, undefined);
		await burst(x, daemon, 1);
		await until(() => reader.queued().length === i + 2);
		const fresh = reader.list.slice(before).filter((e) => e.id);
		assert.ok(fresh.every((e) => !old.has(e.id)));
		fresh.forEach((e) => old.add(e.id));
	}
	await origin.start();
	await until(() => reader.list.some((e) => e.type === 'settled' && e.data.id === first), { ms: 20000 });
});

test('a reader that has heard nothing yet misses nothing either', { seconds: 60 }, async (x) => {
	const { daemon } = await kiosk(x);
	const reader = new Reader(x, daemon);

	await reader.connect();
	await until(() => reader.last, { what: 'where the stream begins' });
	reader.drop();
	await burst(x, daemon, 2);
	await reader.connect();
	await until(() => reader.queued().length === 2, { what: 'what came meanwhile' });
	assert.ok(!reader.list.some((e) => e.type === 'gap'));

	const quiet = new Reader(x, daemon);
	await quiet.connect();
	await until(() => quiet.last);
	await daemon.restart('SIGKILL');
	await burst(x, daemon, 1);
	await quiet.connect();
	await until(() => quiet.queued().length === 1);
	assert.equal(quiet.list[0].type, 'gap');
});

test('ids that are none, of another run or of the future: a gap, never silence', async (x) => {
	const { daemon } = await kiosk(x);
	const reader = new Reader(x, daemon);
	await reader.connect();
	await burst(x, daemon, 3);
	await until(() => reader.queued().length === 3);
	/* the last one: after it there is none of its own accord */
	await until(() => reader.list.some((e) => e.data.origins?.o0 === 'down'));
	const [run, number] = reader.last.split('-');
	for (const id of ['x', '0', '-', `${run}-`, `${run}`, `-${number}`, `${run}-${Number(number) + 1}`, `${run}-99999999999999999999`,
		`${run}--1`, `${run}-1x`, `deadbeef-${number}`, `${run.toUpperCase()}Z-${number}`, 'ü', 'a'.repeat(4000)]) {
		const other = new Reader(x, daemon);
		await other.connect(encodeURI(id));
		await until(() => other.queued().length >= 3, { what: `what follows ${id.slice(0, 40)}` });
		assert.equal(other.list[0].type, 'gap', id);
		assert.deepEqual(other.queued(), reader.queued());
		other.drop();
	}
	const next = new Reader(x, daemon);
	await next.connect(`${run}-${Number(number) - 1}`);
	await until(() => next.list.length === 1);
	assert.equal(next.list[0].id, reader.last);
});

test('the library over restarts in the middle of a burst: every answer comes', { seconds: 120 }, async (x) => {
	const { origin, daemon } = await kiosk(x);
	const k = await client(x, daemon);
	const answers = [];
	for (let i = 0; i < 60; i++) {
		if (i % 20 === 10)
			await daemon.restart();
		await new Promise((queued) => answers.push(k.holdfast.fetch(k.url('/api/orders'),
			{ method: 'POST', body: `${i}`, onqueued: queued })));
	}
	origin.handler = (req, res, arrival, o) => o.reply(req, res, arrival,
		req.method === 'POST' ? { body: `answer to ${arrival.body}` } : {});
	await origin.start();
	await until(() => origin.effects.size > 5, { ms: 30000 });
	await daemon.restart();
	const texts = await Promise.all(answers.map(async (a) => (await a).text()));
	assert.deepEqual(texts, Array.from({ length: 60 }, (_, i) => `answer to ${i}`));
});

suite('client_stream', 3);
