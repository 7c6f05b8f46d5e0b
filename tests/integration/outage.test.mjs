/* SPDX-License-Identifier: Apache-2.0 */
/* A request's way through an outage, over kills of the daemon, to its one effect. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, suite, sleep, until, median } from './lib/harness.mjs';
import { Origin, sha256 } from './lib/origin.mjs';
import { Daemon, holdfast, queuedRoute, run } from './lib/daemon.mjs';
import { fieldValues } from './lib/http.mjs';
import { kiosk, listen, queue, routes } from './lib/kiosk.mjs';

const ID = /^[0-9A-HJKMNP-TV-Z]{26}$/;
const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('a POST to an origin that is down is answered 202 after it is stored', async (x) => {
	const { daemon } = await kiosk(x);
	const { id, json, answer } = await queue(daemon, '/api/orders?table=7', '{"item":"tea"}');

	assert.match(id, ID);
	assert.equal(answer.headers.location, `/.holdfast/requests/${id}`);
	assert.equal(answer.headers['cache-control'], 'no-store');
	assert.equal(answer.headers['content-type'], 'application/json');
	assert.deepEqual(Object.keys(json).sort(), ['id', 'idempotencyKey', 'state', 'tag']);
	assert.equal(json.state, 'queued');
	assert.equal(json.tag, 'orders');
	assert.match(json.idempotencyKey, UUID7);

	const record = await daemon.record(id);
	assert.equal(record.id, id);
	assert.equal(record.tag, 'orders');
	assert.equal(record.lane, 'orders');
	assert.equal(record.method, 'POST');
	assert.equal(record.url, '/api/orders?table=7');
	assert.ok(['queued', 'inflight'].includes(record.state), record.state);
	assert.equal(record.idempotencyKey, json.idempotencyKey);
	assert.equal(typeof record.attempts, 'number');
	assert.ok(record.createdAt === null || typeof record.createdAt === 'string' ||
		typeof record.createdAt === 'number');
	assert.ok('nextAttemptInMs' in record);

	const list = await daemon.json('/.holdfast/requests');
	assert.ok(JSON.stringify(list).includes(id));
	const waiting = await daemon.get(`/.holdfast/requests/${id}/response`);
	assert.equal(waiting.status, 202);
	assert.ok(Number(waiting.headers['retry-after']) > 0);
});

test('SIGKILL, restart, origin back: it arrives exactly as sent, once, with its key', async (x) => {
	const { origin, daemon } = await kiosk(x);
	const body = Buffer.concat([randomBytes(3000), Buffer.from('\r\n\0\xff--', 'latin1')]);
	const { id, key } = await queue(daemon, '/api/orders?a=1&b=%20%2F&c', body, {
		'Content-Type': 'application/octet-stream', 'X-Table': '7', 'X-Twice': ['one', 'two'],
		Accept: 'application/json;q=0.5', Cookie: 'session=abc; theme=dark',
		Authorization: 'Bearer t0k3n', 'Accept-Language': 'de-DE',
	});
	await daemon.restart();
	assert.ok(['queued', 'inflight'].includes((await daemon.record(id)).state));
	origin.answers.push({ status: 201, body: '{"order":4711}', headers: { 'X-Order': '4711',
		'Content-Type': 'application/json; charset=utf-8', 'Set-Cookie': ['a=1', 'b=2'] } });
	await origin.start();
	const [arrival] = await origin.arrived(1);

	assert.equal(arrival.method, 'POST');
	assert.equal(arrival.url, '/api/orders?a=1&b=%20%2F&c');
	assert.ok(arrival.body.equals(body));
	assert.equal(arrival.key, key);
	assert.equal(arrival.headers.host, `127.0.0.1:${origin.port}`);
	assert.equal(arrival.headers['content-length'], String(body.length));
	assert.equal(arrival.headers['transfer-encoding'], undefined);
	assert.equal(arrival.headers['content-type'], 'application/octet-stream');
	assert.equal(arrival.headers['x-table'], '7');
	assert.deepEqual(fieldValues(arrival.rawHeaders, 'x-twice'), ['one', 'two']);
	assert.equal(arrival.headers.accept, 'application/json;q=0.5');
	assert.equal(arrival.headers.cookie, 'session=abc; theme=dark');
	assert.equal(arrival.headers.authorization, 'Bearer t0k3n');
	assert.equal(arrival.headers['accept-language'], 'de-DE');
	assert.equal(fieldValues(arrival.rawHeaders, 'idempotency-key').length, 1);
	assert.match(arrival.headers.via, /\b1\.1 holdfast\b/);

	const record = await daemon.state(id, 'settled');
	assert.equal(record.response.status, 201);
	for (let round = 0; round < 2; round++) {
		const response = await daemon.get(`/.holdfast/requests/${id}/response`);
		assert.equal(response.status, 201);
		assert.equal(response.text, '{"order":4711}');
		assert.equal(response.headers['x-order'], '4711');
		assert.equal(response.headers['content-type'], 'application/json; charset=utf-8');
		assert.deepEqual(response.headers['set-cookie'], ['a=1', 'b=2']);
		await daemon.restart();
	}
	await sleep(300);
	assert.equal(origin.got().length, 1);
	assert.equal((await daemon.record(id)).state, 'settled');
});

test('a multipart body passes byte for byte', async (x) => {
	const { origin, daemon } = await kiosk(x);
	const type = 'multipart/form-data; boundary="----b o\\"undary"';
	const body = Buffer.from('------b o"undary\r\nContent-Disposition: form-data; name="f"; ' +
		'filename="ü.bin"\r\n\r\n\x00\x01\r\n--\r\n------b o"undary--\r\n', 'latin1');
	await queue(daemon, '/api/orders', body, { 'Content-Type': type });
	await daemon.restart();
	await origin.start();
	const [arrival] = await origin.arrived(1);
	assert.ok(arrival.body.equals(body));
	assert.equal(arrival.headers['content-type'], type);
});

test('an empty body and a chunked one are queued too', async (x) => {
	const { origin, daemon } = await kiosk(x);
	const empty = await daemon.request({ method: 'POST', path: '/api/orders' });
	assert.equal(empty.status, 202);
	async function* pieces() {
		yield 'one ';
		await sleep(20);
		yield 'two';
	}
	const chunked = await daemon.request({ method: 'POST', path: '/api/orders', body: pieces() });
	assert.equal(chunked.status, 202);
	await origin.start();
	const arrivals = await origin.arrived(2);
	assert.deepEqual(arrivals.map((a) => a.body.toString()), ['', 'one two']);
	assert.equal(arrivals[1].headers['content-length'], '7');
});

test('50 requests of a lane arrive in order, over a kill in the middle', async (x) => {
	const { origin, daemon } = await kiosk(x);
	const keys = [];
	for (let i = 0; i < 50; i++) {
		const { key } = await queue(daemon, '/api/orders', JSON.stringify({ n: i }));
		keys.push(key);
		if (i === 25)
			await daemon.restart();
	}
	await origin.start();
	await origin.arrived(20);
	await daemon.restart();
	await until(() => origin.effects.size === 50, { what: '50 effects' });
	const first = [...new Map(origin.got().map((a) => [a.key, a.body.toString()])).values()];
	assert.deepEqual(first, keys.map((_, n) => JSON.stringify({ n })));
	assert.deepEqual([...origin.effects.keys()], keys);
});

test('requests posted side by side arrive in the order of their acknowledgement', async (x) => {
	const { origin, daemon } = await kiosk(x);
	await queue(daemon);
	const acknowledged = [];
	await Promise.all(Array.from({ length: 20 }, async (_, i) => {
		const { id } = await queue(daemon, '/api/orders', `{"n":${i}}`);
		acknowledged.push({ i, id });
	}));
	/* Ids are in the order of the lane. */
	acknowledged.sort((a, b) => (a.id < b.id ? -1 : 1));
	await origin.start();
	const arrivals = await origin.arrived(21);
	assert.deepEqual(arrivals.slice(1).map((a) => JSON.parse(a.body).n), acknowledged.map((a) => a.i));
});

