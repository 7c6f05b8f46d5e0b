/* SPDX-License-Identifier: Apache-2.0 */
/* The transport of firmware/net against real servers: Node's and openssl's. */
import { test, after } from 'node:test';
import assert from 'node:assert';
import { spawn, execFile } from 'node:child_process';
import { createServer as createHttps } from 'node:https';
import { createServer as createHttp } from 'node:http';
import { createServer as createTcp, connect } from 'node:net';
import { mkdtempSync, mkdirSync, copyFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { Authority } from '../lib/certs.mjs';

const bin = process.env.HF_NET_CLIENT;
const sanitized = process.env.HF_SANITIZE === '1';
const dir = mkdtempSync(join(tmpdir(), 'hf-net-'));
const ca = new Authority(join(dir, 'ca'));
const otherCa = new Authority(join(dir, 'other'), 'Other CA');
const good = ca.issue('good', { names: ['shop.test', '127.0.0.1'] });
const wrong = ca.issue('wrong', { names: ['other.test', 'third.test'] });
const expired = ca.issue('expired', { names: ['127.0.0.1'], from: -20, to: -10 });
const future = ca.issue('future', { names: ['127.0.0.1'], from: 10, to: 20 });
const unknown = otherCa.issue('unknown', { names: ['127.0.0.1'] });
const client = ca.issue('client', { names: ['device'], client: true });
const bundle = '/etc/ssl/certs/ca-certificates.crt';
const GiB = 1024 ** 3;
const big = sanitized ? GiB / 16 : GiB;

after(() => rmSync(dir, { recursive: true, force: true }));

function run(...args) {
	return new Promise((done) => {
		/* what malloc keeps for itself would count as used */
		const env = { ...process.env, GLIBC_TUNABLES: 'glibc.malloc.tcache_count=0' };
		execFile(bin, args.map(String), { maxBuffer: 1 << 24, env }, (err, stdout, stderr) => {
			assert.ok(!err || err.code === 0, `${args.join(' ')}: ${err} ${stdout} ${stderr}`);
			done(stdout);
		});
	});
}

function figure(out, name) {
	return Number(new RegExp(`${name}=(\\d+)`).exec(out)?.[1]);
}

async function listen(server) {
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	server.unref();
	return server.address().port;
}

async function freePort() {
	const server = createTcp();
	const port = await listen(server);
	await new Promise((done) => server.close(done));
	return port;
}

/* Counts what it is sent; /big answers that many bytes. */
function handler(req, res) {
	let got = 0;
	req.on('data', (piece) => (got += piece.length));
	req.on('end', () => {
		const n = Number(req.url.slice(1)) || 0;
		if (n === 0) return void res.end(String(got));
		const piece = Buffer.alloc(262144);
		let left = n;
		const more = () => {
			while (left > 0) {
				const size = Math.min(left, piece.length);
				left -= size;
				if (!res.write(piece.subarray(0, size))) return void res.once('drain', more);
			}
			res.end();
		};
		more();
	});
}

async function https(x, own, options = {}) {
	const server = createHttps({ key: own.key, cert: own.cert, ...options }, handler);
	const port = await listen(server);
	x.after(() => server.closeAllConnections());
	return port;
}

async function opensslServer(x, own, ...args) {
	const port = await freePort();
	const child = spawn('openssl', ['s_server', '-accept', `127.0.0.1:${port}`, '-cert', own.certFile,
		'-key', own.keyFile, '-www', ...args], { stdio: 'ignore' });
	x.after(() => child.kill());
	for (let i = 0; i < 1000; i++) {
		if (await new Promise((done) => {
			const s = connect(port, '127.0.0.1', () => (s.destroy(), done(true)));
			s.on('error', () => done(false));
		})) break;
		await new Promise((done) => setTimeout(done, 30));
	}
	return port;
}

const tls = (port, ...more) => run('127.0.0.1', port, '--tls', '--ca-file', ca.file, ...more);

async function refused(x, own, end, detail, ...more) {
	const out = await tls(await https(x, own), ...more);
	assert.match(out, new RegExp(`^status=0 end=${end} sent=none request=0 `, 'm'));
	assert.match(out, detail);
}

test('a good certificate, by address and by name', async (x) => {
	const port = await https(x, good);
	assert.match(await tls(port), /^status=200 end=complete/m);
	assert.match(await tls(port, '--name', 'shop.test'), /^status=200 end=complete/m);
});

test('a wrong name says which names there are', (x) =>
	refused(x, wrong, 'tls-cert', /certificate is for other\.test, third\.test, not for 127\.0\.0\.1/));
test('an address is no DNS name', (x) =>
	refused(x, good, 'tls-cert', /certificate is for shop\.test, 127\.0\.0\.1, not for 127\.0\.0\.2/,
		'--name', '127.0.0.2'));
test('an expired certificate', (x) =>
	refused(x, expired, 'tls-time', /expired on \d{4}-\d\d-\d\d \(now \d{4}-\d\d-\d\d, clock: \w+\)/));
test('a certificate not valid yet', (x) => refused(x, future, 'tls-time', /not valid before \d{4}/));
test('a clock that was never set', (x) =>
	refused(x, good, 'tls-time', /not valid before .*now 1970-01-01, clock: unset/, '--clock', 5, 'unset'));
test('wrong dates and a wrong name are no matter of time', (x) =>
	refused(x, wrong, 'tls-cert', /not for 127\.0\.0\.1.*not valid before|not valid before.*not for/,
		'--clock', 5, 'unset'));
test('an unknown issuer', (x) => refused(x, unknown, 'tls-cert', /unknown issuer: CN=Other CA/));
test('a client\'s certificate on a server', (x) => refused(x, client, 'tls-cert', /./));
test('a pin that fits, one of two, and one of the CA', async (x) => {
	const port = await https(x, good);
	const bad = Buffer.alloc(32).toString('base64');
	assert.match(await tls(port, '--pin', good.pin), /^status=200/m);
	assert.match(await tls(port, '--pin', bad, '--pin', good.pin), /^status=200/m);
});
test('a pin that does not fit says what the server has', (x) =>
	refused(x, good, 'tls-cert', new RegExp(`no pin matches, the server's is ${good.pin.replace(/[+/]/g, '.')}`),
		'--pin', Buffer.alloc(32).toString('base64')));
test('pins as the only trust', async (x) => {
	const port = await https(x, unknown);
	assert.match(await run('127.0.0.1', port, '--tls', '--pin', unknown.pin), /^status=200/m);
	assert.match(await run('127.0.0.1', port, '--tls', '--pin', good.pin), /end=tls-cert sent=none/);
});
test('a pinned certificate that did not sign is worth nothing', async (x) => {
	/* the chain shows the pinned one above a stranger's */
	const port = await https(x, { key: unknown.key, cert: Buffer.concat([unknown.cert, good.cert]) });
	assert.match(await run('127.0.0.1', port, '--tls', '--pin', good.pin), /end=tls-cert sent=none/);
});
test('nothing to trust is a fault of the configuration', async () => {
	assert.match(await run('127.0.0.1', 1, '--tls'), /^fault=ca-file: /m);
	assert.match(await run('127.0.0.1', 1, '--tls', '--ca-file', '/nowhere'), /^fault=ca-file: cannot read \/nowhere/m);
	writeFileSync(join(dir, 'empty.pem'), 'nothing');
	assert.match(await run('127.0.0.1', 1, '--tls', '--ca-file', join(dir, 'empty.pem')),
		/^fault=ca-file: no certificate in/m);
	assert.match(await tls(1, '--cert', client.certFile, '--key', good.keyFile),
		/^fault=client-key: .* does not belong to/m);
});
test('a folder of CAs', async (x) => {
	const cas = join(dir, 'cas');
	mkdirSync(cas);
	copyFileSync(otherCa.file, join(cas, 'a.pem'));
	copyFileSync(ca.file, join(cas, 'b.crt'));
	writeFileSync(join(cas, 'notes.txt'), 'no certificate');
	const out = await run('127.0.0.1', await https(x, good), '--tls', '--ca-dir', cas);
	assert.match(out, /^status=200/m);
});

for (const version of ['TLSv1.2', 'TLSv1.3']) {
	const only = { minVersion: version, maxVersion: version };

	test(`${version} only, and sessions are resumed`, async (x) => {
		const port = await https(x, good, only);
		const out = await tls(port, '--repeat', 3, '--close', '--apart', 30);
		const opens = out.match(/^tls\.open.*/gm);
		assert.deepEqual(opens.map((l) => /resumed=(\d)/.exec(l)[1]), ['0', '1', '1'], out);
		assert.ok(opens.every((l) => l.includes(`version=${version}`)));
		assert.equal(out.match(/^status=200/gm).length, 3);
	});

	test(`${version}: openssl resumes too`, async (x) => {
		const port = await opensslServer(x, good, version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3');
		const out = await tls(port, '--repeat', 2, '--close', '--apart', 30);
		assert.match(out.match(/^tls\.open.*/gm)[1], /resumed=1/);
		assert.equal(out.match(/^status=200 end=complete/gm).length, 2, out);
	});

	test(`${version}: a client certificate`, async (x) => {
		const port = await https(x, good, { ...only, requestCert: true, rejectUnauthorized: true, ca: [
			(await import('node:fs')).readFileSync(ca.file)] });
		assert.match(await tls(port, '--cert', client.certFile, '--key', client.keyFile), /^status=200/m);
		const out = await tls(port);
		assert.match(out, /^status=0 end=(tls|reset|refused) /m);
	});

	test(`${version}: openssl says that it wants a client certificate`, async (x) => {
		const port = await opensslServer(x, good, '-Verify', '2', '-verify_return_error', '-CAfile', ca.file,
			version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3');
		assert.match(await tls(port), /^status=0 end=tls .*alert \d+ from the server: .*client certificate/m);
	});
}

test('too old a protocol', async (x) => {
	const port = await opensslServer(x, good, '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0');
	assert.match(await tls(port), /^status=0 end=tls sent=none .*(TLS 1\.2|alert 70|protocol version)/m);
});
test('a server without TLS', async (x) => {
	const server = createHttp(handler);
	const port = await listen(server);
	x.after(() => server.closeAllConnections());
	assert.match(await tls(port), /end=tls sent=none .*does not speak TLS/);
});
test('a server that is silent in the handshake', async () => {
	const server = createTcp((s) => s.on('error', () => {}));
	const port = await listen(server);
	assert.match(await tls(port, '--timeout', 300), /end=refused sent=none .*TLS with .*no answer within 300 ms/);
});
test('a server that cuts the handshake', async () => {
	const server = createTcp((s) => s.on('error', () => {}).once('data', () => s.destroy()));
	assert.match(await tls(await listen(server)), /end=refused sent=none .*err=ECONNRESET/);
});
test('an early close without close_notify is no complete answer', async () => {
	const ends = async (leave) => tls(await listen(createTcp((tcp) => {
		const s = new TLSSocket(tcp, { isServer: true, key: good.key, cert: good.cert });
		s.on('error', () => {}).once('data', () => s.write('HTTP/1.1 200 OK\r\n\r\nhalf', () => leave(s)));
	})));
	assert.match(await ends((s) => s.destroy()), /^status=200 end=truncated /m);
	assert.match(await ends((s) => s.end()), /^status=200 end=complete /m);
});

test('a bundle of many CAs costs its DER and an index', { skip: !existsSync(bundle) }, async (x) => {
	const port = await https(x, good);
	const both = join(dir, 'both.pem');
	const { readFileSync } = await import('node:fs');
	writeFileSync(both, Buffer.concat([readFileSync(bundle), readFileSync(ca.file)]));
	const out = await run('127.0.0.1', port, '--tls', '--ca-file', both);
	assert.match(out, /^status=200/m);
	const der = readFileSync(both, 'latin1').split('-----BEGIN').slice(1)
		.reduce((n, text) => n + Buffer.from(text.split('-----')[1], 'base64').length, 0);
	x.diagnostic(`heap of the client: ${figure(out, 'heap_client')} bytes, DER ${der}`);
	if (!sanitized) assert.ok(figure(out, 'heap_client') < der + 16384, out);
});

test('the memory of one connection', async (x) => {
	for (const version of ['TLSv1.2', 'TLSv1.3']) {
		const out = await tls(await https(x, good, { minVersion: version, maxVersion: version }), '--apart', 100);
		x.diagnostic(`${version}: one idle connection and its session: ${figure(out, 'heap_used')} bytes`);
		if (!sanitized) assert.ok(figure(out, 'heap_used') < 64 * 1024, out);
	}
	const server = createHttp(handler);
	const port = await listen(server);
	x.after(() => server.closeAllConnections());
	const out = await run('127.0.0.1', port, '--apart', 100);
	x.diagnostic(`cleartext: ${figure(out, 'heap_used')} bytes`);
});

for (const [name, secure] of [['clear', false], ['tls', true]]) {
	const serve = async (x) => {
		if (secure) return https(x, good);
		const server = createHttp(handler);
		const port = await listen(server);
		x.after(() => server.closeAllConnections());
		return port;
	};
	const ask = (port, ...more) => secure ? tls(port, ...more) : run('127.0.0.1', port, ...more);
	const flat = (out) => sanitized || figure(out, 'rss_max_kib') < 16 * 1024;

	test(`${name}: large answers with flat memory`, async (x) => {
		const out = await ask(await serve(x), '--target', `/${big}`, '--slow');
		assert.match(out, new RegExp(`^status=200 end=complete sent=all request=\\d+ body=${big} `, 'm'));
		x.diagnostic(`${big} bytes, RSS at most ${figure(out, 'rss_max_kib')} KiB`);
		assert.ok(flat(out), out);
	});
	for (const kind of [[], ['--chunked']]) {
		test(`${name}: large requests with flat memory ${kind}`, async (x) => {
			const out = await ask(await serve(x), '--upload', big, ...kind);
			assert.match(out, new RegExp(`^status=200 end=complete sent=all request=\\d+ body=${String(big).length} `, 'm'));
			x.diagnostic(`${big} bytes, RSS at most ${figure(out, 'rss_max_kib')} KiB`);
			assert.ok(flat(out), out);
		});
	}
	test(`${name}: one connection serves many`, async (x) => {
		const out = await ask(await serve(x), '--repeat', 200);
		assert.match(out, /^opened=1 reused=199 idle=1/m);
	});
}

test('refused, and a name that is not', async () => {
	assert.match(await run('127.0.0.1', await freePort()), /end=refused sent=none .*connection refused/);
	assert.match(await run('nowhere.invalid', 80, '--timeout', 20000), /end=dns sent=none/);
});
