/* SPDX-License-Identifier: Apache-2.0 */
/* One-off background sync. Tags of the profile: slow, final, once, short (README.md). */
import assert from 'node:assert/strict';
import { vector } from '../lib/vectors.mjs';

const sync = (id, name, fn) => vector('sync', `background-sync #${id}`, name, fn);

async function offline({ device, origin }) {
	await origin.stop();
	await device.notices();
}

async function gone(device, ...tags) {
	for (let n = 0; n < 600; n++) {
		const left = await device.tags();
		if (!tags.some((tag) => left.includes(tag)))
			return;
		await new Promise((done) => setTimeout(done, 20));
	}
	assert.fail(`${tags} is still registered`);
}

/* The first outage: a device that ends back-offs only now and then, for an origin that flaps, has not done so before. */
sync('sync-event', 'one that waits becomes pending when the device is online again', async (b) => {
	await b.device.register('slow');
	await b.device.end(await b.device.event('slow'), false);
	await offline(b);
	await b.origin.start();
	await b.device.end(await b.device.event('slow', { ms: 25000 }), true);
	await gone(b.device, 'slow');
});

sync('constructs', 'a tag is unique: registered three times, it has one event', async (b) => {
	await offline(b);
	for (let i = 0; i < 3; i++)
		await b.device.register('a');
	assert.deepEqual(await b.device.tags(), ['a']);
	await b.origin.start();
	assert.ok(await b.device.end(await b.device.event('a'), true));
	await gone(b.device, 'a');
	await b.device.quiet('a', 300);
});

sync('constructs', 'a tag is any text, also an empty one', async ({ device }) => {
	for (const tag of ['', '..', 'a/b?c=d&e#f', 'ä 漢 😀']) {
		await device.register(tag);
		await device.end(await device.event(tag), true);
		await gone(device, tag);
	}
});

sync('concepts', 'nothing is fired while offline, and that costs no attempt', async (b) => {
	await offline(b);
	await b.device.register('once');
	await b.device.quiet('once', 500);
	assert.deepEqual(await b.device.tags(), ['once']);
	await b.origin.start();
	await b.device.end(await b.device.event('once'), true);
	await gone(b.device, 'once');
});

sync('sync-event', 'when online again, every pending one is fired', async (b) => {
	await offline(b);
	const tags = ['a', 'b', 'c'];
	for (const tag of tags)
		await b.device.register(tag);
	await b.origin.start();
	const events = await Promise.all(tags.map((tag) => b.device.event(tag)));
	await b.device.end(events[1], true);
	await gone(b.device, 'b');
	assert.deepEqual((await b.device.tags()).sort(), ['a', 'c']);
});

sync('sync-event', 'success removes the registration, and no other one', async ({ device }) => {
	await device.register('a');
	await device.register('b');
	await device.end(await device.event('a'), true);
	await gone(device, 'a');
	assert.deepEqual(await device.tags(), ['b']);
});

sync('sync-event', 'a failure is followed by another event, then success removes it', async ({ device }) => {
	await device.register('a');
	const first = await device.event('a');
	await device.end(first, false);
	const second = await device.event('a');
	assert.notEqual(second.id, first.id);
	await device.end(second, true);
	await gone(device, 'a');
});

sync('sync-event', 'an event that nobody ends in time is a failure', async ({ device }) => {
	await device.register('short');
	const first = await device.event('short');
	const second = await device.event('short');
	assert.equal(await device.end(first, true), false, 'the word of an event that is over counts');
	assert.deepEqual(await device.tags(), ['short']);
	await device.end(second, true);
	await gone(device, 'short');
});

sync('sync-event', 'lastChance is true when no attempt follows, and only then', async ({ device }) => {
	await device.register('final');
	const first = await device.event('final');
	assert.equal(first.lastChance, false);
	await device.end(first, false);
	const second = await device.event('final');
	assert.equal(second.lastChance, true);
	await device.end(second, false);
	await gone(device, 'final');
	await device.quiet('final', 500);
});

sync('sync-manager-interface', 'getTags() has those that wait, are pending and fire, in their order', async (b) => {
	await b.device.register('slow');
	await b.device.end(await b.device.event('slow'), false);
	await b.device.register('a');
	await b.device.event('a');
	await offline(b);
	await b.device.register('b');
	assert.deepEqual(await b.device.tags(), ['slow', 'a', 'b']);
});

sync('sync-manager-interface', 'registered while it waits: fired now', async ({ device }) => {
	await device.register('slow');
	await device.end(await device.event('slow'), false);
	await device.quiet('slow', 300);
	await device.register('slow');
	await device.end(await device.event('slow'), true);
	await gone(device, 'slow');
});

sync('sync-event', 'registered while it fires, success: fired again', async ({ device }) => {
	await device.register('slow');
	const first = await device.event('slow');
	await device.register('slow');
	await device.register('slow');
	await device.end(first, true);
	const second = await device.event('slow');
	await device.end(second, true);
	await gone(device, 'slow');
	await device.quiet('slow', 300);
});

sync('sync-event', 'registered while it fires, failure: fired at once, with all its attempts', async ({ device }) => {
	await device.register('final');
	await device.end(await device.event('final'), false);
	const last = await device.event('final');
	assert.equal(last.lastChance, true);
	await device.register('final');
	await device.end(last, false);
	const again = await device.event('final');
	assert.equal(again.lastChance, false);
});

sync('sync-event', 'the first word on an event counts', async ({ device }) => {
	await device.register('slow');
	const event = await device.event('slow');
	assert.equal(await device.end(event, true), true);
	assert.equal(await device.end(event, false), false);
	await gone(device, 'slow');
	assert.equal(await device.end({ id: '0'.repeat(32) }, true), false);
});

sync('sync-manager-interface', 'what was registered survives a power cut', async (b) => {
	await offline(b);
	for (const tag of ['a', 'b'])
		await b.device.register(tag);
	await b.device.restart();
	assert.deepEqual(await b.device.tags(), ['a', 'b']);
	await b.origin.start();
	for (const tag of ['a', 'b'])
		await b.device.end(await b.device.event(tag), true);
	await gone(b.device, 'a', 'b');
});

sync('sync-event', 'a power cut during an event: it is fired again, and no attempt is counted', async ({ device }) => {
	await device.register('once');
	const first = await device.event('once');
	await device.restart();
	const second = await device.event('once');
	assert.equal(await device.end(first, false), false);
	await device.end(second, true);
	await gone(device, 'once');
});

sync('sync-event', 'what is done stays done over a power cut', async ({ device }) => {
	await device.register('a');
	await device.end(await device.event('a'), true);
	await gone(device, 'a');
	await device.quiet('a', 500); /* a list may forget it a moment before the medium does */
	await device.restart();
	assert.deepEqual(await device.tags(), []);
	await device.quiet('a', 300);
});