test('the first replay comes within a second of the origin', { seconds: 60 }, async (x) => {
	const delays = [];
	await Promise.all(Array.from({ length: 6 }, async (_, i) => {
		const { origin, daemon } = await kiosk(x);
		await queue(daemon);
		await sleep(4000 + 517 * i); /* past the first, quick attempts */
		await origin.start();
		const begin = origin.upSince;
		const [arrival] = await origin.arrived(1);
		delays.push(arrival.at - begin);
	}));
	x.say(`first replay after the origin is back: median ${median(delays).toFixed(0)} ms, ` +
		`of ${delays.map((d) => d.toFixed(0)).sort((a, b) => a - b).join(' ')}`);
	assert.ok(median(delays) < 3000 && Math.max(...delays) < 10000, `${delays}`);
});

test('the first replay comes as soon with a probe', { seconds: 40 }, async (x) => {
	const { origin, daemon } = await kiosk(x, { conf: { probe: '/healthz' } });
	await queue(daemon);
	await sleep(3000);
	await origin.start();
	const [arrival] = await origin.arrived(1, { url: '/api/orders' });
	x.say(`first replay after the origin is back, with a probe: ${(arrival.at - origin.upSince).toFixed(0)} ms`);
	assert.ok(arrival.at - origin.upSince < 10000);
	assert.ok(origin.got('/healthz').length >= 1);
});

