/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients of others as sensors, method by method, directly and through a relay that loses, delays
 * and reorders datagrams, and a table of it at the end (./dev interop; else skipped).
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { test, suite, until } from './lib/harness.mjs';
import { queuedRoute, run } from './lib/daemon.mjs';
import { drained, hall } from './lib/sensors.mjs';
import { UdpRelay } from './lib/udp_relay.mjs';

const skip = !process.env.HF_COAP ? 'built without CoAP' : process.env.HF_INTEROP !== 'long' ? 'a part of ./dev interop' : false;
const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE'];
const manifest = { name: 'hall', version: '1', routes: METHODS.map((m) => queuedRoute('/things/*', m, {}, m)) };
const KEYS = 'pump hex:73657361 POST:/things/* PUT:/things/*\n- - POST:/things/* PUT:/things/* PATCH:/things/* DELETE:/things/*\n';
const DONE = { POST: '2.01', PUT: '2.04', PATCH: '2.04', DELETE: '2.02' };

/* asks: { method, path, body, secret: [identity, key], seconds } -> { code, text, id, states } */
function libcoap(program) {
	return {
		name: program.replace('coap-client-', 'libcoap, '),
		there: !spawnSync(program, ['-v']).error,
		secrets: [undefined, ['pump', 'sesa']],
		async ask(x, port, { method, path, body, secret, seconds = 150, observe }) {
			const file = join(x.dir, `payload-${path.replaceAll('/', '-')}`);
			writeFileSync(file, body ?? '');
			const done = await run(program, ['-v', '7', '-B', String(seconds), '-m', method.toLowerCase(),
				...(body ? ['-t', 'octet', '-f', file, '-b', '1024'] : []), ...(observe ? ['-s', String(observe)] : []),
				...(secret ? ['-u', secret[0], '-k', secret[1]] : []),
				`${secret ? 'coaps' : 'coap'}://127.0.0.1:${port}${path}`], { seconds: seconds + 60 });
			const text = done.stdout + done.stderr;
			const codes = [...text.matchAll(/ c:([245]\.\d\d)/g)].map((m) => m[1]).filter((c) => c !== '2.31');
			return { text, code: codes.at(-1), id: /Location-Path:([0-9A-Z]{26})/.exec(text)?.[1] };
		},
	};
}

const nodeCoap = await import('coap').catch(() => null);
const node = {
	name: 'node-coap',
	there: nodeCoap !== null,
	lacks: new Set(['blocks', 'state', 'observe']), /* a large payload is one datagram; no Echo */
	secrets: [undefined],
	ask: (x, port, { method, path, body, observe, seconds = 150 }) => new Promise((resolve, reject) => {
		const { request, Agent } = nodeCoap.default ?? nodeCoap;
		const agent = new Agent({ type: 'udp4' });
		const req = request({ host: '127.0.0.1', port, method, pathname: path, observe: Boolean(observe), agent,
			retrySend: 4 });
		let text = '';
		const over = (result) => {
			clearTimeout(timer);
			resolve(result);
		};
		const timer = setTimeout(() => over({ text: `${text} (no answer)` }), seconds * 1000);
		x.defer(() => agent.close());
		agent.on('error', () => {});
		req.on('error', (e) => (clearTimeout(timer), reject(e)));
		req.on('response', (res) => {
			const id = res.options.filter((o) => o.name === 'Location-Path').at(-1)?.value.toString();
			res.on('data', (d) => (text += d));
			if (observe)
				setTimeout(() => (res.close(), over({ code: res.code, text })), observe * 1000);
			else
				over({ code: res.code, text: String(res.payload ?? ''), id });
		});
		if (body)
			req.setOption('Content-Format', 'application/octet-stream');
		req.end(body);
	}),
};

const clients = [libcoap('coap-client-openssl'), libcoap('coap-client-gnutls'), node].filter((c) => c.there);

/* Where a client gives its handshake up, or each of its repetitions was lost, it is started again. */
async function patient(client, x, port, request) {
	for (let left = 3; ; left--) {
		const answer = await client.ask(x, port, request);
		if (answer.code || left === 0)
			return answer;
	}
}

/* Each is { name: async (world) }; world: x, client, port, secret, origin, daemon. */
const features = Object.fromEntries(METHODS.map((method) => [method, async ({ x, client, port, secret, origin }) => {
	const body = method === 'DELETE' ? undefined : randomBytes(40);
	const answer = await patient(client, x, port, { method, path: `/things/${method}`, body, secret });
	assert.equal(answer.code, DONE[method], answer.text.slice(-2000));
	const arrived = await until(() => origin.arrivals.find((a) => a.method === method), { what: `${method} at the origin` });
	if (body)
		assert.ok(body.equals(arrived.body));
}]));

