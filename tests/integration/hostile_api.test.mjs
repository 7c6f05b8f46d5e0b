/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every resource of /.holdfast/, on the panel side and on the control socket, times
 * bad input; and every command of `holdfast` with bad arguments. What is refused is a
 * problem document, or a line on stderr that says what to do, and changes nothing.
 */
import assert from 'node:assert/strict';
import { suite, test, sanitized } from './lib/harness.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon } from './lib/daemon.mjs';
import { request } from './lib/http.mjs';

const NOBODY = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const OPERATOR = true;

/* path, its methods, who may */
const RESOURCES = [
	['requests', 'GET HEAD'], [`requests/${NOBODY}`, 'GET HEAD DELETE'], [`requests/${NOBODY}/response`, 'GET HEAD'],
	[`requests/${NOBODY}/retry`, 'POST', OPERATOR], ['events', 'GET HEAD'], ['status', 'GET HEAD'], ['lanes', 'GET HEAD'],
	['holds', 'GET HEAD POST DELETE', OPERATOR], ['metrics', 'GET HEAD', OPERATOR], ['export', 'GET HEAD', OPERATOR],
	['store/check', 'POST', OPERATOR], ['sync-now', 'POST'], ['client.js', 'GET HEAD'], ['worker.js', 'GET HEAD'],
	['client.d.ts', 'GET HEAD'], ['sync', 'GET HEAD POST DELETE'], ['sync/a', 'GET HEAD POST DELETE'],
	['sync-events/0/success', 'POST'], ['sync-events/0/failure', 'POST'], ['periodicsync', 'GET HEAD POST DELETE'],
	['periodicsync/a', 'GET HEAD POST DELETE'],
];

const MANY = Array.from({ length: 33 }, (_, i) => `p${i}=1`).join('&');

/* [what, what stands behind the path, status] for each method that the resource knows */
const QUERIES = [
	['a parameter twice', '?worker=a&worker=b', 400], ['the same twice', '?x=1&x=1', 400], ['names alone twice', '?x&x', 400],
	['half an escape', '?worker=%4', 400], ['no escape', '?x=%zz', 400], ['an escape at the end', '?x=1%', 400],
	['an escape in a name', '?%zz=1', 400], ['33 parameters', `?${MANY}`, 400],
];

/* Path tricks: refused on both sides, never served. */
const PATHS = ['/.holdfast', '/.holdfast/', '/.holdfast/nothing', '/.holdfast/status/', '/.holdfast//status', '/.holdfast/./status',
	'/.holdfast/x/../status', '/.holdfast/%73tatus', '/.holdfast/status%00', '/.holdfast/status%2f', '/.holdfast/status;x',
	'/.HOLDFAST/status', '/%2eholdfast/status', '//.holdfast/status', '/.holdfast\\status', '/.holdfast/lanes/orders',
	'/.holdfast/holds/orders', '/.holdfast/store', '/.holdfast/store/', '/.holdfast/metrics/x', '/.holdfast/status%20'];

/* Only of the resource: target, method, status on the control socket. */
const OWN = [
	['lanes?state=none', 'GET', 400], ['lanes?state=', 'GET', 400], ['lanes?state=paused,', 'GET', 400], ['lanes?state=Paused', 'GET', 400],
	['lanes?state=paused,held', 'GET', 200], ['lanes?lane=%00', 'GET', 200], ['lanes?origin=nobody', 'GET', 200],
	[`lanes?lane=${'x'.repeat(4000)}`, 'GET', 200],
	['holds', 'POST', 400], ['holds?for=5', 'POST', 400], ['holds?lane=', 'POST', 400], ['holds?lane=a&for=', 'POST', 400],
	['holds?lane=a&for=0', 'POST', 400], ['holds?lane=a&for=-1', 'POST', 400], ['holds?lane=a&for=1.5', 'POST', 400],
	['holds?lane=a&for=1e3', 'POST', 400], ['holds?lane=a&for=+5', 'POST', 400], ['holds?lane=a&for=5s', 'POST', 400],
	['holds?lane=a&for=31622401', 'POST', 400], ['holds?lane=a&for=18446744073709551617', 'POST', 400],
	[`holds?lane=${'x'.repeat(1025)}`, 'POST', 400], ['holds?origin=nobody', 'POST', 404], ['holds?origin=', 'POST', 404],
	['holds?origin=O0&lane=a', 'POST', 404], ['holds?lane=never', 'DELETE', 404], ['holds?origin=o0', 'DELETE', 404],
	['holds', 'DELETE', 404], ['holds?lane=', 'DELETE', 400],
	['export?state=none', 'GET', 400], ['export?state=', 'GET', 400], ['export?state=dead,', 'GET', 400],
	['requests/1/retry', 'POST', 404], [`requests/${NOBODY}/retry`, 'POST', 404], [`requests/${NOBODY}x`, 'DELETE', 404],
];