test('a reachable origin answers live, with a key and without 202', async (x) => {
	const { origin, daemon } = await kiosk(x, { up: true });
	const answer = await daemon.post('/api/orders', '{"n":1}');
	assert.equal(answer.status, 201);
	assert.equal(answer.text, '{"order":1}');
	assert.match(origin.got()[0].key, UUID7);
	assert.equal((await daemon.json('/.holdfast/status')).totals.waiting, 0);
});

test('Prefer: wait gets the origin\'s own answer when it comes in time', async (x) => {
	const { origin, daemon } = await kiosk(x);
	const waiting = daemon.post('/api/orders', '{"n":1}', { Prefer: 'wait=10' });
	await sleep(500);
	origin.answers.push({ status: 201, body: '{"order":99}', headers: { 'X-Order': '99' } });
	await origin.start();
	const answer = await waiting;
	assert.equal(answer.status, 201);
	assert.equal(answer.text, '{"order":99}');
	assert.equal(answer.headers['x-order'], '99');
	assert.equal(origin.got().length, 1);
	assert.equal(origin.got()[0].headers.prefer, undefined);
});

test('Prefer: wait ends with 202 when it does not', async (x) => {
	const { daemon } = await kiosk(x);
	const answer = await daemon.post('/api/orders', '{}', { Prefer: 'wait=1' });
	assert.equal(answer.status, 202);
	assert.ok(answer.ms > 900 && answer.ms < 15000, `${answer.ms}`);
});

test('a page that leaves while it waits loses nothing', async (x) => {
	const { origin, daemon } = await kiosk(x);
	await assert.rejects(daemon.post('/api/orders', '{"n":1}', { Prefer: 'wait=20' },
		{ timeout: 600 }));
	await origin.start();
	await origin.arrived(1);
});

test('a live request for a lane with a backlog goes behind it', async (x) => {
	const { origin, daemon } = await kiosk(x, { up: true });
	origin.answers.push({ status: 503, headers: { 'Retry-After': '2' } });
	await queue(daemon, '/api/orders', '{"n":0}'); /* the origin is up, and busy */
	await queue(daemon, '/api/orders', '{"n":1}');
	const arrivals = await origin.arrived(3);
	assert.deepEqual(arrivals.map((a) => JSON.parse(a.body).n), [0, 0, 1]);
	assert.equal(arrivals[0].key, arrivals[1].key);
});

test('lanes of one origin do not wait for each other', async (x) => {
	const { origin, daemon } = await kiosk(x, { up: true, manifest: routes(
		queuedRoute('/a', 'a'), queuedRoute('/b', 'b')) });
	origin.answers.push({ status: 503, headers: { 'Retry-After': '60' } });
	await queue(daemon, '/a', '{"n":0}');
	assert.equal((await daemon.post('/b', '{"n":1}')).status, 201);
	assert.equal((await daemon.post('/a', '{"n":2}')).status, 202);
});