features.iPATCH = async ({ x, client, port, secret, origin }) => {
	const body = randomBytes(40);
	const answer = await patient(client, x, port, { method: 'iPATCH', path: '/things/i', body, secret });
	assert.equal(answer.code, DONE.PATCH, answer.text.slice(-2000));
	const arrived = await until(() => origin.arrivals.find((a) => a.url === '/things/i'), { what: 'iPATCH at the origin' });
	assert.equal(arrived.method, 'PATCH');
	assert.ok(body.equals(arrived.body));
};

/* libcoap's client and node-coap's number their blocks; the origin gets one body. */
features.blocks = async ({ x, client, port, secret, origin, way }) => {
	const body = randomBytes(way === 'lossy' ? 6000 : 60000);
	const answer = await patient(client, x, port, { method: 'PUT', path: '/things/large', body, secret });
	assert.equal(answer.code, '2.04', answer.text.slice(-2000));
	const arrived = await until(() => origin.arrivals.find((a) => a.url === '/things/large'), { what: 'the body at the origin' });
	assert.ok(body.equals(arrived.body));
};

features.state = async ({ x, client, port, secret, daemon }) => {
	const made = await patient(client, x, port, { method: 'POST', path: '/things/state', body: randomBytes(60), secret });
	assert.ok(made.id, made.text.slice(-2000));
	await drained(daemon);
	const state = await patient(client, x, port, { method: 'GET', path: `/.holdfast/requests/${made.id}`, secret });
	assert.match(state.text, /settled/);
};

/* Where the first answer is lost, its repetition may tell the end already. */
features.observe = async ({ x, client, port, secret, daemon, origin, way }) => {
	await origin.stop();
	const made = await patient(client, x, port, { method: 'POST', path: '/things/watched', body: randomBytes(60), secret });
	const told = patient(client, x, port, { method: 'GET', path: `/.holdfast/requests/${made.id}`, secret, observe: 25 });
	await until(async () => JSON.parse((await daemon.cli('--json', 'status')).stdout).sensors.observers > 0, { ms: 60000, what: 'somebody observes' });
	await origin.start();
	await drained(daemon);
	assert.match((await told).text, way === 'lossy' ? /settled/ : /queued[^]*settled/);
};

/* Another key than the file of devices has. */
features.key = async ({ x, client, port, origin }) => {
	const answer = await client.ask(x, port, { method: 'POST', path: '/things/forged', body: 'x', secret: ['pump', 'wrong'],
		seconds: 10 });
	assert.equal(answer.code, undefined);
	assert.ok(!origin.arrivals.some((a) => a.url === '/things/forged'));
};

const rows = [];

async function row(x, client, secret, way) {
	const { origin, daemon, port } = await hall(x, { up: true, manifest, keys: KEYS });
	const own = port + (secret ? 1 : 0);
	const relay = way === 'lossy' ? await UdpRelay.create(x, own, { seed: 5, loss: 0.2, delay: 200, reorder: 0.2 }) : undefined;
	const results = {}, faults = [];
	for (const [name, run] of Object.entries(features)) {
		const has = name === 'key' ? Boolean(secret) && way === 'direct' : (!secret || !['PATCH', 'iPATCH', 'DELETE'].includes(name)) && !client.lacks?.has(name);
		results[name] = !has ? '-' : await run({ x, client, port: relay?.port ?? own, secret, origin, daemon, way }).then(() => 'pass', (e) => {
			faults.push(`${name}: ${e.message}`);
			x.say(faults.at(-1));
			return 'FAIL';
		});
	}
	rows.push([client.name, secret ? 'coaps, psk' : 'coap', way, results]);
	assert.deepEqual(faults, []);
}

for (const client of clients)
	for (const secret of client.secrets)
		for (const way of ['direct', 'lossy'])
			test(`${client.name}: ${secret ? 'coaps' : 'coap'} ${way}`, { skip, seconds: 1200 }, (x) => row(x, client, secret, way));

after(() => {
	const names = Object.keys(features);
	const line = (cells) => console.log(`# ${cells.map((c, i) => String(c).padEnd([18, 12][i] ?? 8)).join(' ')}`);
	if (rows.length > 0)
		line(['sensor', 'scheme', 'way', ...names]);
	rows.sort((a, b) => a.slice(0, 3).join().localeCompare(b.slice(0, 3).join()));
	for (const [name, scheme, way, results] of rows)
		line([name, scheme, way, ...names.map((n) => results[n])]);
});

suite('clients of others as sensors');
