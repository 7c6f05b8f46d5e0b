/* SPDX-License-Identifier: Apache-2.0 */
/* Resources of a CoAP origin that pages observe, as Server-Sent Events. */
import assert from 'node:assert/strict';
import { test, suite, until } from './lib/harness.mjs';
import { CoapPeer, OPTION, block, number } from './lib/coap_peer.mjs';
import { Page } from './lib/sse_page.mjs';
import { kiosk, skip } from './lib/coap_server.mjs';

const built = process.env.HF_COAP ? false : 'built without CoAP';

/* An origin with one resource, /t, of which the test says the value: o.tell(text). */
async function observed(x, { maxAge = 3600, handler } = {}) {
	const o = { order: 10, value: 'one', observers: new Map() };
	const representation = (more = []) => ({ code: '2.05', payload: o.value,
		options: [[OPTION.format, 0], [OPTION.maxAge, maxAge], ...more] });
	o.peer = await CoapPeer.create(x, (m, reply, from) => {
		if (handler?.(m, reply, from))
			return;
		const observe = number(m.get(OPTION.observe));
		if (observe === 0)
			o.observers.set(m.token, from);
		else if (observe === 1)
			o.observers.delete(m.token);
		reply(representation(observe === 0 ? [[OPTION.observe, ++o.order]] : []));
	});
	o.tell = (value, { order = ++o.order, type = 'NON', ...more } = {}) => {
		o.value = value;
		for (const [token, from] of o.observers)
			o.peer.send(from, { type, token, ...representation([[OPTION.observe, order]]), ...more });
	};
	o.registrations = () => o.peer.requests.filter((m) => number(m.get(OPTION.observe)) === 0);
	({ daemon: o.daemon } = await kiosk(x, { server: o.peer, scheme: 'coap', 'first-byte-timeout-ms': 5000 }));
	return o;
}

test('pages share one observation, and each hears what comes', { skip: built }, async (x) => {
	const o = await observed(x);
	const first = Page.open(x, o.daemon, '/t');
	await first.hears('one');
	assert.equal(first.status, 200);
	assert.equal(first.headers['content-type'], 'text/event-stream');
	assert.equal(first.headers['cache-control'], 'no-store');
	const second = Page.open(x, o.daemon, '/t');
	await second.hears('one');
	o.tell('two');
	o.tell('three\nlines', { type: 'CON' });
	await first.hears('three\nlines');
	await second.hears('three\nlines');
	assert.equal(o.peer.requests.length, 1);
	await until(() => o.peer.others.some((m) => m.type === 'ACK'), { what: 'the confirmable one is acknowledged' });
	/* A request beside it does not wait, and a page that goes leaves the other. */
	assert.equal((await o.daemon.get('/t', { 'Cache-Control': 'no-cache' })).text, 'three\nlines');
	first.close();
	o.tell('four');
	await second.hears('four');
	assert.equal(o.registrations().length, 1);
});

test('an origin that says no is not taken for Holdfast', { skip: built }, async (x) => {
	const o = await observed(x, { handler: (m, reply) => reply({ code: '4.04' }) ?? true });
	const page = Page.open(x, o.daemon, '/t');
	await until(() => page.status, { what: 'the answer' });
	assert.deepEqual([page.status, page.headers['holdfast-state']], [404, undefined]);
});

test('the last page goes: it is deregistered, and later notifications are refused', { skip: built }, async (x) => {
	const o = await observed(x);
	const page = Page.open(x, o.daemon, '/t');
	await page.hears('one');
	const [[token, from]] = o.observers;
	page.close();
	await until(() => o.peer.requests.some((m) => number(m.get(OPTION.observe)) === 1 && m.token === token),
		{ what: 'the deregistration' });
	o.peer.send(from, { type: 'CON', token, code: '2.05', options: [[OPTION.observe, 99]], payload: 'late' });
	await until(() => o.peer.others.some((m) => m.type === 'RST'), { what: 'the reset' });
	const next = Page.open(x, o.daemon, '/t');
	await next.hears('one');
	assert.equal(o.registrations().length, 2);
});

test('notifications that were overtaken are left out', { skip: built }, async (x) => {
	const o = await observed(x);
	const page = Page.open(x, o.daemon, '/t');
	await page.hears('one');
	o.tell('new', { order: 1000 });
	o.tell('old', { order: 999 });
	o.tell('same', { order: 1000 });
	o.tell('far', { order: 1000 + (1 << 23) }); /* half around: older */
	o.tell('newer', { order: 1001 });
	o.tell('wrapped', { order: 1000 + (1 << 23) });
	o.tell('around', { order: 5 });
	await page.hears('around');
	assert.deepEqual(page.data(), ['one', 'new', 'newer', 'wrapped', 'around']);
});