test('a dead origin does not stop another', async (x) => {
	const dead = await Origin.create(x, { start: false });
	const slow = await Origin.create(x, { start: false });
	const manifest = routes(queuedRoute('/api/orders', 'orders'));
	const daemon = await Daemon.create(x, {
		origins: [{ name: 'dead', url: dead.url }, { name: 'slow', url: slow.url }],
		workers: [{ name: 'wd', origin: 'dead', manifest }, { name: 'ws', origin: 'slow', manifest }],
	});
	const host = { Host: `slow.localhost:${daemon.port}` };
	for (let i = 0; i < 5; i++) {
		await queue(daemon, '/api/orders', `{"dead":${i}}`);
		await queue(daemon, '/api/orders', `{"slow":${i}}`, host);
	}
	await slow.start();
	const arrivals = await slow.arrived(5);
	assert.deepEqual(arrivals.map((a) => JSON.parse(a.body).slow), [0, 1, 2, 3, 4]);
	assert.equal(arrivals[0].headers.host, `127.0.0.1:${slow.port}`);
	const status = JSON.parse((await daemon.cli('--json', 'status')).stdout);
	assert.notEqual(status.origins.find((o) => o.name === 'dead').state, 'up');
	assert.equal(status.origins.find((o) => o.name === 'slow').state, 'up');
	assert.equal(dead.got().length, 0);
	await dead.start();
	await dead.arrived(5);
});

test('the app\'s own key wins, and keyHeader names where it is', async (x) => {
	const { origin, daemon } = await kiosk(x, { manifest: routes(
		queuedRoute('/api/orders', 'orders'),
		queuedRoute('/api/pay', 'pay', { keyHeader: 'X-Request-Id' }),
		queuedRoute('/api/sf', 'sf', { keyFormat: 'sf-string' })) });
	const own = await queue(daemon, '/api/orders', '{}', { 'Idempotency-Key': 'order-7' });
	assert.equal(own.key, 'order-7');
	const pay = await queue(daemon, '/api/pay', '{}', { 'X-Request-Id': 'pay-1' });
	assert.equal(pay.key, 'pay-1');
	const sf = await queue(daemon, '/api/sf', '{}');
	await origin.start();
	await origin.arrived(3);
	assert.equal(origin.got('/api/orders')[0].headers['idempotency-key'], 'order-7');
	assert.equal(origin.got('/api/pay')[0].headers['x-request-id'], 'pay-1');
	assert.equal(origin.got('/api/pay')[0].headers['idempotency-key'], undefined);
	assert.equal(origin.got('/api/sf')[0].headers['idempotency-key'], `"${sf.key}"`);
});

test('a body over the limit is refused with 413 and not queued', async (x) => {
	const { daemon } = await kiosk(x);
	const big = Buffer.alloc(16 * 1024 * 1024 + 1);
	const answer = await daemon.post('/api/orders', big);
	assert.equal(answer.status, 413);
	assert.equal(answer.headers['content-type'], 'application/problem+json');
	async function* pieces() {
		for (let i = 0; i < 17; i++)
			yield Buffer.alloc(1024 * 1024);
	}
	const chunked = await daemon.request({ method: 'POST', path: '/api/orders', body: pieces() })
		.catch((e) => ({ status: e.code })); /* refused while it is still being sent */
	assert.ok(chunked.status === 413 || chunked.status === 'EPIPE' || chunked.status === 'ECONNRESET',
		`${chunked.status}`);
	assert.equal((await daemon.status()).totals.accepted, 0);
});

test('5 MiB pass through an outage and a kill byte for byte', async (x) => {
	const { origin, daemon } = await kiosk(x);
	const body = randomBytes(5 * 1024 * 1024);
	const { id } = await queue(daemon, '/api/orders', body, { 'Content-Type': 'image/jpeg' });
	await daemon.restart();
	await origin.start();
	const [arrival] = await origin.arrived(1);
	assert.equal(arrival.length, body.length);
	assert.equal(arrival.hash, sha256(body));
	await daemon.state(id, 'settled');
});

