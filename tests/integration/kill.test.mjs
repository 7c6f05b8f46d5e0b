/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGKILL of the daemon at random moments, while eight panels post, each into
 * its own lane, and the origin comes and goes, answers 503, is slow, and resets
 * connections after the effect. In the end:
 *
 *   every request that was answered 202, or 2xx by the origin, has had its
 *   effect, and only one
 *   no body came under two keys (a key has one effect at this origin)
 *   in each lane the acknowledged requests first arrived, and took effect, in
 *   the order in which they were acknowledged
 *
 * Every tenth kill falls while requests are answered live: before it the origin
 * is well and the panels rest until nothing waits. A backlog never runs dry by
 * itself where the machine is slow.
 *
 * Even panels post each request once, whatever becomes of it. Odd ones bring a
 * key of their own and post again until they have an answer, as a careful page
 * does.
 *
 * HF_KILLS: how many kills. HF_SEED: repeats a run's choices (not its timing).
 */
import assert from 'node:assert/strict';
import { test, suite, sleep, until, random, median, sanitized } from './lib/harness.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon, queuedRoute } from './lib/daemon.mjs';
import { keepAliveAgent } from './lib/http.mjs';

const KILLS = Number(process.env.HF_KILLS ?? (sanitized ? 40 : 200));
const SEED = Number(process.env.HF_SEED ?? Math.floor(Math.random() * 2 ** 31));
const PANELS = 8;
const LIMIT_SECONDS = 230;
const LIVE_IN_CALM = 3;

class Panel {
	acknowledged = []; /* { body, how }, in the order of their answers */
	unknown = 0;	   /* posts whose answer never came */
	refused = [];	   /* answers that are neither 202 nor 2xx */
	posts = 0;

	constructor(number, daemon, weather, rand) {
		this.number = number;
		this.daemon = daemon;
		this.weather = weather;
		this.rand = rand;
		this.agent = keepAliveAgent();
		this.careful = number % 2 === 1;
	}

	async run(stop) {
		for (let n = 0; !stop(); n++) {
			/* Most are small, some too large for memory. */
			const size = this.rand() < 0.03 ? 70000 + this.rand() * 100000 : this.rand() * 600;
			const body = JSON.stringify({ panel: this.number, n, pad: 'x'.repeat(Math.floor(size)) });
			const key = this.careful ? `panel-${this.number}-${n}` : undefined;
			await this.#place(body, key, stop);
			/* Now and then a pause, in which the backlog runs dry. */
			await sleep(this.rand() < 0.06 ? this.rand() * 1500 : this.rand() * 12);
			while (this.weather.rest && !stop())
				await sleep(5);
		}
	}

	count(how) {
		return this.acknowledged.filter((a) => a.how === how).length;
	}

	async #place(body, key, stop) {
		for (;;) {
			this.posts++;
			try {
				const answer = await this.daemon.post(`/api/c${this.number}/orders`, body,
					key ? { 'Idempotency-Key': key } : {}, { agent: this.agent, timeout: 20000 });
				if (answer.status >= 200 && answer.status < 300)
					this.acknowledged.push({ body, how: answer.status === 202 ? 'queued' : 'live' });
				else
					this.refused.push(`${answer.status} ${answer.text}`);
				return;
			} catch {
				this.unknown++;
			}
			if (!this.careful || stop())
				return;
			await sleep(5);
		}
	}
}

/* The origin's moods, one after another, until stop(). */
async function flap(origin, rand, moods, weather, stop) {
	while (!stop()) {
		weather.calm = weather.wanted;
		if (weather.calm) {
			origin.handler = null;
			await sleep(10);
			continue;
		}
		const mood = ['up', 'up', 'down', 'busy', 'slow', 'reset'][Math.floor(rand() * 6)];
		moods[mood] = (moods[mood] ?? 0) + 1;
		if (mood === 'down') {
			await origin.stop();
			await sleep(100 + rand() * 900);
			await origin.start();
			continue;
		}
		origin.handler = (req, res, arrival, o) => o.reply(req, res, arrival, answerIn(mood, rand));
		await sleep(60 + rand() * 500);
	}
	origin.handler = null;
	if (!origin.up)
		await origin.start();
}

function answerIn(mood, rand) {
	switch (mood) {
	case 'busy':
		return { status: 503, headers: rand() < 0.5 ? { 'Retry-After': '1' } : {} };
	case 'slow':
		return { delay: rand() * 400 };
	case 'reset':
		return rand() < 0.5 ? { reset: rand() < 0.7 ? 'after' : 'before' } : {};
	default:
		return {};
	}
}

const count = (panels, how) => panels.reduce((n, p) => n + p.count(how), 0);

/* Until some of what the panels post is answered live. */
async function calm(daemon, weather, panels) {
	const before = count(panels, 'live');
	await daemon.serves();
	weather.wanted = true;
	await until(() => weather.calm, { what: 'the origin is well' });
	await until(async () => {
		weather.rest = true;
		await drain(daemon, 60000, 50);
		weather.rest = false;
		await sleep(200);
		return count(panels, 'live') >= before + LIVE_IN_CALM;
	}, { ms: 60000, what: 'requests are answered live' });
	weather.wanted = false;
}

