/* SPDX-License-Identifier: Apache-2.0 */
/* OAuth 2.0 tokens: got when a request needs one, and kept as the standard asks. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, suite, sleep, until } from './lib/harness.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon, queuedRoute, run, holdfastd } from './lib/daemon.mjs';
import { TokenServer, SECRET, SEED } from './lib/token_server.mjs';

/*
 * A panel whose orders go with a token. options: refresh (by refresh token, else
 * client credentials), elsewhere (the endpoint is a server of its own), up, keys (of
 * the credential), user (there is an identity-file), policy (of the queue).
 */
async function panel(x, { refresh, elsewhere, up = false, keys = {}, user, policy, server = {} } = {}) {
	const tokens = Object.assign(new TokenServer(), server);
	const origin = await Origin.create(x, { start: up });
	const other = elsewhere ? await Origin.create(x) : origin;
	const files = { secret: join(x.dir, 'secret'), refresh: join(x.dir, 'refresh'),
		user: join(x.dir, 'user') };
	const write = (name, text) => writeFileSync(files[name], `${text}\n`);

	write('secret', SECRET);
	write('refresh', SEED);
	write('user', user ?? '-');
	origin.handler = other.handler = tokens.handler;
	const daemon = await Daemon.create(x, { origin,
		sections: { 'credential till': { origin: 'o0',
			'token-endpoint': elsewhere ? `${other.url}/oauth/token` : '/oauth/token',
			'client-id': tokens.clientId,
			...(tokens.secret ? { 'client-secret-file': files.secret } : {}),
			...(refresh ? { 'refresh-token-file': files.refresh } : {}),
			...(user ? { 'identity-file': files.user } : {}), ...keys } },
		manifest: { name: 'kiosk', version: '1', routes: [
			queuedRoute('/api/orders', 'orders', { credential: 'till', ...policy }),
			queuedRoute('/api/notes', 'notes', { credential: 'till', ...policy }),
			queuedRoute('/api/plain', 'plain')] } });
	return { tokens, origin, other, daemon, write, files };
}

async function queue(daemon, path = '/api/orders', body = 'tea') {
	const answer = await daemon.post(path, body, { Authorization: 'Bearer of the page' });
	assert.equal(answer.status, 202, answer.text);
	return answer.json().id;
}
const settled = (daemon, id) => daemon.state(id, 'settled', 30000);
const held = async (daemon, id, reason) =>
	assert.equal((await daemon.state(id, 'held', 30000)).reason, reason);
const retry = async (daemon, id) =>
	assert.equal((await daemon.cli('queue', 'retry', id)).code, 0);
const credential = async (daemon) => {
	const { code, stdout } = await daemon.cli('--json', 'status');
	assert.equal(code, 0);
	return JSON.parse(stdout).credentials[0];
};
const api = (origin) => origin.arrivals.filter((a) => a.url.startsWith('/api/'));

test('what was queued offline goes with a token that is got then', async (x) => {
	const { tokens, origin, daemon } = await panel(x, { keys: { scope: 'orders:write menu' } });
	const ids = [await queue(daemon), await queue(daemon), await queue(daemon, '/api/notes')];

	await origin.start();
	for (const id of ids)
		await settled(daemon, id);
	assert.equal(tokens.requests.length, 1, 'one request for all that wait');
	assert.deepEqual(Object.fromEntries(tokens.requests[0].form),
		{ grant_type: 'client_credentials', scope: 'orders:write menu' });
	assert.deepEqual(new Set(api(origin).map((a) => a.headers.authorization)),
		new Set([`Bearer ${tokens.issued[0]}`]));
	const c = await credential(daemon);
	assert.equal(c.state, 'ok');
	assert.ok(c.expiresInSeconds > 3500 && c.expiresInSeconds <= 3600, JSON.stringify(c));
});

test('a live request waits for its token', async (x) => {
	const { tokens, origin, daemon } = await panel(x, { up: true, elsewhere: true,
		keys: { 'client-auth': 'post' } });
	const answers = await Promise.all([1, 2, 3].map(() => daemon.post('/api/orders', 'tea',
		{ Authorization: 'Bearer of the page' })));

	assert.deepEqual(answers.map((a) => a.status), [201, 201, 201]);
	assert.equal(tokens.requests.length, 1);
	assert.equal(tokens.requests[0].authorization, undefined);
	assert.equal(tokens.requests[0].form.get('client_secret'), SECRET);
	assert.equal(api(origin).length, 3);
});