test('a large answer of the origin is kept whole up to its limit', async (x) => {
	const { origin, daemon } = await kiosk(x);
	const { id } = await queue(daemon);
	const body = randomBytes(300 * 1024).toString('base64');
	origin.answers.push({ status: 200, body });
	await origin.start();
	await daemon.state(id, 'settled');
	await daemon.restart();
	const response = await daemon.get(`/.holdfast/requests/${id}/response`);
	assert.equal(sha256(response.body), sha256(body));
});

test('the daemon killed while the answer is on its way: same key, one effect', async (x) => {
	const { origin, daemon } = await kiosk(x);
	const { id, key } = await queue(daemon);
	origin.answers.push({ delay: 1500 });
	await origin.start();
	await origin.arrived(1);
	await daemon.restart();
	assert.equal((await daemon.state(id, 'settled')).response.status, 201);
	assert.ok(origin.got().length >= 2);
	assert.ok(origin.got().every((a) => a.key === key));
	assert.equal(origin.effects.size, 1);
});

test('SIGTERM ends in time and loses nothing', async (x) => {
	const { origin, daemon } = await kiosk(x);
	const { id } = await queue(daemon);
	const begin = performance.now();
	const { code } = await daemon.kill('SIGTERM');
	assert.equal(code, 0);
	assert.ok(performance.now() - begin < 20000);
	await origin.start();
	await daemon.start();
	await daemon.state(id, 'settled');
	assert.equal(origin.got().length, 1);
});

test('the event stream tells of queued and settled, and resumes', async (x) => {
	const { origin, daemon } = await kiosk(x);
	const events = await listen(x, daemon);
	const { id } = await queue(daemon);
	await until(() => events.list.find((e) => e.type === 'queued' && e.data.id === id));
	const last = events.list.at(-1).id;
	events.close();
	await origin.start();
	await daemon.state(id, 'settled');
	const again = await listen(x, daemon, { 'Last-Event-ID': last });
	const settled = await until(() => again.list.find((e) => e.type === 'settled'));
	assert.equal(settled.data.id, id);
	assert.ok(Math.abs(Date.parse(settled.data.at) - Date.now()) < 60000, settled.data.at);
	const told = await daemon.cli('events');
	assert.equal(told.code, 0, told.stderr);
	assert.match(told.stdout, new RegExp(`^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d  settled      ${id} POST /api/orders: answer 201`, 'm'));
	assert.equal(settled.data.status, 201);
	again.close();
});

test('the event stream tells of connectivity when it changes, not of each trial', async (x) => {
	const origin = await Origin.create(x, { start: false });
	const daemon = await Daemon.create(x, { origin, agent: { 'log-level': 'debug' },
		manifest: routes(queuedRoute('/api/orders', 'orders')) });
	const events = await listen(x, daemon);
	const { id } = await queue(daemon);
	const trials = () => daemon.log.match(/connectivity\.origin .*state=trial/g)?.length ?? 0;
	await until(() => trials() >= 4, { ms: 20000, what: 'four trials' });
	await origin.start();
	await daemon.state(id, 'settled');
	await until(() => events.list.find((e) => e.type === 'settled'));
	const told = events.list.filter((e) => e.type === 'connectivity').map((e) => e.data.origins.o0);
	assert.deepEqual(told, ['down', 'up']);
	assert.doesNotMatch(daemon.log, /info +connectivity\.origin .*state=trial/);
});

test('GET is never queued, and other methods only where a route says so', async (x) => {
	const { daemon } = await kiosk(x, { manifest: routes(
		queuedRoute('/api/orders', 'orders', {}, 'POST'),
		queuedRoute('/api/things/*', 'things', { idempotency: 'idempotent' }, 'PUT')) });
	assert.equal((await daemon.get('/api/orders')).status, 502);
	assert.equal((await daemon.request({ method: 'PUT', path: '/api/orders', body: 'x' })).status, 502);
	assert.equal((await daemon.request({ method: 'POST', path: '/api/other', body: 'x' })).status, 502);
	assert.equal((await daemon.request({ method: 'PUT', path: '/api/things/9', body: 'x' })).status, 202);
});

