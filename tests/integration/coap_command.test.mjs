/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast coap: what the operator says to CoAP origins, and what comes back. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, suite, until } from './lib/harness.mjs';
import { CoapPeer, OPTION, block, number } from './lib/coap_peer.mjs';
import { Daemon, holdfast, run } from './lib/daemon.mjs';
import { kiosk, skip } from './lib/coap_server.mjs';

const built = process.env.HF_COAP ? false : 'built without CoAP';

/* A store of representations, with Content-Formats; m.path is what it is asked for. */
async function shelf(x, { handler, ...keys } = {}) {
	const s = { things: new Map(), bodies: new Map() };
	s.peer = await CoapPeer.create(x, (m, reply, from) => {
		if (handler?.(m, reply, from))
			return;
		const b = number(m.get(OPTION.block1)) ?? 6;
		if (m.method === 'GET' || m.method === 'FETCH') {
			answer(m, reply, m.method === 'GET' ? s.things.get(m.path) : { body: m.payload, format: m.get(OPTION.format) });
		} else if (m.method === 'DELETE') {
			s.things.delete(m.path);
			reply({ code: '2.02' });
		} else {
			const before = s.bodies.get(m.path)?.subarray(0, (b >> 4) * 1024) ?? Buffer.alloc(0);
			s.bodies.set(m.path, Buffer.concat([before, m.payload]));
			const made = !s.things.has(m.path);
			if (!(b & 8))
				s.things.set(m.path, { body: s.bodies.get(m.path), format: m.get(OPTION.format) });
			reply({ code: b & 8 ? '2.31' : made ? '2.01' : '2.04', options: m.get(OPTION.block1) ? [[OPTION.block1, b]] : [] });
		}
	});
	({ daemon: s.daemon } = await kiosk(x, { server: s.peer, scheme: 'coap', 'first-byte-timeout-ms': 60000, ...keys }));
	s.at = (path) => `coap://127.0.0.1:${s.peer.port}${path}`;
	s.run = (...args) => s.daemon.cli('coap', ...args);
	return s;
}

function answer(m, reply, thing) {
	const num = (number(m.get(OPTION.block2)) ?? 6) >> 4;
	if (!thing) {
		reply({ code: '4.04', payload: 'no such thing' });
		return;
	}
	const more = (num + 1) * 1024 < thing.body.length;
	reply({ code: '2.05', payload: thing.body.subarray(num * 1024, (num + 1) * 1024), options: [
		[OPTION.etag, 'e1'], [OPTION.maxAge, 9], ...(thing.format ? [[OPTION.format, thing.format]] : []),
		...(thing.body.length > 1024 ? [[OPTION.block2, block(num, more, 6)]] : [])] });
}

test('each method, its payload and the code', { skip: built }, async (x) => {
	const s = await shelf(x);
	let r = await s.run('put', s.at('/tea?x=1'), '{"t":1}', '--format', 'json');
	assert.deepEqual([r.code, r.stdout, r.stderr], [0, '', '2.01 Created\n']);
	assert.deepEqual(s.peer.requests.at(-1).query, ['x=1']);
	assert.equal(number(s.peer.requests.at(-1).get(OPTION.format)), 50);
	r = await s.run('get', s.at('/tea'));
	assert.deepEqual([r.code, r.stdout, r.stderr], [0, '{"t":1}\n', '2.05 Content\n']);
	r = await s.run('get', s.at('/tea'), '-v', '--format', '60');
	assert.equal(r.stderr, '2.05 Content\nETag: 0x6531\nContent-Format: 50 (application/json)\nMax-Age: 9\n');
	assert.equal(number(s.peer.requests.at(-1).get(OPTION.accept)), 60);
	r = await s.run('post', s.at('/tea'), 'more', '--format=text');
	assert.deepEqual([r.code, r.stderr], [0, '2.04 Changed\n']);
	assert.equal(s.peer.requests.at(-1).method, 'POST');
	assert.equal(s.peer.requests.at(-1).payload.toString(), 'more');
	r = await s.run('fetch', s.at('/tea'), '["t"]', '--format', 'application/json');
	assert.deepEqual([r.code, r.stdout], [0, '["t"]\n']);
	assert.equal(s.peer.requests.at(-1).method, 'FETCH');
	r = await s.run('patch', s.at('/tea'), '[]', '--format', 'json-patch+json');
	assert.deepEqual([r.code, r.stderr], [0, '2.04 Changed\n']);
	assert.equal(s.peer.requests.at(-1).method, 'PATCH');
	r = await s.run('delete', s.at('/tea'));
	assert.deepEqual([r.code, r.stdout, r.stderr], [0, '', '2.02 Deleted\n']);
	r = await s.run('get', s.at('/tea'));
	assert.deepEqual([r.code, r.stdout, r.stderr], [1, 'no such thing\n', '4.04 Not Found\n']);
});