async function world(x) {
	const origin = await Origin.create(x);
	const daemon = await Daemon.create(x, { origin });
	const sides = {
		panel: (o) => request({ port: daemon.port, host: daemon.host, ...o }),
		control: (o) => request({ socketPath: daemon.control, ...o }),
	};
	return { origin, daemon, sides };
}

/* What is wrong with a refusal, or null. */
function fault(answer, status, method = 'GET') {
	if (answer.status !== status)
		return `${answer.status} ${answer.text.slice(0, 200).trim()}, expected ${status}`;
	if (answer.headers['access-control-allow-origin'])
		return 'a CORS field';
	if (status < 400 || method === 'HEAD')
		return null;
	if (answer.headers['content-type'] !== 'application/problem+json')
		return `no problem document but ${answer.headers['content-type']}`;
	const { status: said, title, detail } = answer.json();
	return said === status && title && detail ? null : `an incomplete document: ${answer.text}`;
}

const known = (methods) => methods.split(' ');

test('methods', { seconds: 60 }, async (x) => {
	const { sides } = await world(x);
	const wrong = [];
	for (const [side, ask] of Object.entries(sides))
		for (const [path, methods] of RESOURCES)
			for (const method of METHODS.filter((m) => !known(methods).includes(m))) {
				const answer = await ask({ method, path: `/.holdfast/${path}` });
				const why = fault(answer, 405, method);
				if (why)
					wrong.push(`${side} ${method} ${path}: ${why}`);
				else if (answer.headers.allow !== known(methods).join(', '))
					wrong.push(`${side} ${method} ${path}: Allow says ${answer.headers.allow}, not ${methods}`);
			}
	assert.deepEqual(wrong, []);
});

test('queries', { seconds: 120 }, async (x) => {
	const { sides } = await world(x);
	const wrong = [];
	for (const [side, ask] of Object.entries(sides))
		for (const [path, methods, operator] of RESOURCES)
			for (const method of known(methods))
				for (const [what, query, status] of QUERIES) {
					const expected = operator && side === 'panel' ? 403 : status;
					const why = fault(await ask({ method, path: `/.holdfast/${path}${query}` }), expected, method);
					if (why)
						wrong.push(`${side} ${method} ${path}, ${what}: ${why}`);
				}
	assert.deepEqual(wrong, []);
});

test('who asks', { seconds: 60 }, async (x) => {
	const { sides: { panel } } = await world(x);
	const wrong = [];
	const askers = [
		[{ Origin: 'https://evil.example' }, 403], [{ Origin: 'null' }, 403], [{ Origin: 'http://localhost:1' }, 403],
		[{ 'Sec-Fetch-Site': 'cross-site' }, 403], [{ 'Sec-Fetch-Site': 'same-site' }, 403],
		[{ Host: 'evil.example' }, 421], [{ Host: 'localhost.evil.example' }, 421], [{ Host: '192.0.2.1' }, 421],
	];
	for (const [path, methods] of RESOURCES)
		for (const method of known(methods))
			for (const [headers, status] of askers) {
				const why = fault(await panel({ method, path: `/.holdfast/${path}`, headers }), status, method);
				if (why)
					wrong.push(`${method} ${path} ${JSON.stringify(headers)}: ${why}`);
			}
	for (const [path, methods, operator] of RESOURCES)
		for (const method of operator ? known(methods) : []) {
			const why = fault(await panel({ method, path: `/.holdfast/${path}` }), 403, method);
			if (why)
				wrong.push(`a page: ${method} ${path}: ${why}`);
		}
	assert.deepEqual(wrong, []);
});

test('bodies that nobody asked for change nothing', { seconds: 60 }, async (x) => {
	const { sides, daemon } = await world(x);
	const bodies = ['{', '{"lane":"a"}', '\0\xff', 'x'.repeat(300000)];
	const wrong = [];
	for (const [side, ask] of Object.entries(sides))
		for (const [path, methods] of RESOURCES.filter(([p, m]) => m.includes('POST') && !p.startsWith('store')))
			for (const body of bodies) {
				const bare = await ask({ method: 'POST', path: `/.holdfast/${path}`, body: '' });
				const answer = await ask({ method: 'POST', path: `/.holdfast/${path}`, body,
					headers: { 'Content-Type': 'application/json' } });
				if (answer.status !== bare.status)
					wrong.push(`${side} POST ${path} with ${body.length} bytes: ${answer.status}, not ${bare.status}`);
			}
	assert.deepEqual(wrong, []);
	assert.deepEqual((await daemon.status()).holds, []);
});