test('routes hold by what the browser says of the request: mode and destination', async (x) => {
	const when = (condition, tag) => ({ condition, source: 'network', queue: { tag, lane: tag } });
	const { daemon } = await kiosk(x, { manifest: routes(
		when({ requestMethod: 'POST', requestMode: 'cors' }, 'calls'),
		when({ requestMethod: 'POST', requestDestination: 'iframe' }, 'frames')) });
	const tag = async (headers) => {
		const answer = await daemon.post('/x', '{}', headers);
		return answer.status === 202 ? answer.json().tag : answer.status;
	};
	assert.equal(await tag({ 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' }), 'calls');
	assert.equal(await tag({ 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe' }), 'frames');
	assert.equal(await tag({ 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' }), 502);
	assert.equal(await tag({}), 502);
});

test('the lane takes maxEntries and says 503 to the next', async (x) => {
	const { daemon } = await kiosk(x, { policy: { maxEntries: 3 } });
	for (let i = 0; i < 3; i++)
		await queue(daemon);
	const answer = await daemon.post('/api/orders');
	assert.equal(answer.status, 503);
	assert.equal(answer.headers['content-type'], 'application/problem+json');
	assert.ok(answer.headers['retry-after']);
});

test('expect: another 2xx over plain HTTP is a captive portal\'s, not a delivery', async (x) => {
	const { origin, daemon } = await kiosk(x, { policy: { expect: [201] } });
	const { id } = await queue(daemon);
	origin.answers.push({ status: 200, body: '<html>Sign in', headers: { 'Content-Type': 'text/html' } });
	await origin.start();
	const record = await daemon.state(id, 'settled', 20000);
	assert.equal(record.response.status, 201);
	assert.equal(origin.got().length, 2);
});

test('the operator sees it: status, queue list, show, export, as text and JSON', async (x) => {
	const { daemon } = await kiosk(x);
	const { id, key } = await queue(daemon, '/api/orders?n=1', '{"n":1}');
	for (const args of [['status'], ['queue', 'list'], ['queue', 'show', id], ['version'],
		['store', 'check']]) {
		const text = await daemon.cli(...args);
		assert.equal(text.code, 0, `${args}: ${text.stderr}`);
		assert.ok(text.stdout.length > 0, `${args}`);
		const json = await daemon.cli('--json', ...args);
		assert.equal(json.code, 0, `--json ${args}: ${json.stderr}`);
		JSON.parse(json.stdout);
	}
	const show = JSON.parse((await daemon.cli('--json', 'queue', 'show', id)).stdout);
	assert.equal(show.idempotencyKey, key);
	const exported = await daemon.cli('queue', 'export');
	assert.equal(exported.code, 0);
	assert.ok(exported.stdout.includes(id));
	for (const command of ['show', 'cancel', 'retry']) {
		const unknown = await daemon.cli('queue', command, '00000000000000000000000000');
		assert.equal(unknown.code, 1);
		assert.match(unknown.stderr, /There is no request with this id/);
		const malformed = await daemon.cli('queue', command, 'nonsense');
		assert.equal(malformed.code, 2);
		assert.match(malformed.stderr, /nonsense is not an id; ids have 26 letters and digits/);
	}
	if (process.getuid() === 0) {
		chmodSync(x.dir, 0o755); /* the socket itself is what is closed */
		chmodSync(daemon.dir, 0o755);
		const args = ['--reuid', '65534', '--regid', '65534', '--clear-groups', copyOfHoldfast(x),
			'--socket', daemon.control, 'status'];
		const denied = await run('setpriv', args);
		assert.equal(denied.code, 4, denied.stderr);
		assert.match(denied.stderr, /^holdfast: user \w+ may not open .*control\.sock; it is for root/);
	}
	assert.equal((await daemon.cli('queue', 'frobnicate')).code, 2);
	assert.equal((await daemon.cli('--frobnicate')).code, 2);
	await daemon.kill();
	assert.equal((await daemon.cli('status')).code, 3);
});

/* Where another user may run it. */
function copyOfHoldfast(x) {
	const path = join(x.dir, 'holdfast');
	copyFileSync(holdfast, path);
	chmodSync(path, 0o755);
	return path;
}

suite('outage', 6);