test('the origin falls silent: it is asked again, pages are told, and hear on', { skip: built, seconds: 240 }, async (x) => {
	let silent = false;
	const o = await observed(x, { maxAge: 0, handler: () => silent });
	const page = Page.open(x, o.daemon, '/t');
	await page.hears('one');
	/* Max-Age lapses, and 5 to 15 s: the same token anew. */
	await until(() => o.registrations().length >= 2, { ms: 60000, what: 'another registration' });
	assert.equal(o.registrations()[1].token, o.registrations()[0].token);
	silent = true;
	await page.hears('', 'stale', 90000);
	silent = false;
	o.value = 'back';
	await page.hears('back', 'message', 90000);
	o.tell('on');
	await page.hears('on');
	assert.equal(page.ended, undefined);
});

test('an error is the answer at first, and the end of the stream later', { skip: built }, async (x) => {
	let gone = true;
	const o = await observed(x, { handler: (m, reply) => gone && (reply({ code: '4.04' }), true) });
	const refused = Page.open(x, o.daemon, '/t');
	await until(() => refused.ended, { what: 'the answer' });
	assert.equal(refused.status, 404);
	gone = false;
	const page = Page.open(x, o.daemon, '/t');
	await page.hears('one');
	o.tell('', { code: '4.04', options: [], payload: '' });
	await page.hears('404', 'gone');
	await until(() => page.ended, { what: 'the end of the stream' });
});

test('large and binary representations', { skip: built }, async (x) => {
	const large = 'x'.repeat(3000);
	const o = await observed(x, { handler: (m, reply) => {
		const asked = number(m.get(OPTION.block2)) ?? 6, num = asked >> 4;
		if (m.path !== '/large' && o.value !== large)
			return false;
		if (number(m.get(OPTION.observe)) === 0)
			o.observers.set(m.token, m.from);
		reply({ code: '2.05', payload: large.slice(num * 1024, (num + 1) * 1024),
			options: [[OPTION.format, 0], [OPTION.block2, block(num, num < 2, 6)],
				...(number(m.get(OPTION.observe)) === 0 ? [[OPTION.observe, ++o.order]] : [])] });
		return true;
	} });
	const page = Page.open(x, o.daemon, '/large');
	await page.hears(large);
	const other = Page.open(x, o.daemon, '/t');
	await other.hears('one');
	o.tell(Buffer.from([0, 1, 2]), { options: [[OPTION.format, 42], [OPTION.observe, 100]] });
	await other.hears('AAEC', 'binary');
	/* A notification is the first block of what is fetched anew. */
	o.value = large;
	o.tell(large, { payload: large.slice(0, 1024), options: [[OPTION.format, 0],
		[OPTION.observe, 101], [OPTION.block2, block(0, true, 6)]] });
	await other.hears(large);
	assert.ok(o.peer.requests.some((m) => m.path === '/t' && m.get(OPTION.observe) === undefined));
});

test('there is an end to how many are observed', { skip: built }, async (x) => {
	const o = await observed(x);
	const pages = [];
	for (let i = 0; i < 16; i++) {
		pages.push(Page.open(x, o.daemon, `/t?${i}`));
		await pages[i].hears('one');
	}
	const refused = Page.open(x, o.daemon, '/t?16');
	await until(() => refused.status, { what: 'the refusal' });
	assert.equal(refused.status, 503);
	assert.equal(refused.headers['holdfast-state'], 'refused');
	assert.match(refused.headers['proxy-status'], /error=connection_limit_reached/);
	pages[0].close();
	await until(() => o.observers.size === 15, { what: 'the deregistration' });
	const next = Page.open(x, o.daemon, '/t?16');
	await next.hears('one');
});

for (const scheme of ['coap', 'coaps', 'coap+tcp', 'coaps+tcp'])
	test(`${scheme}: libcoap's clock`, { skip }, async (x) => {
		const { daemon } = await kiosk(x, { scheme });
		const page = Page.open(x, daemon, '/time');
		await until(() => page.data().length >= 3, { ms: 20000, what: 'three notifications' });
	});

suite('CoAP origins: observed resources');
