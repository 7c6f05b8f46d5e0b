/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies that are long, slow or endless, and connections that become tunnels. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { once } from 'node:events';
import { test, suite, sleep, until, sanitized } from './lib/harness.mjs';
import { Raw } from './lib/raw.mjs';
import { pair, rawPair, HEAD } from './lib/proxy.mjs';

const MIB = 1024 * 1024;
const LARGE = (Number(process.env.HF_LARGE_MIB) || (sanitized ? 64 : 1024)) * MIB;
const RSS_GROWTH_KB = sanitized ? 64 * 1024 : 3 * 1024;

/* Bytes that differ from piece to piece, without keeping them. */
const PIECE = randomBytes(256 * 1024);

function watchRss(daemon) {
	let peak = 0;
	const timer = setInterval(() => {
		peak = Math.max(peak, daemon.rssKb());
	}, 20);
	return () => {
		clearInterval(timer);
		return Math.max(peak, daemon.rssKb());
	};
}

const writeAll = async (stream, total) => {
	for (let sent = 0; sent < total; sent += PIECE.length) {
		if (!stream.write(PIECE))
			await new Promise((resolve, reject) => {
				stream.once('drain', resolve);
				stream.once('close', () => reject(new Error('closed while writing')));
			});
	}
};

test('a large download passes with flat memory', { seconds: 60 }, async (x) => {
	const { daemon } = await pair(x, { origin: { stream(req, res) {
		res.writeHead(200, { 'Content-Length': LARGE });
		writeAll(res, LARGE).then(() => res.end()).catch(() => {});
		return true;
	} } });
	await daemon.get('/.holdfast/status');
	const before = daemon.rssKb();
	const stop = watchRss(daemon);
	const socket = connect(daemon.port, '127.0.0.1');
	socket.write(HEAD(daemon, 'GET /large', 'Connection: close'));
	const begin = performance.now();
	let bytes = 0;
	for await (const d of socket)
		bytes += d.length;
	const seconds = (performance.now() - begin) / 1000;
	const peak = stop();
	x.say(`download of ${LARGE / MIB} MiB: ${(LARGE / MIB / seconds).toFixed(0)} MiB/s, RSS ${before} kB before, ${peak} kB at most`);
	assert.ok(bytes > LARGE && bytes < LARGE + 2000, `${bytes}`);
	assert.ok(peak - before < RSS_GROWTH_KB, `RSS grew from ${before} to ${peak} kB`);
});

test('a large upload passes with flat memory', { seconds: 60 }, async (x) => {
	let got = 0;
	const { daemon } = await pair(x, { origin: { stream(req, res) {
		req.on('data', (d) => (got += d.length));
		req.on('end', () => res.end('thanks'));
		return true;
	} } });
	await daemon.get('/.holdfast/status');
	const before = daemon.rssKb();
	const stop = watchRss(daemon);
	const raw = await Raw.open(daemon.port);
	x.defer(() => raw.close());
	const begin = performance.now();
	raw.send(HEAD(daemon, 'PUT /large', `Content-Length: ${LARGE}`));
	await writeAll(raw.socket, LARGE);
	const answer = await raw.answer({ ms: 30000 });
	const seconds = (performance.now() - begin) / 1000;
	const peak = stop();
	x.say(`upload of ${LARGE / MIB} MiB: ${(LARGE / MIB / seconds).toFixed(0)} MiB/s, RSS ${before} kB before, ${peak} kB at most`);
	assert.equal(answer.status, 200);
	assert.equal(got, LARGE);
	assert.ok(peak - before < RSS_GROWTH_KB, `RSS grew from ${before} to ${peak} kB`);
});

