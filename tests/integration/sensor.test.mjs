/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sensors: the real daemon, datagrams of our own and libcoap's example client with
 * another TLS library. Builds without the sensor side skip.
 */
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { test, suite, until, sleep, random, sanitized } from './lib/harness.mjs';
import { holdfast, holdfastd, run } from './lib/daemon.mjs';
import { Sensor, OPTION, locationOf, optionOf, uint, encode } from './lib/coap.mjs';
import { KEYS, drained, hall } from './lib/sensors.mjs';
import { checkMetrics } from './lib/prometheus.mjs';

const client = 'coap-client-openssl';
const skip = process.env.HF_COAP ? false : 'built without CoAP';
const skipClient = skip || (spawnSync(client, ['-v']).error ? `there is no ${client}` : false);

test('a reading is on disk when it is answered, and reaches the origin', { skip }, async (x) => {
	const { origin, daemon, sensor } = await hall(x);
	let answer = await sensor.request('POST', '/readings', '{"t":21.5}', { format: 50, query: ['room=3 a'] });
	assert.equal(answer.code, '2.01');
	const id = locationOf(answer);
	assert.match(id, /^[0-9A-Z]{26}$/);
	answer = await sensor.request('PUT', '/state/valve', 'open', { format: 0 });
	assert.equal(answer.code, '2.04');
	answer = await sensor.request('PUT', '/state/valve', randomBytes(3), { format: 65001 });
	assert.equal(answer.code, '2.04');
	await daemon.restart();
	await origin.start();
	await drained(daemon);
	const reading = origin.arrivals.find((a) => a.url.startsWith('/readings'));
	assert.equal(reading.url, '/readings?room=3%20a');
	assert.equal(reading.method, 'POST');
	assert.equal(reading.headers['content-type'], 'application/json');
	assert.equal(reading.body.toString(), '{"t":21.5}');
	assert.match(reading.headers.forwarded, /for=127\.0\.0\.1;proto=coap/);
	const states = origin.arrivals.filter((a) => a.method === 'PUT');
	assert.equal(states[0].body.toString(), 'open');
	assert.equal(states[1].headers['content-type'], 'application/json');
	assert.equal(JSON.parse(states[1].body).contentFormat, 65001);
	answer = await sensor.request('GET', `/.holdfast/requests/${id}`);
	assert.equal(answer.code, '2.05');
	assert.equal(JSON.parse(answer.payload).state, 'settled');
});

test('a message that comes again after a kill has one effect', { skip }, async (x) => {
	const { origin, daemon, sensor } = await hall(x);
	const message = { mid: 4711, token: Buffer.from('same') };
	for (let i = 0; i < 2; i++) {
		for (let k = 0; k < 2; k++)
			assert.equal((await sensor.request('POST', '/readings', '17', { format: 0, message })).code, '2.01');
		await daemon.restart();
	}
	await origin.start();
	await drained(daemon);
	assert.equal(origin.arrivals.length, 2); /* once for each run of the daemon */
	assert.equal(origin.effects.size, 1);
});

test('bodies in blocks, and the outcome is told', { skip }, async (x) => {
	const { origin, daemon, sensor } = await hall(x);
	const body = randomBytes(20000);
	const answer = await sensor.upload('PUT', '/state/picture', body, { format: 42 });
	assert.equal(answer.code, '2.04');
	const token = Buffer.from('obs!');
	const state = await sensor.request('GET', `/.holdfast/requests/${locationOf(answer)}`, '',
		{ message: { token }, options: [[OPTION.observe, uint(0)]] });
	assert.equal(JSON.parse(state.payload).state, 'queued');
	assert.ok(optionOf(state, OPTION.observe));
	await origin.start();
	await drained(daemon);
	await until(() => sensor.told.some((m) => m.token.equals(token) && m.payload.includes('settled')),
		{ ms: 20000, what: 'the outcome is told' });
	assert.deepEqual(origin.arrivals[0].body, body);
});

const tool = async (port, scheme, args, path = 'readings', method = 'post') => run(client,
	[...args, '-v', '5', '-B', '8', '-m', method, `${scheme}://127.0.0.1:${port}/${path}`]);

