/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials that are added when a request is sent, and kept nowhere. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, suite, sleep, until } from './lib/harness.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon, queuedRoute } from './lib/daemon.mjs';

/* A panel whose orders go with the token in x.dir/token; the origin takes those of
 * @good and answers the others 401. */
async function panel(x, { up = false, token = 'Bearer one', user } = {}) {
	const origin = await Origin.create(x, { start: up });
	const files = { token: join(x.dir, 'token'), user: join(x.dir, 'user') };
	const write = (name, text) => writeFileSync(files[name], `${text}\n`);

	write('token', token);
	if (user)
		write('user', user);
	origin.good = new Set(['Bearer one']);
	origin.handler = (req, res, arrival) => origin.reply(req, res, arrival,
		origin.good.has(req.headers.authorization) ? {} : { status: 401 });
	const daemon = await Daemon.create(x, { origin,
		sections: { 'credential till': { origin: 'o0', file: files.token,
			...(user ? { 'identity-file': files.user } : {}) } },
		manifest: { name: 'kiosk', version: '1',
			routes: [queuedRoute('/api/orders', 'orders', { credential: 'till' })] } });
	return { origin, daemon, write };
}

async function queue(daemon, body = 'tea') {
	const answer = await daemon.post('/api/orders', body, { Authorization: 'Bearer of the page' });
	assert.equal(answer.status, 202, answer.text);
	return answer.json().id;
}
const settled = (daemon, id) =>
	until(async () => (await daemon.record(id)).state === 'settled', { ms: 30000, what: `${id} settled` });
const held = async (daemon, id, reason) => {
	await until(async () => (await daemon.record(id)).state === 'held', { ms: 30000, what: `${id} held` });
	assert.equal((await daemon.record(id)).reason, reason);
};
const retry = async (daemon, id) =>
	assert.equal((await daemon.cli('queue', 'retry', id)).code, 0);

test('the token that is sent is the one of that moment, and none is stored', async (x) => {
	const { origin, daemon, write } = await panel(x, { token: 'Bearer stale' });
	const id = await queue(daemon);

	for (const name of readdirSync(daemon.stateDir)) {
		const bytes = readFileSync(join(daemon.stateDir, name), 'latin1');
		assert.ok(!bytes.includes('Bearer'), `a token is in ${name}`);
	}
	write('token', 'Bearer one');
	await origin.start();
	await settled(daemon, id);
	assert.deepEqual(origin.arrivals.map((a) => a.headers.authorization), ['Bearer one']);
});

test('a live request goes with it, in the place of the page\'s own', async (x) => {
	const { origin, daemon } = await panel(x, { up: true });
	const answer = await daemon.post('/api/orders', 'tea', { Authorization: 'Bearer of the page' });

	assert.equal(answer.status, 201, answer.text);
	assert.deepEqual(origin.arrivals.map((a) => a.headers.authorization), ['Bearer one']);
});

test('refused: tried with the next token, else held; a person lets it go on', async (x) => {
	const { origin, daemon, write } = await panel(x, { token: 'Bearer stale' });
	const first = await queue(daemon);

	/* the token is renewed while the origin says no to the old one */
	origin.answers.push(async (req, res, arrival) => {
		write('token', 'Bearer one');
		await origin.reply(req, res, arrival, { status: 401 });
	});
	await origin.start();
	await settled(daemon, first);
	assert.deepEqual(origin.arrivals.map((a) => a.headers.authorization),
		['Bearer stale', 'Bearer one']);

	await origin.stop();
	write('token', 'Bearer revoked');
	const second = await queue(daemon);
	await origin.start();
	await held(daemon, second, 'auth');
	assert.equal(origin.arrivals.length, 3, 'one attempt for one token');
	origin.good.add('Bearer revoked');
	await retry(daemon, second);
	await settled(daemon, second);
});

