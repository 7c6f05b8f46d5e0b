/* SPDX-License-Identifier: Apache-2.0 */
/* A reverse proxy that a browser can live behind. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { test, suite, sleep, until } from './lib/harness.mjs';
import { Origin, sha256 } from './lib/origin.mjs';
import { Daemon, queuedRoute } from './lib/daemon.mjs';
import { keepAliveAgent, fieldValues } from './lib/http.mjs';
import { Raw } from './lib/raw.mjs';
import { pair, rawPair, HEAD } from './lib/proxy.mjs';

test('one connection carries many requests, one origin connection too', async (x) => {
	const { origin, daemon } = await pair(x);
	const agent = keepAliveAgent();
	x.defer(() => agent.destroy());
	for (let i = 0; i < 20; i++) {
		const answer = await daemon.request({ path: `/x/${i}`, agent });
		assert.equal(answer.status, 200);
		assert.equal(answer.json().path, `/x/${i}`);
		assert.equal(answer.headers.connection ?? 'keep-alive', 'keep-alive');
	}
	assert.equal(origin.connections, 1);
});

test('pipelined requests are answered in order', async (x) => {
	const { origin, daemon } = await pair(x);
	origin.handler = async (req, res, a, o) => {
		await sleep(req.url === '/p/0' ? 100 : 0);
		await o.reply(req, res, a, {});
	};
	const raw = await Raw.open(daemon.port);
	x.defer(() => raw.close());
	raw.send([0, 1, 2, 3, 4].map((i) => HEAD(daemon, `GET /p/${i}`)).join('') +
		HEAD(daemon, 'POST /p/5', 'Content-Length: 5') + 'hello' + HEAD(daemon, 'GET /p/6'));
	for (let i = 0; i < 7; i++) {
		const answer = await raw.answer();
		assert.equal(answer.status, i === 5 ? 201 : 200);
		if (i !== 5)
			assert.equal(JSON.parse(answer.body).path, `/p/${i}`);
	}
	assert.equal(origin.got('/p/5')[0].body.toString(), 'hello');
});

test('chunked bodies pass both ways', async (x) => {
	const { origin, daemon } = await pair(x);
	const parts = Array.from({ length: 40 }, () => randomBytes(1 + Math.floor(Math.random() * 20000)));
	origin.handler = (req, res, a) => {
		res.writeHead(200, { 'X-Framing': req.headers['transfer-encoding'] ?? 'length' });
		for (let i = 0; i < a.body.length; i += 7000)
			res.write(a.body.subarray(i, i + 7000));
		res.end();
	};
	async function* body() {
		yield* parts;
	}
	const answer = await daemon.request({ method: 'PUT', path: '/echo', body: body() });
	assert.equal(answer.headers['transfer-encoding'], 'chunked');
	assert.equal(answer.headers['x-framing'], 'chunked');
	assert.equal(sha256(answer.body), sha256(Buffer.concat(parts)));
});

test('HEAD has the fields of GET and no body; the connection goes on', async (x) => {
	const { origin, daemon } = await pair(x);
	origin.handler = (req, res) => {
		res.writeHead(200, { 'Content-Length': '1234', 'Content-Type': 'text/plain', ETag: '"v1"' });
		res.end(req.method === 'HEAD' ? undefined : 'x'.repeat(1234));
	};
	const raw = await Raw.open(daemon.port);
	x.defer(() => raw.close());
	raw.send(HEAD(daemon, 'HEAD /page'));
	const head = await raw.answer({ head: true });
	assert.equal(head.status, 200);
	assert.equal(head.headers['content-length'], '1234');
	assert.equal(head.headers.etag, '"v1"');
	raw.send(HEAD(daemon, 'GET /page'));
	const get = await raw.answer();
	assert.equal(get.body.length, 1234);
});

test('204 and 304 have no body', async (x) => {
	const { origin, daemon } = await pair(x);
	origin.handler = (req, res) => {
		res.writeHead(req.url === '/304' ? 304 : 204, { ETag: '"v1"' });
		res.end();
	};
	const raw = await Raw.open(daemon.port);
	x.defer(() => raw.close());
	for (const path of ['/204', '/304', '/204']) {
		raw.send(HEAD(daemon, `GET ${path}`, 'If-None-Match: "v1"'));
		const answer = await raw.answer();
		assert.equal(answer.status, Number(path.slice(1)));
		assert.equal(answer.headers.etag, '"v1"');
		assert.equal(answer.headers['transfer-encoding'], undefined);
		if (path === '/204')
			assert.equal(answer.headers['content-length'], undefined);
	}
	assert.equal(raw.bytes.length, 0);
});

test('Expect: 100-continue is answered before the body is sent', async (x) => {
	const { origin, daemon } = await pair(x, { origin: {
		expectContinue: (req, res, serve) => {
			res.writeContinue();
			serve(req, res);
		} }, manifest: { name: 'k', version: '1', routes: [queuedRoute('/api/orders', 'orders')] } });
	for (const path of ['/plain', '/api/orders']) {
		const raw = await Raw.open(daemon.port);
		raw.send(HEAD(daemon, `POST ${path}`, 'Content-Length: 4', 'Expect: 100-continue'));
		const go = await raw.answer();
		assert.equal(go?.status, 100, path);
		raw.send('body');
		assert.equal((await raw.answer()).status, 201, path);
		raw.close();
		assert.equal(origin.got(path)[0].body.toString(), 'body');
	}
});

test('Expect: 100-continue: a refusal of the origin comes instead of 100', async (x) => {
	const { daemon } = await pair(x, { origin: {
		expectContinue: (req, res) => {
			res.writeHead(403, { 'Content-Length': '0' });
			res.end();
		} } });
	const raw = await Raw.open(daemon.port);
	x.defer(() => raw.close());
	raw.send(HEAD(daemon, 'POST /plain', 'Content-Length: 4', 'Expect: 100-continue'));
	assert.equal((await raw.answer()).status, 403);
});

test('103 Early Hints pass', async (x) => {
	const { daemon } = await rawPair(x, (socket) => {
		socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n' +
			'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
	});
	const answer = await daemon.get('/');
	assert.equal(answer.status, 200);
	assert.equal(answer.interim[0].statusCode, 103);
	assert.equal(answer.interim[0].headers.link, '</a.css>; rel=preload');
});

test('trailers pass both ways', async (x) => {
	const { origin, daemon } = await pair(x);
	origin.handler = (req, res) => {
		res.writeHead(200, { Trailer: 'X-Sum' });
		res.write('body');
		res.addTrailers({ 'X-Sum': 'abc' });
		res.end();
	};
	const raw = await Raw.open(daemon.port);
	x.defer(() => raw.close());
	raw.send(HEAD(daemon, 'PUT /t', 'Transfer-Encoding: chunked', 'Trailer: X-Check', 'TE: trailers') +
		'4\r\nbody\r\n0\r\nX-Check: 42\r\n\r\n');
	const answer = await raw.answer();
	assert.equal(answer.body.toString(), 'body');
	assert.equal(answer.trailers['x-sum'], 'abc');
	assert.equal(origin.got('/t')[0].trailers['x-check'], '42');
});

test('hop-by-hop fields end here, both ways', async (x) => {
	const { origin, daemon } = await pair(x);
	origin.handler = (req, res) => {
		res.writeHead(200, { Connection: 'X-Secret', 'X-Secret': 'hop', 'Keep-Alive': 'timeout=9',
			'Proxy-Authenticate': 'Basic', 'X-Kept': 'yes', 'Content-Length': '0' });
		res.end();
	};
	const raw = await Raw.open(daemon.port);
	x.defer(() => raw.close());
	raw.send(HEAD(daemon, 'GET /hop', 'Connection: keep-alive, X-Private', 'X-Private: hop',
		'Keep-Alive: timeout=5', 'Proxy-Connection: keep-alive', 'Proxy-Authorization: Basic eDp5',
		'TE: gzip', 'X-Kept: yes'));
	const answer = await raw.answer();
	const { headers } = origin.got('/hop')[0];
	for (const name of ['x-private', 'keep-alive', 'proxy-connection', 'proxy-authorization', 'te'])
		assert.equal(headers[name], undefined, name);
	assert.equal(headers['x-kept'], 'yes');
	for (const name of ['x-secret', 'keep-alive', 'proxy-authenticate'])
		assert.equal(answer.headers[name], undefined, name);
	assert.equal(answer.headers['x-kept'], 'yes');
});

test('Via and Forwarded are added, Host is the origin\'s', async (x) => {
	const { origin, daemon } = await pair(x);
	const answer = await daemon.request({ path: '/v', headers: { Host: `localhost:${daemon.port}`,
		Via: '1.0 older' } });
	const { headers } = origin.got('/v')[0];
	assert.equal(headers.via, '1.0 older, 1.1 holdfast');
	assert.equal(headers.host, `127.0.0.1:${origin.port}`);
	assert.equal(headers.forwarded, `for=127.0.0.1;host="localhost:${daemon.port}";proto=http`);
	assert.match(answer.headers.via, /\b1\.1 holdfast\b/);
});

test('a loop is seen: 508', async (x) => {
	const { daemon } = await pair(x);
	const answer = await daemon.request({ path: '/', headers: { Via: '1.1 holdfast' } });
	assert.ok([502, 508].includes(answer.status), `${answer.status}`);
});

test('Location, cookies and Origin change names on the way', async (x) => {
	const { origin, daemon } = await pair(x);
	origin.handler = (req, res) => {
		res.writeHead(302, { Location: `http://127.0.0.1:${origin.port}/next?x=1`,
			'Set-Cookie': ['a=1; Domain=127.0.0.1; Path=/', 'b=2; HttpOnly'] });
		res.end();
	};
	const host = `localhost:${daemon.port}`;
	const answer = await daemon.request({ path: '/', headers: { Host: host, Origin: `http://${host}`,
		Referer: `http://${host}/page` } });
	assert.equal(answer.headers.location, `http://${host}/next?x=1`);
	assert.doesNotMatch(answer.headers['set-cookie'][0], /domain/i);
	assert.equal(answer.headers['set-cookie'][1], 'b=2; HttpOnly');
	const { headers } = origin.got('/')[0];
	assert.equal(headers.origin, origin.url);
	assert.equal(headers.referer, `${origin.url}/page`);

	origin.handler = (req, res) => {
		res.writeHead(302, { Location: 'https://elsewhere.example/' });
		res.end();
	};
	assert.equal((await daemon.get('/')).headers.location, 'https://elsewhere.example/');
	origin.handler = (req, res) => {
		res.writeHead(302, { Location: '/relative' });
		res.end();
	};
	assert.equal((await daemon.get('/')).headers.location, '/relative');
});

test('an origin that stops in the middle of a body: the answer is cut, not completed', async (x) => {
	const answers = {
		'/length': 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this',
		'/chunked': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n',
		'/badchunk': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\nzz\r\n',
	};
	const { daemon } = await rawPair(x, (socket, head) => {
		socket.end(answers[head.split(' ')[1]], 'latin1');
	});
	for (const path of Object.keys(answers)) {
		await assert.rejects(daemon.get(path), /aborted|cut short|socket hang up|ECONNRESET/, path);
		const raw = await Raw.open(daemon.port);
		raw.send(HEAD(daemon, `GET ${path}`));
		assert.ok(await raw.closed(), path);
		assert.match(raw.bytes.toString('latin1'), /only this/, path);
		assert.doesNotMatch(raw.bytes.toString('latin1'), /\r\n0\r\n\r\n$/, path);
	}
});

test('an answer that ends with the connection passes whole', async (x) => {
	const { daemon } = await rawPair(x, (socket) => {
		socket.end('HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold server');
	});
	const answer = await daemon.get('/');
	assert.equal(answer.text, 'old server');
	assert.match(answer.headers.via, /1\.0 holdfast/);
});

test('answers that are not HTTP are 502', async (x) => {
	const lines = {
		'/garbage': 'nonsense\r\n\r\n',
		'/two-lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk',
		'/both': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
		'/fold': 'HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n',
		'/empty': '',
		'/huge': `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(200000)}\r\n\r\n`,
	};
	const { daemon } = await rawPair(x, (socket, head) => {
		socket.end(lines[head.split(' ')[1]], 'latin1');
	});
	for (const path of Object.keys(lines)) {
		const answer = await daemon.get(path);
		assert.equal(answer.status, 502, path);
		assert.equal(answer.headers['content-type'], 'application/problem+json', path);
		assert.match(answer.headers['proxy-status'], /^holdfast; error=/, path);
	}
});

test('a connection gone stale in the pool is not the page\'s problem', async (x) => {
	const { origin, daemon } = await pair(x);
	for (let i = 0; i < 5; i++) {
		assert.equal((await daemon.get('/a')).status, 200);
		await origin.stop();
		await origin.start();
		assert.equal((await daemon.get('/b')).status, 200, `round ${i}`);
		origin.dropConnections();
		assert.equal((await daemon.post('/c')).status, 201, `round ${i}`);
	}
});

test('the panel leaves: the origin\'s exchange ends too', async (x) => {
	let closed = false;
	const { daemon } = await pair(x, { origin: { stream(req, res) {
		res.writeHead(200);
		res.write('x');
		res.on('close', () => (closed = true));
		return true;
	} } });
	const raw = await Raw.open(daemon.port);
	raw.send(HEAD(daemon, 'GET /'));
	assert.ok(await raw.wait(() => raw.bytes.includes('\r\n\r\n')));
	raw.close();
	await until(() => closed, { what: 'the exchange at the origin ended' });
});

test('it listens on IPv6 and reaches an origin by IPv6', async (x) => {
	const origin = await Origin.create(x, { host: '::1', name: '[::1]' });
	const daemon = await Daemon.create(x, { origin, ipv6: true });
	const answer = await daemon.get('/six');
	assert.equal(answer.status, 200);
	const { headers } = origin.got('/six')[0];
	assert.equal(headers.host, `[::1]:${origin.port}`);
	assert.match(headers.forwarded, /^for="\[::1\]";/);
});

test('a name with both families reaches an origin that listens on one', async (x) => {
	const origin = await Origin.create(x, { name: 'localhost' });
	const daemon = await Daemon.create(x, { origin });
	assert.equal((await daemon.get('/')).status, 200);
});

test('HTTP/1.0 panels get an answer without chunks and the end of the connection', async (x) => {
	const { origin, daemon } = await pair(x);
	origin.handler = (req, res) => {
		res.writeHead(200);
		res.write('one ');
		res.end('two');
	};
	for (const fields of ['', 'Host: localhost\r\n', 'Host: localhost\r\nConnection: keep-alive\r\n']) {
		const raw = await Raw.open(daemon.port);
		raw.send(`GET /old HTTP/1.0\r\n${fields}\r\n`);
		assert.ok(await raw.closed());
		const text = raw.bytes.toString();
		assert.match(text, /^HTTP\/1\.1 200 /);
		assert.doesNotMatch(text, /transfer-encoding/i);
		assert.match(text, /\r\n\r\none two$/);
		raw.close();
	}
	assert.match(origin.got('/old')[0].headers.via, /1\.0 holdfast/);
});

test('an origin that is down is 502 with words, on a route without queue', async (x) => {
	const { daemon, origin } = await pair(x, { origin: { start: false } });
	const answer = await daemon.get('/page');
	assert.equal(answer.status, 502);
	assert.equal(answer.headers['content-type'], 'application/problem+json');
	assert.equal(answer.headers['cache-control'], 'no-store');
	assert.match(answer.headers['proxy-status'], /^holdfast; error=connection_refused/);
	const problem = answer.json();
	assert.equal(problem.status, 502);
	assert.equal(problem.type, 'about:blank');
	assert.ok(problem.detail.includes(`127.0.0.1:${origin.port}`), problem.detail);
	assert.equal((await daemon.request({ method: 'HEAD', path: '/page' })).body.length, 0);
});

test('an origin that does not answer is 504', async (x) => {
	const origin = await Origin.create(x, { stream: () => true });
	origin.conf = { 'first-byte-timeout-ms': '500' };
	const daemon = await Daemon.create(x, { origin });
	const answer = await daemon.get('/page');
	assert.equal(answer.status, 504);
	assert.match(answer.headers['proxy-status'], /^holdfast; error=http_response_timeout/);
});

test('an unknown name is 502 dns_error', async (x) => {
	const daemon = await Daemon.create(x, { origins: [{ name: 'shop', url: 'http://shop.invalid' }] });
	const answer = await daemon.request({ path: '/', timeout: 20000 });
	assert.ok([502, 504].includes(answer.status));
	assert.match(answer.headers['proxy-status'], /^holdfast; error=(dns_error|dns_timeout|connection_timeout)/);
});

test('many panels at once', { seconds: 60 }, async (x) => {
	const { daemon } = await pair(x);
	const agents = Array.from({ length: 60 }, () => keepAliveAgent());
	x.defer(() => agents.forEach((a) => a.destroy()));
	const results = await Promise.all(agents.map(async (agent, i) => {
		let good = 0;
		for (let n = 0; n < 20; n++) {
			const answer = await daemon.request({ path: `/m/${i}/${n}`, agent });
			good += answer.status === 200 && answer.json().path === `/m/${i}/${n}` ? 1 : 0;
		}
		return good;
	}));
	assert.ok(results.every((good) => good === 20));
	await until(async () => (await daemon.status()).connections <= 61);
});

test('connections past the limit are told 503, and room comes back', { seconds: 60 }, async (x) => {
	const { daemon } = await pair(x);
	const sockets = [];
	x.defer(() => sockets.forEach((s) => s.close()));
	let refused = null;
	for (let i = 0; i < 400 && !refused; i++) {
		const raw = await Raw.open(daemon.port);
		sockets.push(raw);
		if (i >= 255) {
			const answer = await raw.answer({ ms: i < 256 ? 200 : 2000 });
			if (answer)
				refused = answer;
		}
	}
	assert.equal(refused?.status, 503);
	assert.ok(refused.headers['retry-after']);
	sockets.forEach((s) => s.close());
	await until(async () => (await daemon.get('/x').catch(() => null))?.status === 200);
});

test('fields pass as they are: case, order, repeats, bytes above 127', async (x) => {
	const { origin, daemon } = await pair(x);
	origin.handler = (req, res) => {
		res.writeHead(200, [['X-Back', 'caf\u00e9'], ['X-List', 'a'], ['X-List', 'b'], ['X-EMPTY', '']].flat());
		res.end();
	};
	const raw = await Raw.open(daemon.port);
	x.defer(() => raw.close());
	raw.send(HEAD(daemon, 'GET /f', 'X-UPPER: 1', 'x-lower: 2', 'X-List: a', 'X-List: b',
		'X-Bytes: caf\xe9', 'X-Empty:'));
	const answer = await raw.answer();
	const got = origin.got('/f')[0].rawHeaders;
	assert.ok(got.includes('X-UPPER') && got.includes('x-lower'));
	assert.deepEqual(fieldValues(got, 'x-list'), ['a', 'b']);
	assert.deepEqual(fieldValues(got, 'x-bytes'), ['caf\xe9']);
	assert.deepEqual(fieldValues(got, 'x-empty'), ['']);
	assert.equal(fieldValues(answer.rawHeaders, 'x-list').join(), 'a,b');
	assert.equal(fieldValues(answer.rawHeaders, 'x-back')[0], 'caf\xe9');
});

test('the target passes byte for byte', async (x) => {
	const { origin, daemon } = await pair(x);
	const targets = ['/a%2Fb', '/%E2%82%AC?q=%20+&&=', '/a//b/../c', '/?', '/x?a=/../b', '/%7Euser', '/~user',
		'/a;b=c', '/*', '/a%00b'];
	const raw = await Raw.open(daemon.port);
	x.defer(() => raw.close());
	for (const target of targets) {
		raw.send(HEAD(daemon, `GET ${target}`));
		assert.equal((await raw.answer()).status, 200, target);
	}
	assert.deepEqual(origin.got().map((a) => a.url), targets);
});

suite('proxy', 3);