test('libcoap hands readings over, with a key and without', { skip: skipClient, seconds: 90 }, async (x) => {
	const { origin, daemon, port } = await hall(x);
	await tool(port, 'coap', ['-e', '1', '-t', 'text/plain']);
	const core = await tool(port, 'coap', [], '.well-known/core', 'get');
	assert.match(core.stdout, /<\/readings>;rt="holdfast\.queue"/);
	await tool(port + 1, 'coaps', ['-u', 'pump-3', '-k', 'sesa', '-e', '2', '-t', 'text/plain']);
	await tool(port + 1, 'coaps', ['-u', 'lamp', '-k', 'word', '-e', 'x'.repeat(3000), '-t', 'text/plain'], 'state/a', 'put');
	/* refused: another's path, a wrong key, an identity that is not known */
	const denied = await tool(port + 1, 'coaps', ['-u', 'lamp', '-k', 'word', '-e', '3']);
	assert.match(denied.stdout + denied.stderr, /4\.03/);
	await tool(port + 1, 'coaps', ['-u', 'pump-3', '-k', 'wrong', '-e', '4']);
	await tool(port + 1, 'coaps', ['-u', 'nobody', '-k', 'sesa', '-e', '5']);
	const { requests } = JSON.parse((await daemon.get('/.holdfast/requests')).text);
	assert.deepEqual(requests.map((r) => r.lane).sort(), ['readings', 'readings@pump-3', 'state@lamp']);
	await origin.start();
	await drained(daemon);
	const arrival = origin.arrivals.find((a) => a.body.toString() === '2');
	assert.match(arrival.headers.forwarded, /for=_pump-3;proto=coaps/);
	assert.equal(origin.arrivals.find((a) => a.method === 'PUT').body.length, 3000);
});

test('the file of devices is read again when it changes', { skip: skipClient, seconds: 90 }, async (x) => {
	const { daemon, port, file } = await hall(x);
	const accepted = async () => (await daemon.status()).totals.waiting;
	const post = (key) => tool(port + 1, 'coaps', ['-u', 'pump-3', '-k', key, '-e', '2', '-t', 'text/plain']);
	await post('sesa');
	assert.equal(await accepted(), 1);
	writeFileSync(file, KEYS.replace('hex:73657361', 'other'));
	await until(async () => {
		await post('other');
		return await accepted() === 2;
	}, { ms: 30000, what: 'the other key counts' });
	await post('sesa');
	assert.equal(await accepted(), 2);
});

test('faults of the configuration are told', { skip }, async (x) => {
	const { daemon, file } = await hall(x, { start: false });
	const check = async () => {
		const { code, stdout, stderr } = await run(holdfastd, ['--config', daemon.conf, '--check']);
		return code === 0 ? '' : stdout + stderr;
	};
	assert.equal(await check(), '');
	chmodSync(file, 0o644);
	assert.match(await check(), /holdfast\.conf:\d+: .*coap-devices.*chmod o-rw/);
	chmodSync(file, 0o640);
	writeFileSync(file, 'pump-3\n');
	assert.match(await check(), /coap-devices.*devices:1: the key is missing/);
	writeFileSync(file, KEYS);
	daemon.configure({ agent: { 'coap-listen': '0.0.0.0:5683', 'coaps-listen': '127.0.0.1:5684',
		'coap-request-key': 'header:x' } });
	const faults = await check();
	assert.match(faults, /coap-listen: .*allow-remote = yes/);
	assert.match(faults, /coaps-listen: needs coap-devices/);
	assert.match(faults, /coap-request-key: .*is not query:NAME/);
	/* what the device says of addresses */
	const taken = createSocket('udp4');
	await new Promise((resolve) => taken.bind(0, '127.0.0.1', resolve));
	x.defer(() => taken.close());
	daemon.configure({ agent: { 'coap-listen': `127.0.0.1:${taken.address().port}`, 'coaps-listen': '192.0.2.7:5684',
		'coap-devices': file } });
	assert.match(await check(), /\[agent\] coap-listen: 127\.0\.0\.1:\d+ is in use by another program/);
	daemon.configure({ agent: { 'coap-listen': '127.0.0.1:0', 'coaps-listen': '192.0.2.7:5684',
		'coap-devices': file } });
	assert.equal(await check(), '');
	await daemon.start();
	assert.match(daemon.log, /\[agent\] coaps-listen: 192\.0\.2\.7:5684 is no address of this device now/);
});