test('large payloads from a file and from standard input, byte by byte', { skip: built, seconds: 90 }, async (x) => {
	const s = await shelf(x);
	const body = randomBytes(100000), file = join(x.dir, 'payload');
	writeFileSync(file, body);
	let r = await s.run('put', s.at('/big'), '--file', file, '--format', 'octet-stream');
	assert.equal(r.code, 0, r.stderr);
	assert.ok(body.equals(s.things.get('/big').body));
	r = await run('/bin/sh', ['-c', '"$1" --socket "$2" coap get "$3" >"$4"', 'sh', holdfast, s.daemon.control, s.at('/big'),
		`${file}.back`]);
	assert.equal(r.code, 0, r.stderr);
	assert.ok(body.equals(readFileSync(`${file}.back`)));
	r = await run(holdfast, ['--socket', s.daemon.control, 'coap', 'put', s.at('/in'), '--file', '-'], { input: 'from a pipe' });
	assert.equal(r.code, 0, r.stderr);
	assert.equal(s.things.get('/in').body.toString(), 'from a pipe');
});

test('a server that is no origin is asked as well, and left again', { skip: built, seconds: 90 }, async (x) => {
	const s = await shelf(x), other = await shelf(x);
	other.things.set('/door', { body: Buffer.from('shut'), format: Buffer.alloc(0) });
	for (let i = 0; i < 20; i++) {
		const r = await s.run('get', other.at('/door'));
		assert.deepEqual([r.code, r.stdout, r.stderr], [0, 'shut\n', '2.05 Content\n']);
	}
	let r = await s.run('put', other.at('/door'), 'open');
	assert.equal(r.code, 0, r.stderr);
	assert.equal(other.things.get('/door').body.toString(), 'open');
	r = await s.run('observe', other.at('/door'), '--count', '1');
	assert.equal(r.code, 0, r.stderr);
	assert.match(r.stdout, /open/);
	other.peer.close();
	r = await s.run('get', other.at('/door'));
	assert.match(r.stderr, /nobody is at the origin's port/);
	assert.equal(s.peer.requests.length, 0);
});

test('of servers that are no origins a few are asked at a time', { skip: built, seconds: 90 }, async (x) => {
	const s = await shelf(x), mute = await shelf(x, { handler: () => true });
	const eight = Array.from({ length: 8 }, () => s.run('get', mute.at('/x'), '--timeout', '20s'));
	await until(() => mute.peer.requests.length >= 8, { what: 'eight questions' });
	const r = await s.run('get', mute.at('/x'));
	assert.equal(r.code, 1);
	assert.match(r.stderr, /8 servers that are no origins are being asked; wait for an answer/);
	await s.daemon.kill('SIGTERM');
	for (const one of await Promise.all(eight))
		assert.notEqual(one.code, 0);
});

test('--json has code, options and payload', { skip: built }, async (x) => {
	const s = await shelf(x);
	s.things.set('/a', { body: Buffer.from('21.5'), format: Buffer.alloc(0) });
	s.things.set('/b', { body: Buffer.from([0, 255]), format: Buffer.from([42]) });
	let j = JSON.parse((await s.run('--json', 'get', s.at('/a'))).stdout);
	assert.deepEqual(j, { uri: s.at('/a'), code: '2.05', text: 'Content', options: [
		{ number: 4, name: 'ETag', hex: '6531' }, { number: 12, name: 'Content-Format', value: 0, hex: '' },
		{ number: 14, name: 'Max-Age', value: 9, hex: '09' }], type: 'text/plain;charset=utf-8', payload: '21.5' });
	j = JSON.parse((await s.run('--json', 'get', s.at('/b'))).stdout);
	assert.equal(j.payloadBase64, Buffer.from([0, 255]).toString('base64'));
	const r = await s.run('--json', 'get', s.at('/none'));
	assert.equal(r.code, 1);
	assert.equal(JSON.parse(r.stdout).code, '4.04');
});

test('a line for each notification, until --count, the end, or Ctrl-C', { skip: built }, async (x) => {
	const observers = new Map(), left = [];
	let value = 'one', order = 1;
	const s = await shelf(x, { handler: (m, reply, from) => {
		const observe = number(m.get(OPTION.observe));
		if (observe === undefined)
			return false;
		(observe === 0 ? observers : new Map()).set(m.token, from);
		if (observe === 1)
			left.push(m.token);
		reply({ code: '2.05', payload: value, options: [[OPTION.format, 0], [OPTION.observe, order]] });
		return true;
	} });
	const tell = (code, text) => {
		value = text;
		for (const [token, from] of observers)
			s.peer.send(from, { type: 'CON', code, token, payload: text, options: [
				...(code === '2.05' ? [[OPTION.observe, ++order], [OPTION.format, 0]] : [])] });
	};
	const start = (...args) => {
		const child = spawn(holdfast, ['--socket', s.daemon.control, 'coap', 'observe', s.at('/t'), ...args]);
		const o = { child, text: '' };
		x.defer(() => child.kill('SIGKILL'));
		for (const stream of [child.stdout, child.stderr])
			stream.on('data', (d) => (o.text += d));
		o.over = new Promise((resolve) => child.once('close', (code, signal) => resolve(signal ?? code)));
		o.hears = (what) => until(() => o.text.includes(what), { what: `"${what}" in ${JSON.stringify(o.text)}` });
		return o;
	};

	const two = start('--count', '2');
	await two.hears('one');
	const endless = start();
	await endless.hears('one');
	tell('2.05', 'two\nlines');
	assert.equal(await two.over, 0);
	assert.match(two.text, /^\d\d:\d\d:\d\d {2}one\n\d\d:\d\d:\d\d {2}two\\x0alines\n$/);
	await endless.hears('two\\x0alines');
	endless.child.kill('SIGINT');
	assert.equal(await endless.over, 'SIGINT');
	await until(() => left.length > 0, { what: 'the last one gone, it is deregistered' });
	const json = start('--json', '--count=1');
	assert.equal(await json.over, 0);
	assert.deepEqual(JSON.parse(json.text), { event: 'message', data: 'two\nlines' });
	const ended = start();
	await ended.hears('two');
	tell('4.04', '');
	assert.equal(await ended.over, 1);
	assert.match(ended.text, /the origin has ended it: 404/);
	const last = start();
	await last.hears('\n');
	await s.daemon.kill('SIGTERM');
	assert.equal(await last.over, 3);
	assert.match(last.text, /the daemon ended the stream/);
});

test('refusals and faults in words', { skip: built }, async (x) => {
	const s = await shelf(x, { handler: (m) => m.path === '/silent' });
	let r = await s.run('get', 'coaps://192.0.2.1/x');
	assert.equal(r.code, 1);
	assert.match(r.stderr, /coaps needs a key or certificates, and no \[origin\] of the configuration has this address/);
	r = await s.run('get', 'http://192.0.2.1/x');
	assert.match(r.stderr, /url is a URL as coap:/);
	r = await s.run('get', 'tea');
	assert.match(r.stderr, /"tea" is no URL of CoAP, as coap:/);
	r = await s.run('get', s.at('/a b'));
	assert.match(r.stderr, /"coap:.*\/a b" is no URL of CoAP, as coap:/);
	r = await s.run('get', s.at('/x#part'));
	assert.match(r.stderr, /without a fragment/);
	for (const args of [['put', s.at('/x'), 'y', '--format', 'jsonn'], ['get', s.at('/x'), '--format', 'jsonn']]) {
		r = await s.run(...args);
		assert.equal(r.code, 1);
		assert.match(r.stderr, /no Content-Format for application\/jsonn.* text\/plain;.*application\/json, .*by its number/);
	}
	assert.equal(s.peer.requests.length, 0);
	r = await s.run('get', s.at('/silent'), '--timeout', '1s');
	assert.equal(r.code, 1);
	assert.match(r.stderr, /No answer from 127\.0\.0\.1 port \d+(: no answer for 1\d\d\d ms| within 1 s)\./);
	r = await s.run('observe', s.at('/none'));
	assert.equal(r.code, 1);
	assert.match(r.stderr, /cannot be observed: 404 Not Found/);
	for (const [args, words] of [[['put', s.at('/x'), 'y', '--file', '-'], /given twice/], [['get'], /takes one URI/],
		[['get', s.at('/x'), '--format', '65536'], /--format as a number is one of 0 to 65535/],
		[['get', s.at('/x'), '--timeout', 'soon'], /--timeout is a time/], [['observe', s.at('/x'), '--count', '0'], /above 0/],
		[['put', s.at('/x'), '--file', join(x.dir, 'none')], /No such file/], [['trace'], /there are: get, put/]]) {
		r = await s.run(...args);
		assert.equal(r.code, 2, r.stderr);
		assert.match(r.stderr, words);
	}
	s.peer.close();
	r = await s.run('get', s.at('/x'));
	assert.equal(r.code, 1);
	assert.match(r.stderr, /nobody is at the origin's port/);
});

test('an answer that is cut short is no answer', { skip: built }, async (x) => {
	const s = await shelf(x, { handler: (m, reply) => {
		const num = (number(m.get(OPTION.block2)) ?? 6) >> 4;
		reply({ code: '2.05', payload: Buffer.alloc(1024, 'x'), options: [[OPTION.etag, `e${num}`], [OPTION.block2, block(num, true, 6)]] });
		return true;
	} });
	const r = await s.run('get', s.at('/x'));
	assert.equal(r.code, 3);
	assert.match(r.stderr, /cut short/);
	assert.equal(r.stdout, '');
});

test('a wrong key is told', { skip, seconds: 90 }, async (x) => {
	const { server, daemon } = await kiosk(x, { scheme: 'coaps', psk: 'wrong', 'connect-timeout-ms': 4000 });
	const r = await daemon.cli('coap', 'get', `coaps://127.0.0.1:${server.port + 1}/time`);
	assert.equal(r.code, 1);
	assert.match(r.stderr, /key|identity|alert/);
});

test('completion offers the URLs of CoAP origins', { skip: built }, async (x) => {
	const s = await shelf(x);
	const r = await run(holdfast, ['complete', '--', '--socket', s.daemon.control, 'coap', 'get', '']);
	assert.ok(r.stdout.split('\n').includes(s.at('')), r.stdout);
});

test('a build without CoAP says so', { skip: process.env.HF_COAP ? 'built with CoAP' : false }, async (x) => {
	const daemon = await Daemon.create(x, { origins: [{ url: 'http://127.0.0.1:9' }] });
	const r = await daemon.cli('coap', 'get', 'coap://127.0.0.1/x');
	assert.equal(r.code, 1);
	assert.equal(r.stderr, 'holdfast: This holdfastd is built without CoAP (HF_COAP).\n');
});

suite('holdfast coap');