test('a token that has expired is got anew, before a request goes with it', async (x) => {
	const { tokens, origin, daemon } = await panel(x, { up: true, server: { life: 1 } });

	assert.equal((await daemon.post('/api/orders', 'tea')).status, 201);
	const { state, expiresInSeconds } = await credential(daemon);
	assert.equal(state, 'ok');
	assert.ok(expiresInSeconds <= 10, 'the shortest life');
	tokens.life = 3600;
	await until(async () => (await credential(daemon)).state === 'idle', { ms: 40000, every: 500 });
	tokens.revoke();
	assert.equal((await daemon.post('/api/orders', 'tea')).status, 201);
	assert.equal(tokens.requests.length, 2);
	assert.equal(api(origin).length, 2, 'the old one was not sent');
});

test('401: another token, once; then it is held', async (x) => {
	const { tokens, origin, daemon } = await panel(x, { up: true });

	assert.equal((await daemon.post('/api/orders', 'tea')).status, 201);
	await origin.stop();
	const first = await queue(daemon);
	tokens.revoke();
	await origin.start();
	await settled(daemon, first);
	assert.equal(tokens.requests.length, 2);
	assert.equal(api(origin).length, 3, 'refused, and once more');

	await origin.stop();
	const second = await queue(daemon), behind = await queue(daemon);
	tokens.accepts = () => false;
	await origin.start();
	await held(daemon, second, 'auth');
	assert.equal(tokens.requests.length, 3, 'one token for one 401');
	assert.equal(api(origin).length, 5);
	assert.equal((await daemon.record(behind)).state, 'queued');
	delete tokens.accepts;
	await retry(daemon, second);
	await settled(daemon, behind);
});

test('401 to a live request: the page sees the answer to the next token', async (x) => {
	const { tokens, origin, daemon } = await panel(x, { up: true });

	assert.equal((await daemon.post('/api/orders', 'tea')).status, 201);
	tokens.revoke();
	assert.equal((await daemon.post('/api/orders', 'tea')).status, 201);
	assert.equal(tokens.requests.length, 2);
	tokens.accepts = () => false;
	assert.equal((await daemon.post('/api/orders', 'tea')).status, 401);
	assert.equal(tokens.requests.length, 3);
	assert.equal(origin.effects.size, 2);
});

test('401 and no token: what may not be repeated is not taken for sent', async (x) => {
	const { tokens, origin, other, daemon } = await panel(x, { up: true, elsewhere: true,
		policy: { idempotency: 'never' } });

	assert.equal((await daemon.post('/api/orders', 'tea')).status, 201);
	await origin.stop();
	const id = await queue(daemon);
	tokens.revoke();
	await other.stop();
	await origin.start();
	await until(async () => (await credential(daemon)).state === 'waiting');
	assert.equal((await daemon.record(id)).state, 'queued');
	await other.start();
	await settled(daemon, id);
	assert.equal(api(origin).length, 3);
});

test('what the endpoint refuses is held for a person, who sees why', async (x) => {
	const { tokens, origin, daemon, write } = await panel(x);
	const id = await queue(daemon);

	write('secret', '');
	await origin.start();
	await until(async () => (await credential(daemon)).why === 'file');
	write('secret', 'wrong');
	await held(daemon, id, 'credential');
	const c = await credential(daemon);
	assert.deepEqual([c.name, c.state, c.why], ['till', 'broken', 'invalid_client']);
	assert.match((await daemon.cli('status')).stdout, /till\s+o0\s+broken\s.*invalid_client/);
	assert.match((await daemon.cli('queue', 'show', id)).stdout, /held.*credential/s);
	assert.match((await daemon.cli('metrics')).stdout, /holdfast_credential_usable\{credential="till"\} 0/);
	assert.match(daemon.log, /credential\.refused/);
	assert.equal((await daemon.status()).credentials, undefined, 'for the operator');
	assert.equal(tokens.requests.length, 1);
	assert.equal(api(origin).length, 0);
	write('secret', SECRET);
	await settled(daemon, id);
	assert.equal((await credential(daemon)).state, 'ok');
});

