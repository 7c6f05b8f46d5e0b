/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bad input on every resource below /.holdfast/: for each what it is answered.
 * Everything that is refused is a problem document, changes nothing, and the
 * daemon serves on.
 */
import assert from 'node:assert/strict';
import { test, suite, until } from './lib/harness.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon, queuedRoute } from './lib/daemon.mjs';
import { Raw } from './lib/raw.mjs';

const NOBODY = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
const LONG = 'x'.repeat(257), HUGE = 'x'.repeat(5000);
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/* path -> its methods; every other one is 405 with these in Allow */
const RESOURCES = {
	requests: 'GET HEAD', [`requests/${NOBODY}`]: 'GET HEAD DELETE', [`requests/${NOBODY}/response`]: 'GET HEAD',
	events: 'GET HEAD', status: 'GET HEAD', 'client.js': 'GET HEAD', 'worker.js': 'GET HEAD', 'client.d.ts': 'GET HEAD',
	'sync-now': 'POST', sync: 'GET HEAD POST DELETE', 'sync/a': 'GET HEAD POST DELETE',
	'sync-events/0/success': 'POST', 'sync-events/0/failure': 'POST',
};

/* Those with background sync of both kinds: method, target behind the name, status. */
const TAGS = [
	['POST', '', 400], ['POST', '?tag', 200], ['POST', '?other=1', 400], ['POST', '/a%00b', 400], ['POST', '/a%0ab', 400],
	['POST', '/%7f', 400], ['POST', '/%c3', 400], ['POST', '/%c0%80', 400], ['POST', '/%ed%a0%80', 400],
	['POST', '/%f5%80%80%80', 400], ['POST', '/%', 400], ['POST', '/%z1', 400], ['POST', '?tag=%zz', 400],
	['POST', '?tag=%ff', 400], ['POST', `/${LONG}`, 413], ['POST', `?tag=${HUGE}`, 413],
	['POST', '/a?worker=nobody', 404], ['POST', '/a?worker=', 404], ['POST', '/a?worker=%zz', 400],
	['POST', "/'%20OR%201=1--", 200], ['POST', '/%e2%80%ae', 200], ['POST', '/%22%5c%3cscript%3e', 200],
	['DELETE', '', 400], ['DELETE', '/never', 404], ['DELETE', '/%ff', 404], ['DELETE', `/${LONG}`, 404],
	['DELETE', '/a?worker=nobody', 404],
	['GET', '/never', 404], ['GET', '/%ff', 404], ['GET', `/${HUGE}`, 404], ['GET', '?limit=0', 400], ['GET', '?limit=-1', 400],
	['GET', '?limit=1e3', 400], ['GET', '?limit=', 400], ['GET', '?limit=99999999999999999999', 400], ['GET', '?after=x', 400],
	['GET', '?after=-1', 400], ['GET', '?after=18446744073709551616', 400], ['GET', '?limit=%zz', 400],
	['GET', '?limit=100000', 200], ['GET', '?after=18446744073709551615', 200], ['GET', '?worker=nobody', 404],
	['GET', '?unknown=1', 200],
];

const INTERVALS = ['-1', '1.5', '1e3', '0x10', '+5', ' 5', '', 'soon', '31622400001', '18446744073709551616', '%zz', '9'.repeat(40)];

const LISTS = [
	['?limit=0', 400], ['?limit=65', 200], ['?limit=x', 400], ['?limit=-1', 400], ['?limit=', 400], ['?limit=%zz', 400],
	['?state=none', 400], ['?state=', 400], ['?state=queued,', 400], ['?state=queued;held', 400], ['?state=QUEUED', 400],
	['?after=x', 400], [`?after=${NOBODY}x`, 400], [`?after=${NOBODY.slice(1)}`, 400], [`?after=${HUGE}`, 400],
	[`?lane=${HUGE}`, 200], ['?lane=none', 200], ['?lane=%zz', 400], ['?other=1', 200], ['?state=queued,held&limit=64', 200],
];

const EVENTS = ['', '0', 'x'.repeat(32), '0'.repeat(31), '0'.repeat(33), 'F'.repeat(32), '../sync', '%00', HUGE];

async function world(x) {
	const origin = await Origin.create(x);
	const daemon = await Daemon.create(x, { origin, manifest: { name: 'k', version: '1',
		routes: [queuedRoute('/api/orders', 'orders')], sync: [{ tag: '*', page: true }] } });
	const ask = (method, target, headers) => daemon.request({ method, path: `/.holdfast/${target}`, headers,
		body: method === 'POST' ? '' : undefined });
	return { origin, daemon, ask };
}

/* What is wrong with the answer, or null. */
function fault(answer, status, head) {
	if (answer.status !== status)
		return `${answer.status} ${answer.text.trim()}, expected ${status}`;
	if (answer.headers['access-control-allow-origin'])
		return 'a CORS field';
	if (status < 400 || head)
		return null;
	if (answer.headers['content-type'] !== 'application/problem+json')
		return `no problem document but ${answer.headers['content-type']}`;
	const { status: said, title, detail } = answer.json();
	if (said !== status || !title || !detail)
		return `an incomplete document: ${answer.text}`;
	return answer.headers['holdfast-state'] ? null : 'no Holdfast-State';
}

async function table(w, rows) {
	const wrong = [];
	for (const [method, target, status] of rows) {
		const what = fault(await w.ask(method, target), status, method === 'HEAD');
		if (what)
			wrong.push(`${method} ${target.slice(0, 80)}: ${what}`);
	}
	assert.ok(w.daemon.running);
	assert.equal((await w.daemon.get('/still')).status, 200);
	/* but the question whether it is there, for events of pages */
	const strangers = w.origin.got().filter((r) => r.url !== '/still' &&
		!(r.method === 'HEAD' && r.url === '/')).map((r) => `${r.method} ${r.url}`);
	assert.deepEqual(strangers, [], 'something reached the origin');
	assert.deepEqual(wrong, []);
}