test('a reader that is slow slows the origin down', async (x) => {
	let sent = 0, over = false;
	const total = 64 * MIB;
	const { daemon } = await pair(x, { origin: { stream(req, res) {
		res.writeHead(200, { 'Content-Length': total });
		(async () => {
			for (; sent < total; sent += PIECE.length) {
				if (!res.write(PIECE))
					await once(res, 'drain');
			}
			over = true;
			res.end();
		})().catch(() => {});
		return true;
	} } });
	await daemon.get('/.holdfast/status');
	const before = daemon.rssKb();
	const socket = connect({ port: daemon.port, host: '127.0.0.1' });
	x.defer(() => socket.destroy());
	socket.pause();
	socket.write(HEAD(daemon, 'GET /large', 'Connection: close'));
	let last = -1;
	await until(() => {
		const still = sent > 0 && sent === last;
		last = sent;
		return still;
	}, { every: 700, what: 'the origin waits' });
	assert.ok(!over && sent < 48 * MIB, `${sent}`);
	assert.ok(daemon.rssKb() - before < RSS_GROWTH_KB);
	assert.equal((await daemon.get('/.holdfast/status')).status, 200);
	let bytes = 0;
	for await (const d of socket)
		bytes += d.length;
	assert.ok(bytes > total);
});

test('an origin that is slow to read slows the panel down', async (x) => {
	let req1;
	const total = 48 * MIB;
	const { daemon } = await pair(x, { origin: { stream(req, res) {
		req1 = req;
		req.pause();
		req.on('end', () => res.end('thanks'));
		return true;
	} } });
	await daemon.get('/.holdfast/status');
	const before = daemon.rssKb();
	const raw = await Raw.open(daemon.port);
	x.defer(() => raw.close());
	let sent = 0;
	raw.send(HEAD(daemon, 'PUT /large', `Content-Length: ${total}`));
	const sending = (async () => {
		for (; sent < total; sent += PIECE.length) {
			if (!raw.socket.write(PIECE))
				await once(raw.socket, 'drain');
		}
	})();
	await until(() => req1);
	await sleep(1500);
	assert.ok(sent < 40 * MIB, `${sent}`);
	assert.ok(daemon.rssKb() - before < RSS_GROWTH_KB);
	let got = 0;
	req1.on('data', (d) => (got += d.length));
	req1.resume();
	await sending;
	assert.equal((await raw.answer({ ms: 20000 })).status, 200);
	assert.equal(got, total);
});

test('Server-Sent Events pass as they come', async (x) => {
	let stream;
	const { daemon } = await pair(x, { origin: { stream(req, res) {
		res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
		res.write(': hello\n\n');
		stream = res;
		return true;
	} } });
	const raw = await Raw.open(daemon.port);
	x.defer(() => raw.close());
	raw.send(HEAD(daemon, 'GET /events', 'Accept: text/event-stream'));
	await raw.wait(() => raw.bytes.includes('hello'));
	const delays = [];
	for (let i = 0; i < 10; i++) {
		const begin = performance.now();
		stream.write(`data: ${i}.\n\n`);
		assert.ok(await raw.wait(() => raw.bytes.includes(`data: ${i}.`)));
		delays.push(performance.now() - begin);
		await sleep(20);
	}
	delays.sort((a, b) => a - b);
	x.say(`an event passes in ${delays[5].toFixed(1)} ms (median of 10)`);
	assert.ok(delays[5] < 1000);
	assert.ok(!raw.ended);
});

test('small pieces of any answer come without waiting for more', async (x) => {
	let stream;
	const { daemon } = await pair(x, { origin: { stream(req, res) {
		res.writeHead(200, { 'Content-Type': 'text/plain' });
		res.write('first');
		stream = res;
		return true;
	} } });
	const raw = await Raw.open(daemon.port);
	x.defer(() => raw.close());
	raw.send(HEAD(daemon, 'GET /slow'));
	assert.ok(await raw.wait(() => raw.bytes.includes('first')));
	stream.write('second');
	assert.ok(await raw.wait(() => raw.bytes.includes('second')));
	stream.end();
	assert.equal((await raw.answer()).body.toString(), 'firstsecond');
});

/* ---- WebSocket, written by hand (RFC 6455) ---- */