/* Its own DTLS port is an origin of its settings, so that a session is made from both sides. */
test('confined to its folders it hears sensors and asks an origin by DTLS', { skip, seconds: 90 }, async (x) => {
	const { daemon, port, sensor } = await hall(x, { start: false });
	const key = join(daemon.dir, 'psk');
	writeFileSync(key, 'hex:73657361\n');
	daemon.configure({ sections: { 'origin self': { url: `coaps://127.0.0.1:${port + 1}`, host: 'self.localhost',
		'psk-identity': 'pump-3', 'psk-file': key } } });
	await daemon.start();
	if (daemon.log.includes('daemon.confined landlock=0'))
		x.say('a kernel without Landlock');
	else
		assert.match(daemon.log, /daemon\.confined landlock=[1-9]/);
	assert.equal((await sensor.request('POST', '/readings', '{}', { format: 50 })).code, '2.01');
	const asked = await run(holdfast, ['--socket', daemon.control, 'coap', 'get', `coaps://127.0.0.1:${port + 1}/.well-known/core`]);
	assert.equal(asked.code, 0, asked.stderr);
	assert.match(asked.stdout, /<\/readings>/);
});

test('status and metrics count them', { skip }, async (x) => {
	const { daemon, sensor } = await hall(x);
	await sensor.request('POST', '/readings', '1', { format: 0 });
	await sensor.request('POST', '/elsewhere', '1', { format: 0 });
	const { stdout } = await run(holdfast, ['--socket', daemon.control, '--json', 'status']);
	const { sensors } = JSON.parse(stdout);
	assert.equal(sensors.accepted, 1);
	assert.ok(sensors.refused >= 1);
	const metrics = await run(holdfast, ['--socket', daemon.control, 'metrics']);
	checkMetrics(metrics.stdout);
	assert.match(metrics.stdout, /^holdfast_sensor_accepted_total 1$/m);
});

test('what is answered 2.01 survives SIGKILL', { skip, seconds: 240 }, async (x) => {
	const { origin, daemon, port } = await hall(x);
	const rand = random(7);
	const sensors = await Promise.all(Array.from({ length: 6 }, () => Sensor.create(x, port)));
	const answered = sensors.map(() => []);
	let stop = false;
	const work = sensors.map(async (sensor, i) => {
		for (let n = 0; !stop; n++) {
			const body = `${i}/${n}`;
			const answer = await sensor.request('POST', '/readings', body, { format: 0, every: 100, times: 600,
				query: [`s=${i}`] });
			if (answer?.code === '2.01')
				answered[i].push(body);
			await sleep(20 + rand() * 40);
		}
	});
	/* as many as a slow machine has the time for */
	for (let k = 0, end = Date.now() + 30000; k < (sanitized ? 8 : 25) && (k < 3 || Date.now() < end); k++) {
		await sleep(100 + rand() * 300);
		await daemon.restart();
	}
	stop = true;
	await Promise.all(work);
	await origin.start();
	await drained(daemon);
	const effects = [...origin.effects.values()].map((e) => e.body.toString());
	assert.ok(answered.flat().length > 10, `only ${answered.flat().length} were answered`);
	assert.deepEqual(effects.length, new Set(effects).size, 'a reading had two effects');
	answered.forEach((list, i) => {
		const mine = effects.filter((body) => body.startsWith(`${i}/`));
		assert.deepEqual(list.filter((body) => !mine.includes(body)), [], 'answered and lost');
		const order = mine.map((body) => Number(body.split('/')[1]));
		assert.deepEqual(order, [...order].sort((a, b) => a - b), 'the order of a sensor');
	});
});

test('datagrams of any sort do it no harm', { skip }, async (x) => {
	const { daemon, sensor, port } = await hall(x);
	const stranger = await Sensor.create(x, port + 1);
	const rand = random(11);
	for (let i = 0; i < 3000; i++) {
		const bytes = randomBytes(Math.floor(rand() * 80) + 1);
		if (i % 2)
			bytes[0] = 0x40 | bytes[0] & 0x3f;
		if (i % 3 === 0)
			bytes.set(encode({ code: 2, mid: i, options: [[11, 'readings']] }).subarray(0, bytes.length));
		sensor.send(bytes);
		stranger.send(i % 2 ? Buffer.concat([Buffer.from([22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60, 1]), bytes]) : bytes);
		if (i % 50 === 0)
			await sleep(2);
	}
	assert.equal((await sensor.request('POST', '/readings', '1', { format: 0 })).code, '2.01');
	assert.ok((await daemon.status()).health);
});

suite('sensors');