test('refused once, and put in order at the server: a retry asks again', async (x) => {
	const { tokens, origin, daemon } = await panel(x, { server: { secret: 'of another' } });
	const id = await queue(daemon);

	await origin.start();
	await held(daemon, id, 'credential');
	tokens.secret = SECRET;
	await retry(daemon, id);
	await settled(daemon, id);
});

test('an endpoint that is away is waited for; others go on', async (x) => {
	const { tokens, origin, other, daemon } = await panel(x, { elsewhere: true });

	await other.stop();
	const id = await queue(daemon);
	await origin.start();
	await until(async () => (await credential(daemon)).state === 'waiting');
	const { why } = await credential(daemon);
	assert.equal(why, 'refused');
	assert.equal((await daemon.post('/api/plain', 'x')).status, 401, 'not held up');
	const before = await daemon.record(id);
	assert.equal(before.state, 'queued');
	assert.equal(before.attempts, 0, 'not counted');
	await other.start();
	await settled(daemon, id);
	assert.equal(tokens.requests.length, 1);
});

test('a Retry-After of the endpoint is kept to, also when a person is in a hurry', async (x) => {
	const { tokens, origin, daemon } = await panel(x);
	const id = await queue(daemon);

	tokens.answers.push({ status: 503, headers: { 'Retry-After': '4' } });
	await origin.start();
	await until(async () => (await credential(daemon)).why === 'status-503');
	const at = performance.now();
	assert.equal((await daemon.cli('sync', 'now')).code, 0);
	await retry(daemon, id);
	await settled(daemon, id);
	assert.ok(performance.now() - at > 3000);
	assert.equal(tokens.requests.length, 2);
});

test('answers that are no token are not believed', async (x) => {
	const { tokens, origin, daemon } = await panel(x);
	const id = await queue(daemon);
	const huge = JSON.stringify({ access_token: 'x'.repeat(20000), token_type: 'bearer' });

	tokens.answers.push({ status: 200, body: '<html>Welcome to the hotel</html>' },
		{ status: 200, body: huge },
		{ status: 200, body: '{"access_token":"a\\r\\nX: y","token_type":"bearer"}' },
		{ status: 404, body: 'where?' });
	await origin.start();
	for (let n = 1; n <= 4; n++) {
		await until(async () => tokens.requests.length >= n &&
			(await credential(daemon)).state === 'waiting', { ms: 30000 });
		assert.equal(api(origin).length, 0);
		await daemon.cli('sync', 'now');
	}
	await settled(daemon, id);
	assert.equal(api(origin).length, 1);
	assert.equal(api(origin)[0].headers['x'], undefined);
});

test('another kind of token than Bearer is refused', async (x) => {
	const { tokens, origin, daemon } = await panel(x);
	const id = await queue(daemon);

	tokens.answers.push({ status: 200, body: '{"access_token":"abc","token_type":"mac"}' });
	await origin.start();
	await held(daemon, id, 'credential');
	assert.equal((await credential(daemon)).why, 'token-type');
});

/* ---- refresh tokens ---- */

test('a refresh token, and the one that comes in its place', async (x) => {
	const { tokens, origin, daemon } = await panel(x, { refresh: true, up: true,
		server: { rotate: 'strict', secret: null } });

	for (let n = 1; n <= 3; n++) {
		assert.equal((await daemon.post('/api/orders', 'tea')).status, 201);
		assert.equal(tokens.requests.length, n);
		assert.equal(tokens.requests[n - 1].form.get('refresh_token'), tokens.refreshes[n - 1]);
		assert.equal(tokens.requests[n - 1].form.get('client_id'), tokens.clientId);
		tokens.revoke();
	}
	await daemon.restart();
	assert.equal((await daemon.post('/api/orders', 'tea')).status, 201);
	assert.equal(tokens.requests.at(-1).form.get('refresh_token'), tokens.refreshes[3]);
	assert.equal(origin.effects.size, 4);
});

/* The power goes while the token request is there, behind its answer, and when the
 * first request comes with the new token: from then on the old one is void. */
const cuts = {
	'before the answer': (d) => async (req, res, arrival, form, next) => {
		d.kill();
		await next();
	},
	'with the answer on its way': (d) => async (req, res, arrival, form, next) => {
		await next();
		d.kill();
	},
	'a moment behind it': (d) => async (req, res, arrival, form, next) => {
		await next();
		await sleep(Math.random() * 6);
		d.kill();
	},
};