test('methods that a resource has not: 405 with those that it has', { seconds: 60 }, async (x) => {
	const w = await world(x);
	const wrong = [];
	for (const [path, has] of Object.entries(RESOURCES))
		for (const method of METHODS.filter((m) => !has.split(' ').includes(m))) {
			const answer = await w.ask(method, path);
			const allow = (answer.headers.allow ?? '').split(/, */).sort().join(' ');
			const what = fault(answer, 405, method === 'HEAD') ??
				(allow === has.split(' ').sort().join(' ') ? null : `Allow: ${allow}`);
			if (what)
				wrong.push(`${method} ${path}: ${what}`);
		}
	assert.deepEqual(wrong, []);
});

test('tags, workers, limits and places in the list of background sync', { seconds: 60 }, async (x) => {
	await table(await world(x), TAGS.map(([method, target, status]) => [method, `sync${target}`, status]));
});

test('the same of periodic background sync, and intervals', { seconds: 60 }, async (x) => {
	const w = await world(x);
	if ((await w.ask('GET', 'periodicsync')).status === 501) {
		assert.equal(fault(await w.ask('POST', 'periodicsync/a'), 501), null);
		return;
	}
	await table(w, [...TAGS.map(([method, target, status]) => [method, `periodicsync${target}`, status]),
		...INTERVALS.map((text) => ['POST', `periodicsync/a?minInterval=${text.replace('+', '%2b').replace(' ', '%20')}`, 400])]);
	assert.equal((await w.ask('GET', 'periodicsync/a')).status, 404);
	await table(w, [['POST', 'periodicsync/b?minInterval=31622400000', 200], ['POST', 'periodicsync/b?minInterval=0', 200]]);
});

test('events that are not under way, and ids that were never given', { seconds: 60 }, async (x) => {
	const w = await world(x);
	await table(w, EVENTS.flatMap((event) => ['success', 'failure'].map((how) => ['POST', `sync-events/${event}/${how}`, 404])));
	await table(w, [`${NOBODY}`, '0', 'x'.repeat(26), NOBODY.toLowerCase(), `${NOBODY}0`, 'IIIIIIIIIIIIIIIIIIIIIIIIII', '%00',
		'7ZZZZZZZZZZZZZZZZZZZZZZZZZ', '8ZZZZZZZZZZZZZZZZZZZZZZZZZ', HUGE].flatMap((id) =>
		[['GET', `requests/${id}`, 404], ['GET', `requests/${id}/response`, 404], ['DELETE', `requests/${id}`, 404]]));
});

test('the list of requests: states, limits, places', { seconds: 60 }, async (x) => {
	await table(await world(x), LISTS.map(([target, status]) => ['GET', `requests${target}`, status]));
});

test('a real event and a real request withstand those who guess', { seconds: 60 }, async (x) => {
	const w = await world(x);
	await w.ask('POST', 'sync/a');
	const { event } = await until(async () => {
		const r = (await w.ask('GET', 'sync/a')).json();
		return r.event && r;
	});
	const near = [event.slice(1), `${event}0`, event.slice(0, -1), event.toUpperCase() === event ? event.toLowerCase() : event.toUpperCase(),
		event.replace(/.$/, (c) => (c === '0' ? '1' : '0'))];
	for (const guess of near)
		assert.equal((await w.ask('POST', `sync-events/${guess}/success`)).status, 404, guess);
	assert.equal((await w.ask('GET', 'sync/a')).json().event, event);
	for (const headers of [{ Origin: 'https://evil.example' }, { Origin: 'null' }, { 'Sec-Fetch-Site': 'cross-site' }]) {
		for (const [method, target] of [['POST', `sync-events/${event}/success`], ['DELETE', 'sync/a'], ['POST', 'sync/b'],
			['GET', 'sync'], ['GET', 'events'], ['GET', 'requests'], ['POST', 'periodicsync/a'], ['DELETE', 'periodicsync/a']])
			assert.equal((await w.ask(method, target, headers)).status, 403, `${method} ${target} ${JSON.stringify(headers)}`);
	}
	assert.equal((await w.ask('POST', `sync-events/${event}/success`)).status, 200);
	await until(async () => (await w.ask('GET', 'sync/a')).status === 404);
});

test('bodies that no resource takes are read past, and the connection goes on', { seconds: 60 }, async (x) => {
	const { daemon } = await world(x);
	for (const [length, body] of [['Content-Length: 5', 'hello'], ['Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'],
		['Content-Length: 200000', 'x'.repeat(200000)]])
		for (const target of ['POST /.holdfast/sync/a', 'POST /.holdfast/sync-events/0/success', 'DELETE /.holdfast/sync/never',
			'GET /.holdfast/status', `DELETE /.holdfast/requests/${NOBODY}`, 'POST /.holdfast/sync-now', 'POST /.holdfast/nothing']) {
			const raw = await Raw.open(daemon.port);
			raw.send(`${target} HTTP/1.1\r\nHost: localhost\r\n${length}\r\n\r\n${body}` +
				'GET /.holdfast/status HTTP/1.1\r\nHost: localhost\r\n\r\n');
			const first = await raw.answer();
			assert.ok(first && first.status < 500, `${target} ${length}: ${first?.status}`);
			const second = await raw.answer();
			/* nobody reads a large body that is not wanted: the connection may end there */
			assert.ok(second?.status === 200 || (!second && body.length > 1000), `behind ${target} ${length}: ${second?.status}`);
			raw.close();
		}
});

suite('client_hostile');