function frame(opcode, payload, masked) {
	const n = payload.length;
	const head = n < 126 ? Buffer.from([0x80 | opcode, n]) :
		n < 65536 ? Buffer.from([0x80 | opcode, 126, n >> 8, n & 255]) :
			Buffer.concat([Buffer.from([0x80 | opcode, 127, 0, 0, 0, 0]),
				Buffer.from([n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255])]);
	if (!masked)
		return Buffer.concat([head, payload]);
	head[1] |= 0x80;
	const mask = randomBytes(4);
	const body = Buffer.from(payload);
	for (let i = 0; i < n; i++)
		body[i] ^= mask[i & 3];
	return Buffer.concat([head, mask, body]);
}

/* Takes one frame off @state.bytes: { opcode, payload }, or null. */
function unframe(state) {
	const b = state.bytes;
	if (b.length < 2)
		return null;
	let n = b[1] & 127, at = 2;
	if (n === 126) {
		if (b.length < 4)
			return null;
		n = b.readUInt16BE(2);
		at = 4;
	} else if (n === 127) {
		if (b.length < 10)
			return null;
		n = Number(b.readBigUInt64BE(2));
		at = 10;
	}
	const masked = (b[1] & 128) !== 0;
	const mask = b.subarray(at, at + 4);
	at += masked ? 4 : 0;
	if (b.length < at + n)
		return null;
	const payload = Buffer.from(b.subarray(at, at + n));
	if (masked)
		for (let i = 0; i < n; i++)
			payload[i] ^= mask[i & 3];
	state.bytes = b.subarray(at + n);
	return { opcode: b[0] & 15, payload };
}

const accept = (key) => createHash('sha1')
	.update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

function echoWebSocket(origin) {
	origin.onUpgrade = (req, socket, head) => {
		socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
			`Sec-WebSocket-Accept: ${accept(req.headers['sec-websocket-key'])}\r\n\r\n`);
		const state = { bytes: head };
		const take = () => {
			let f;
			while ((f = unframe(state)))
				socket.write(frame(f.opcode, f.payload, false));
		};
		socket.on('data', (d) => {
			state.bytes = Buffer.concat([state.bytes, d]);
			take();
		});
		socket.on('error', () => {});
		take();
	};
}

test('WebSocket: an upgrade becomes a tunnel, early bytes included', async (x) => {
	const { origin, daemon } = await pair(x);
	echoWebSocket(origin);
	const raw = await Raw.open(daemon.port);
	x.defer(() => raw.close());
	const key = randomBytes(16).toString('base64');
	raw.send(Buffer.concat([Buffer.from(HEAD(daemon, 'GET /socket', 'Connection: Upgrade',
		'Upgrade: websocket', 'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${key}`)),
	frame(1, Buffer.from('early'), true)]));
	const answer = await raw.answer();
	assert.equal(answer.status, 101);
	assert.equal(answer.headers.upgrade.toLowerCase(), 'websocket');
	assert.match(answer.headers.connection, /upgrade/i);
	assert.equal(answer.headers['sec-websocket-accept'], accept(key));
	const sizes = [5, 0, 1, 125, 126, 65535, 65536, 2 * MIB];
	let first = true;
	for (const n of sizes) {
		const payload = first ? Buffer.from('early') : randomBytes(n);
		if (!first)
			raw.send(frame(2, payload, true));
		first = false;
		let f;
		await raw.wait(() => (f = unframe(raw)), 10000);
		assert.ok(f && f.payload.equals(payload), `frame of ${n}`);
	}
	raw.send(frame(8, Buffer.from([3, 232]), true));
	await raw.wait(() => unframe(raw));
	origin.dropConnections();
	assert.ok(await raw.closed());
});

test('an upgrade that the origin declines is an ordinary answer', async (x) => {
	const { daemon } = await rawPair(x, (socket) => {
		socket.write('HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nno');
	});
	const raw = await Raw.open(daemon.port);
	x.defer(() => raw.close());
	raw.send(HEAD(daemon, 'GET /socket', 'Connection: Upgrade', 'Upgrade: websocket'));
	const answer = await raw.answer();
	assert.equal(answer.status, 426);
	assert.equal(answer.body.toString(), 'no');
});

suite('proxy_streams', 3);