for (const [name, cut] of Object.entries(cuts))
	test(`no rotated refresh token is lost: killed ${name}`, async (x) => {
		const { tokens, origin, daemon } = await panel(x, { refresh: true,
			server: { rotate: 'lenient' } });
		const answer = (req, res, arrival, form) => async () => {
			const [status, document] = tokens.answer(arrival, form);
			await origin.reply(req, res, arrival, { status, body: JSON.stringify(document) });
		};

		await origin.start();
		for (let round = 0; round < 5; round++) {
			tokens.revoke();
			tokens.answers = [(req, res, arrival, form) =>
				cut(daemon)(req, res, arrival, form, answer(req, res, arrival, form))];
			await daemon.post('/api/orders', `tea ${round}`,
				{ Prefer: 'respond-async' }).catch(() => {});
			await daemon.exit;
			await daemon.start();
			/* whatever was stored: the server knows it */
			const id = (await daemon.post('/api/notes', 'note', { Prefer: 'respond-async' })).json().id;
			await settled(daemon, id);
		}
		assert.notEqual((await credential(daemon)).state, 'broken');
	});

test('a refresh token is on disk before the first request goes with its access token', async (x) => {
	const { tokens, origin, daemon } = await panel(x, { refresh: true, up: true,
		server: { rotate: 'strict' } });

	for (let round = 0; round < 6; round++) {
		tokens.revoke();
		origin.answers = [];
		origin.handler = async (req, res, arrival, o) => {
			if (req.url === tokens.path || !tokens.accepts(req.headers.authorization))
				return tokens.serve(req, res, arrival, o);
			daemon.kill();
			req.socket.destroy();
		};
		await daemon.post('/api/orders', `tea ${round}`).catch(() => {});
		await daemon.exit;
		origin.handler = tokens.handler;
		await daemon.start();
		assert.equal((await daemon.post('/api/notes', 'note')).status, 201);
		assert.equal(tokens.requests.at(-1).form.get('refresh_token'), tokens.refreshes.at(-2));
	}
});

test('the server lost the last one: the one before it is tried', async (x) => {
	const { tokens, daemon } = await panel(x, { refresh: true, up: true, server: { rotate: 'lenient' } });

	assert.equal((await daemon.post('/api/orders', 'tea')).status, 201);
	tokens.refresh = { current: SEED, previous: null };
	tokens.revoke();
	assert.equal((await daemon.post('/api/orders', 'tea')).status, 201);
	assert.deepEqual(tokens.requests.map((r) => r.form.get('refresh_token')),
		[SEED, tokens.refreshes[1], SEED]);
});

test('invalid_grant holds; another refresh token in the file goes on', async (x) => {
	const { tokens, origin, daemon, write } = await panel(x, { refresh: true,
		server: { rotate: 'strict' } });
	const id = await queue(daemon);

	tokens.refresh.current = 'from a new sign-in';
	await origin.start();
	await held(daemon, id, 'credential');
	assert.equal((await credential(daemon)).why, 'invalid_grant');
	await daemon.kill();
	await daemon.start();
	write('refresh', 'from a new sign-in');
	await settled(daemon, id);
});

test('what was queued for one goes with nobody else\'s token', async (x) => {
	const { tokens, origin, daemon, write } = await panel(x, { refresh: true, up: true, user: 'ada',
		server: { rotate: 'strict' } });

	assert.equal((await daemon.post('/api/orders', 'of ada')).status, 201);
	await origin.stop();
	const id = await queue(daemon, '/api/orders', 'of ada, later');
	write('user', 'bob');
	write('refresh', 'of bob');
	const ada = { ...tokens.refresh };
	tokens.refresh = { current: 'of bob', previous: null };
	await origin.start();
	assert.equal((await until(async () => {
		const answer = await daemon.post('/api/orders', 'of bob');
		return answer.status === 201 && answer;
	}, { ms: 20000 })).status, 201);
	await until(async () => (await daemon.record(id)).reason === 'identity', { ms: 20000 });
	const bob = `Bearer ${tokens.issued.at(-1)}`;
	for (const a of api(origin))
		assert.equal(a.headers.authorization === bob, a.body.toString() === 'of bob');
	/* ada comes back: the token that came in the place of hers was kept */
	const kept = ada.current;
	tokens.refresh = ada;
	write('user', 'ada');
	write('refresh', SEED);
	await retry(daemon, id);
	await settled(daemon, id);
	assert.equal(tokens.requests.at(-1).form.get('refresh_token'), kept);
});

