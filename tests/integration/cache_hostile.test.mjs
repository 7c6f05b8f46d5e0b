/* SPDX-License-Identifier: Apache-2.0 */
/* The caches before origins that lie, drown and confuse: bounded, and answered. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { test, suite, sanitized, sleep, until } from './lib/harness.mjs';
import { Daemon } from './lib/daemon.mjs';
import { Origin } from './lib/origin.mjs';
import { freePort } from './lib/ports.mjs';

const ROUNDS = sanitized ? 300 : 3000;

/* An origin whose answers are bytes. */
async function bytesPair(x, answer) {
	const port = await freePort();
	let requests = 0;
	const server = createServer((socket) => {
		socket.on('error', () => {});
		let text = '';
		socket.on('data', (d) => {
			text += d.toString('latin1');
			if (!text.includes('\r\n\r\n'))
				return;
			const head = text;
			text = '';
			requests++;
			answer(socket, head, requests);
		});
	});
	server.listen(port, '127.0.0.1');
	await once(server, 'listening');
	x.defer(() => server.close());
	const daemon = await Daemon.create(x, { manifest: null, origin: { name: 'o', url: `http://127.0.0.1:${port}` } });
	return { daemon, requests: () => requests };
}

const hit = (answer) => /hit/.test(answer.headers['cache-status'] ?? '');

test('more bytes than announced: what was announced is the answer', async (x) => {
	const { daemon } = await bytesPair(x, (s) =>
		s.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\nCache-Control: max-age=99\r\n\r\ngoodHTTP/1.1 200 OK\r\n' +
			'Content-Length: 4\r\nCache-Control: max-age=99\r\n\r\nevil'));
	for (let i = 0; i < 10; i++) {
		const answer = await daemon.get(`/p${i % 3}`);
		assert.equal(answer.text, 'good');
	}
});

test('fewer bytes than announced: no page takes it for whole, no cache keeps it', async (x) => {
	const { daemon, requests } = await bytesPair(x, (s) => {
		s.end(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nCache-Control: max-age=99\r\n\r\n${'x'.repeat(70000)}`);
	});
	for (let i = 0; i < 3; i++)
		await assert.rejects(daemon.get('/p'));
	assert.ok(requests() >= 3);
});

test('an end that cannot be told from a cut is passed on and not kept', async (x) => {
	const { daemon, requests } = await bytesPair(x, (s) =>
		s.end('HTTP/1.1 200 OK\r\nCache-Control: max-age=99\r\n\r\nuntil the end'));
	assert.equal((await daemon.get('/p')).text, 'until the end');
	await sleep(50);
	await daemon.get('/p');
	assert.equal(requests(), 2);
});

test('heads without end, bytes that are no field', async (x) => {
	const bad = ['HTTP/1.1 200 OK\r\n' + 'X-Y: z\r\n'.repeat(100000), `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(1 << 20)}\r\n\r\n`,
		'HTTP/1.1 200 OK\r\nCache-Control: max-age=9\0\r\nContent-Length: 0\r\n\r\n',
		'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!', 'nonsense\r\n\r\n'];
	const { daemon } = await bytesPair(x, (s, head) => s.end(bad[Number(/GET \/(\d+)/.exec(head)[1])]));
	for (let i = 0; i < bad.length; i++) {
		const answer = await daemon.get(`/${i}`);
		assert.equal(answer.status, 502, `${i}`);
		assert.ok(!hit(await daemon.get(`/${i}`)));
	}
});

test('times that make no sense', async (x) => {
	const heads = ['Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nCache-Control: max-age=60', 'Date: Fri, 31 Dec 9999 23:59:59 GMT\r\nExpires: Fri, 31 Dec 9999 23:59:59 GMT',
		'Age: 99999999999999999999\r\nCache-Control: max-age=60', 'Age: -5\r\nCache-Control: max-age=60',
		'Cache-Control: max-age=99999999999999999999', 'Cache-Control: max-age=-1', 'Expires: yesterday\r\nLast-Modified: tomorrow',
		`Cache-Control: ${'max-age=1, '.repeat(1000)}no-store`, 'Cache-Control: ,,,;;;="\\'];
	const { daemon } = await bytesPair(x, (s, head) =>
		s.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${heads[Number(/GET \/(\d+)/.exec(head)[1])]}\r\n\r\nok`));
	for (let round = 0; round < 3; round++)
		for (let i = 0; i < heads.length; i++) {
			const answer = await daemon.get(`/${i}`);
			assert.equal(answer.status, 200, `${i}`);
			assert.equal(answer.text, 'ok');
			if (hit(answer))
				assert.match(answer.headers.age, /^\d{1,10}$/);
		}
});

test('thousands of variants and of addresses take bounded memory', async (x) => {
	const origin = await Origin.create(x, { keep: false });
	origin.handler = (req, res) => res.writeHead(200, { Vary: req.url === '/star' ? '*' : 'X-V', 'Cache-Control': 'max-age=999' })
		.end(`${req.url} ${req.headers['x-v'] ?? ''} ${'p'.repeat(2000)}`);
	const daemon = await Daemon.create(x, { manifest: null, origin });
	const ask = async (path, v) => {
		const answer = await daemon.get(path, v === undefined ? {} : { 'X-V': String(v) });
		assert.ok(answer.text.startsWith(`${path} ${v ?? ''} `), `${path} ${v}: ${answer.text.slice(0, 40)}`);
		return answer;
	};
	await ask('/v', 0);
	await ask('/u0');
	const before = daemon.rssKb();
	for (let n = 0; n < ROUNDS; n += 20)
		await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? ask('/v', n + i) : ask(`/u${n + i}`))));
	const grown = daemon.rssKb() - before;
	assert.ok(sanitized || grown < 5 * 1024, `${grown} KiB more`);
	await ask('/star');
	await sleep(50);
	assert.ok(!hit(await ask('/star')));
	await ask('/v', 'last');
	await until(async () => hit(await ask('/v', 'last')));
}, { seconds: 240 });

test('a bomb in gzip stays as small as it is', async (x) => {
	const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024));
	const origin = await Origin.create(x);
	origin.handler = (req, res) => res.writeHead(200, { 'Content-Encoding': 'gzip', 'Cache-Control': 'max-age=99' }).end(bomb);
	const daemon = await Daemon.create(x, { manifest: null, origin });
	const before = daemon.rssKb();
	for (let i = 0; i < 5; i++)
		assert.equal((await daemon.get('/bomb')).body.length, bomb.length);
	assert.ok(sanitized || daemon.rssKb() - before < 4 * 1024);
});

suite('hostile origins and caches');