async function killer(daemon, kills, rand, starts, weather, panels) {
	for (let i = 0; i < kills; i++) {
		if (i % 10 === 9)
			await calm(daemon, weather, panels);
		/* Some at the very start, most under load. */
		await sleep(rand() < 0.2 ? rand() * 30 : rand() * 500);
		await daemon.kill('SIGKILL');
		await daemon.start({ wait: false });
		if (rand() < 0.1)
			continue; /* perhaps before it serves */
		starts.push(await daemon.serves());
	}
	if (!daemon.running)
		await daemon.start();
	await daemon.serves();
	await until(() => count(panels, 'queued') > kills, { ms: 60000, what: 'enough was queued' });
}

/* Lifts the back-offs that the last moods left. */
async function drain(daemon, ms, every = 500) {
	await until(async () => {
		const { totals } = await daemon.status();
		if (totals.waiting === 0)
			return true;
		await daemon.request({ method: 'POST', path: '/.holdfast/sync-now' });
		return false;
	}, { ms, what: 'the queue is empty', every });
}

/* body -> its first place in @list. */
function places(list) {
	const first = new Map();
	list.forEach((one, i) => {
		const body = one.body.toString();
		if (!first.has(body))
			first.set(body, i);
	});
	return first;
}

function keysOfBodies(origin) {
	const keys = new Map();
	for (const a of origin.got()) {
		const body = a.body.toString();
		if (!keys.has(body))
			keys.set(body, new Set());
		keys.get(body).add(a.key);
	}
	return keys;
}

function outOfOrder(panel, first) {
	let wrong = 0, last = -1;
	for (const { body } of panel.acknowledged) {
		const at = first.get(body);
		if (at === undefined)
			continue;
		if (at < last)
			wrong++;
		last = Math.max(last, at);
	}
	return wrong;
}

test(`${KILLS} kills under the load of ${PANELS} panels`, { seconds: LIMIT_SECONDS }, async (x) => {
	const rand = random(SEED);
	x.say(`seed ${SEED}, ${KILLS} kills`);
	const origin = await Origin.create(x);
	const routes = Array.from({ length: PANELS }, (_, i) =>
		queuedRoute(`/api/c${i + 1}/orders`, `c${i + 1}`));
	const daemon = await Daemon.create(x, { origin, manifest: { name: 'k', version: '1', routes },
		agent: { 'log-level': process.env.HF_TEST_LOG ?? 'warning' } });
	const weather = { wanted: false, calm: false, rest: false };
	const panels = Array.from({ length: PANELS }, (_, i) => new Panel(i + 1, daemon, weather, random(SEED + i + 1)));
	x.defer(() => panels.forEach((p) => p.agent.destroy()));

	const begin = performance.now();
	const moods = {}, starts = [];
	let over = false;
	const load = panels.map((p) => p.run(() => over));
	const flapping = flap(origin, random(SEED + 100), moods, weather, () => over);
	try {
		await killer(daemon, KILLS, rand, starts, weather, panels);
	} finally {
		over = true;
	}
	await Promise.all([...load, flapping]);
	const loadSeconds = (performance.now() - begin) / 1000;
	await drain(daemon, 60000);
	await sleep(200);
	const drainSeconds = (performance.now() - begin) / 1000 - loadSeconds;

	const effects = [...origin.effects.values()];
	const arrived = places(origin.got()), done = places(effects), keys = keysOfBodies(origin);
	const rows = panels.map((p) => ({
		lane: `c${p.number}`,
		posts: p.posts,
		queued: p.count('queued'),
		live: p.count('live'),
		'no answer': p.unknown,
		refused: p.refused.length,
		lost: p.acknowledged.filter((a) => !done.has(a.body)).length,
		'two keys': [...keys].filter(([body, set]) =>
			JSON.parse(body).panel === p.number && set.size > 1).length,
		'out of order': outOfOrder(p, arrived) + outOfOrder(p, done),
	}));
	const sum = (name) => rows.reduce((n, r) => n + r[name], 0);
	rows.push({ lane: 'all', ...Object.fromEntries(Object.keys(rows[0]).slice(1).map((n) => [n, sum(n)])) });
	console.table(rows);
	const total = rows.at(-1);
	const twice = effects.length - done.size;
	x.say(`kills ${KILLS}, acknowledged ${total.queued + total.live} (${total.queued} queued, ${total.live} live), ` +
		`lost ${total.lost}, two keys ${total['two keys']}, two effects ${twice}, out of order ${total['out of order']}`);
	x.say(`arrivals ${origin.got().length}, effects ${origin.effects.size}, moods ${JSON.stringify(moods)}`);
	x.say(`start to first connection: median ${median(starts).toFixed(0)} ms, most ${Math.max(...starts).toFixed(0)} ms; ` +
		`load ${loadSeconds.toFixed(0)} s, drain ${drainSeconds.toFixed(1)} s`);

	assert.deepEqual(panels.flatMap((p) => p.refused).slice(0, 3), []);
	assert.equal(total.lost, 0, 'acknowledged requests without effect');
	assert.equal(total['two keys'], 0, 'bodies under two keys');
	assert.equal(twice, 0, 'requests with two effects');
	assert.equal(total['out of order'], 0, 'out of the order of acknowledgement');
	assert.ok(total.queued > KILLS && total.live > KILLS / 10, `too little load: ${total.queued}, ${total.live}`);
	const { totals } = await daemon.status();
	assert.equal(totals.held, 0);
	assert.equal(totals.dead, 0);
	const check = await daemon.cli('store', 'check');
	assert.equal(check.code, 0, check.stdout + check.stderr);
});

suite('kill', 1);