test('no secret is shown or stored with a request', async (x) => {
	const { tokens, origin, daemon, write } = await panel(x, { refresh: true, up: true,
		server: { rotate: 'strict' } });

	await daemon.kill();
	daemon.options.env = { HF_TEST_LOG: 'debug' };
	await daemon.start();
	assert.equal((await daemon.post('/api/orders', 'tea')).status, 201);
	await origin.stop();
	const id = await queue(daemon);
	tokens.revoke();
	await origin.start();
	await settled(daemon, id);
	write('refresh', 'of nobody');
	tokens.revoke();
	const stuck = (await daemon.post('/api/orders', 'tea')).json().id;
	await held(daemon, stuck, 'credential');
	const shown = [daemon.log];
	for (const args of [['status'], ['--json', 'status'], ['metrics'], ['queue', 'list'],
		['queue', 'show', id], ['queue', 'show', stuck], ['--json', 'queue', 'list'], ['queue', 'export']])
		shown.push((await daemon.cli(...args)).stdout);
	shown.push((await daemon.get('/.holdfast/status')).text, JSON.stringify(await daemon.record(id)));
	for (const secret of tokens.secrets())
		shown.forEach((text, i) => assert.ok(!text.includes(secret), `${secret} is in ${i}`));
	/* of what the daemon got only the refresh tokens are on disk */
	const disk = readdirSync(daemon.stateDir)
		.map((name) => readFileSync(join(daemon.stateDir, name), 'latin1')).join('');
	for (const secret of [tokens.secret, ...tokens.issued, 'Bearer '])
		assert.ok(!disk.includes(secret), `${secret} is on disk`);
	assert.ok(disk.includes(tokens.refreshes.at(-1)));
});

/* ---- the configuration ---- */

const checked = async (x, keys, origin = { url: 'http://127.0.0.1:9' }) => {
	const daemon = await Daemon.create(x, { start: false, origin,
		sections: { 'credential till': { origin: 'o0', ...keys } } });
	return run(holdfastd, ['--config', daemon.conf, '--check']);
};

test('--check says what is missing and what contradicts', async (x) => {
	const file = join(x.dir, 'one-line');
	writeFileSync(file, 'abc\n');
	const whole = { 'token-endpoint': '/token', 'client-id': 'a', 'client-secret-file': file };
	const cases = [
		[{}, /\[credential till\] file: is missing, and there is no token-endpoint/],
		[{ ...whole, file }, /file: contradicts token-endpoint/],
		[{ ...whole, header: 'X-Token' }, /header: contradicts token-endpoint/],
		[{ 'token-endpoint': '/token', 'client-secret-file': file }, /client-id: is missing/],
		[{ 'token-endpoint': '/token', 'client-id': 'a' }, /client-secret-file: is missing, and there is no refresh-token-file/],
		[{ ...whole, 'client-secret-file': join(x.dir, 'none') }, /client-secret-file: .*does not exist/],
		[{ ...whole, 'token-endpoint': 'token' }, /token-endpoint: .*neither a path of the origin/],
		[{ ...whole, 'token-endpoint': 'ftp://x/token' }, /token-endpoint: .*neither a path of the origin/],
		[{ ...whole, 'token-endpoint': 'https://auth.example/token' }, /https needs something to trust/],
		[{ ...whole, 'token-ca-file': file }, /token-ca-file: has no effect/],
		[{ ...whole, 'client-auth': 'digest' }, /client-auth: .*neither basic nor post/],
		[{ 'token-endpoint': '/token', 'client-id': 'a', 'refresh-token-file': file, 'client-auth': 'post' },
			/client-auth: has no effect without client-secret-file/],
		[{ ...whole, scope: 'a "b"' }, /scope: .*not allowed/],
		[{ file, scope: 'a' }, /scope: has no effect without token-endpoint/],
		[{ file, 'refresh-token-file': file }, /refresh-token-file: has no effect without token-endpoint/],
	];

	for (const [keys, words] of cases) {
		const { code, stderr } = await checked(x, keys);
		assert.equal(code, 78, stderr);
		assert.match(stderr, words);
	}
	const { code, stderr, stdout } = await checked(x, whole);
	assert.equal(code, 0, stderr + stdout);
});

suite('token');