test('what was refused goes by itself, in order, when there is another token', async (x) => {
	const { origin, daemon, write } = await panel(x, { token: 'Bearer stale' });
	const ids = [await queue(daemon, 'first'), await queue(daemon, 'second')];

	await origin.start();
	await held(daemon, ids[0], 'auth');
	write('token', 'Bearer stale too');
	await until(() => origin.arrivals.length === 2, { ms: 30000, what: 'one attempt for another token' });
	await held(daemon, ids[0], 'auth');
	write('token', 'Bearer one');
	for (const id of ids)
		await settled(daemon, id);
	assert.deepEqual(origin.arrivals.map((a) => [a.headers.authorization, a.body.toString()]),
		[['Bearer stale', 'first'], ['Bearer stale too', 'first'], ['Bearer one', 'first'],
			['Bearer one', 'second']]);
});

test('what was refused before a restart goes with another token after it', async (x) => {
	const { origin, daemon, write } = await panel(x, { token: 'Bearer stale' });
	const id = await queue(daemon);

	await origin.start();
	await held(daemon, id, 'auth');
	await daemon.kill();
	write('token', 'Bearer one');
	await daemon.start();
	await settled(daemon, id);
	assert.equal(origin.arrivals.length, 2);
});

test('what was refused for one is not sent again for another', async (x) => {
	const { origin, daemon, write } = await panel(x, { token: 'Bearer stale', user: 'ada' });
	const id = await queue(daemon, 'of ada');

	await origin.start();
	await held(daemon, id, 'auth');
	write('user', 'bob');
	write('token', 'Bearer one');
	assert.equal((await daemon.post('/api/orders', 'of bob')).status, 201);
	await sleep(12000);
	assert.equal((await daemon.record(id)).state, 'held');
	write('user', 'ada');
	await settled(daemon, id);
	assert.deepEqual(origin.arrivals.map((a) => a.body.toString()), ['of ada', 'of bob', 'of ada']);
});

const waitsFor = (daemon, id, reason) =>
	until(async () => (await daemon.record(id)).reason === reason, { what: `${id} waits: ${reason}` });

test('what was accepted for one is sent for nobody else, and stops nobody else', async (x) => {
	const { origin, daemon, write } = await panel(x, { user: 'ada' });
	const id = await queue(daemon, 'of ada');

	write('user', 'bob');
	await daemon.kill();
	await daemon.start();
	await origin.start();
	await waitsFor(daemon, id, 'identity');
	assert.equal((await daemon.record(id)).state, 'queued');
	assert.equal((await daemon.record(id)).lane, 'orders@ada');
	assert.equal((await daemon.post('/api/orders', 'of bob')).status, 201);
	assert.deepEqual(origin.arrivals.map((a) => a.body.toString()), ['of bob']);
	write('user', 'ada');
	await retry(daemon, id);
	await settled(daemon, id);
});

test('a request that waits for its turn is not sent for the next user', async (x) => {
	const { origin, daemon, write } = await panel(x, { up: true, user: 'ada' });
	let go;

	origin.good.add('Bearer bob');
	origin.answers.push(async (req, res, arrival) => {
		await new Promise((resolve) => (go = resolve));
		await origin.reply(req, res, arrival, {});
	});
	const first = daemon.post('/api/orders', 'first');
	await until(() => go);
	const second = daemon.post('/api/orders', 'second');
	await sleep(200);
	write('user', 'bob');
	write('token', 'Bearer bob');
	go();
	assert.equal((await first).status, 201);
	const answer = await second;
	assert.equal(answer.status, 202, answer.text);
	await waitsFor(daemon, answer.json().id, 'identity');
	assert.equal(origin.arrivals.length, 1);
});

test('a token that cannot be read: accepted, and sent when it can', async (x) => {
	const { origin, daemon, write } = await panel(x, { up: true });

	write('token', '');
	const id = await queue(daemon);
	await until(() => daemon.log.includes('credential.unusable'));
	assert.equal(origin.arrivals.length, 0);
	write('token', 'Bearer one');
	await settled(daemon, id);
	assert.ok(daemon.log.includes('credential.usable'));
});

test('without knowing for whom, nothing is accepted', async (x) => {
	const { daemon, write } = await panel(x, { user: 'ada' });

	write('user', '');
	const answer = await daemon.post('/api/orders', 'tea');
	assert.equal(answer.status, 503, answer.text);
	assert.match(answer.text, /for whom/);
});

suite('credential');