test('paths', async (x) => {
	const { sides, origin } = await world(x);
	const wrong = [];
	for (const [side, ask] of Object.entries(sides))
		for (const path of PATHS) {
			const answer = await ask({ path });
			if (answer.status !== 404 && answer.status !== 400)
				wrong.push(`${side} ${path}: ${answer.status}`);
			else if (fault(answer, answer.status))
				wrong.push(`${side} ${path}: ${fault(answer, answer.status)}`);
		}
	assert.deepEqual(wrong, []);
	assert.equal(origin.requests, 0, 'one reached the origin');
});

test('what the operator asks wrongly', async (x) => {
	const { sides: { control, panel } } = await world(x);
	const wrong = [];
	for (const [target, method, status] of OWN) {
		const why = fault(await control({ method, path: `/.holdfast/${target}` }), status, method);
		if (why)
			wrong.push(`${method} ${target.slice(0, 60)}: ${why}`);
	}
	assert.deepEqual(wrong, []);
	assert.equal((await panel({ path: '/.holdfast/lanes?origin=other' })).json().lanes.length, 0);
	assert.equal((await control({ path: '/' })).status, 404, 'the control socket is no proxy');
});

/* Commands with bad arguments: words, exit code, what is said. */
const COMMANDS = [
	[['frob'], 2, /there is no command frob/], [[], 2, /a command is missing/], [['queue'], 2, /queue needs one of/],
	[['status', 'x'], 2, /status takes nothing/], [['health', '--x'], 2, /health has no option --x/],
	[['lanes', '--state', 'x'], 1, /state is a list of/], [['lanes', 'x'], 2, /lanes takes nothing but/],
	[['lanes', '--lane'], 2, /--lane needs a value/], [['hold'], 2, /hold takes a LANE/], [['hold', 'a', 'b'], 2, /hold takes one LANE/],
	[['hold', 'a', '--for', '-5'], 2, /--for is a time/], [['hold', 'a', '--origin', 'nobody'], 1, /No origin of this name/],
	[['hold', ''], 1, /lane is a name/], [['release'], 2, /release takes a LANE/], [['release', 'a'], 1, /No lane of this name is on hold/],
	[['release', '--all'], 1, /There is no such hold/], [['queue', 'list', '--state', 'x'], 2, /there is no state x/],
	[['queue', 'show'], 2, /takes one ID/], [['queue', 'show', '../status'], 2, /is not an id/], [['queue', 'show', NOBODY], 1, /no request with this id/],
	[['queue', 'cancel', '01ARZ3'], 1, /no request has an id that begins with/], [['queue', 'retry', '--held', '--dead'], 2, /takes one ID/],
	[['queue', 'export', '--state', 'x'], 2, /there is no state x/], [['sync', 'register'], 2, /takes one TAG/],
	[['sync', 'register', 'a', '--worker', 'nobody'], 1, /./], [['sync', 'unregister', 'never'], 1, /./], [['sync', 'now', 'x'], 2, /takes nothing/],
	[['periodic', 'register', 'a', '--min-interval', 'x'], 2, /--min-interval is a time/], [['periodic', 'list', '--worker', 'nobody'], 1, /./],
	[['events', '-x'], 2, /events has no option -x/], [['metrics', '--json'], 2, /metrics are no JSON/], [['store', 'x'], 2, /there is no store x/],
	[['store', 'check', 'x'], 2, /store check takes nothing/], [['version', 'x'], 2, /version takes nothing/], [['help', 'x'], 2, /there is no command x/],
	[['--socket'], 2, /--socket needs a PATH/], [['--json'], 2, /a command is missing/],
];

test('commands', { seconds: sanitized ? 120 : 60 }, async (x) => {
	const { daemon } = await world(x);
	for (const [words, code, said] of COMMANDS) {
		const got = await daemon.cli(...words);
		assert.equal(got.code, code, `${words.join(' ')}: ${got.stderr}`);
		assert.match(got.stderr, said, words.join(' '));
		assert.match(got.stderr, /^holdfast: /, words.join(' '));
		assert.equal(got.stdout, '', words.join(' '));
	}
	assert.ok(daemon.running);
});

test('without a daemon every command says so', async (x) => {
	const { daemon } = await world(x);
	await daemon.kill();
	for (const words of [['status'], ['health'], ['lanes'], ['hold', 'a'], ['release', '--all'], ['queue', 'list'], ['queue', 'show', NOBODY],
		['queue', 'show', '01ARZ3'], ['queue', 'retry', '--held'], ['queue', 'export'], ['queue', 'export', '--har'], ['sync', 'now'], ['sync', 'list'],
		['periodic', 'list'], ['events'], ['metrics'], ['store'], ['store', 'check']]) {
		const got = await daemon.cli(...words);
		assert.equal(got.code, 3, `${words.join(' ')}: ${got.stderr}`);
		assert.match(got.stderr, /^holdfast: no daemon at .*start it again\n$/, words.join(' '));
		assert.equal(got.stdout, '', words.join(' '));
	}
});

suite('bad input on every resource and command');
