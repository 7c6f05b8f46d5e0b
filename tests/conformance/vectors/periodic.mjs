/* SPDX-License-Identifier: Apache-2.0 */
/* Periodic background sync, with intervals of an hour. */
import assert from 'node:assert/strict';
import { vector } from '../lib/vectors.mjs';

const periodic = (id, name, fn) => vector('periodic', `periodic-background-sync #${id}`, name, fn);
const HOUR = 3600000;
const REGISTERED = { periodic: true, minInterval: HOUR };

periodic('constructs', 'a tag is unique: registered three times, it is listed once', async ({ device }) => {
	for (let i = 0; i < 3; i++)
		await device.register('a', REGISTERED);
	assert.deepEqual(await device.tags({ periodic: true }), ['a']);
});

periodic('constructs', 'tags of both kinds of sync are apart', async ({ device, origin }) => {
	await origin.stop();
	await device.notices();
	await device.register('a', REGISTERED);
	assert.deepEqual(await device.tags(), []);
	await device.register('a');
	assert.deepEqual(await device.tags(), ['a']);
	await device.unregister('a');
	assert.deepEqual(await device.tags({ periodic: true }), []);
	assert.deepEqual(await device.tags(), ['a']);
});

periodic('periodicsyncmanager-interface', 'minInterval may be missing, and is 0 then', async ({ device }) => {
	await device.register('a', { periodic: true });
	await device.register('b', { periodic: true, minInterval: 0 });
	assert.deepEqual(await device.tags({ periodic: true }), ['a', 'b']);
});

periodic('process-periodic-sync-registrations-algorithm', 'nothing is fired before the interval has passed', async ({ device }) => {
	await device.register('a', REGISTERED);
	await device.quiet('a', 500, { periodic: true });
	await device.register('a', { periodic: true, minInterval: 2 * HOUR });
	await device.quiet('a', 500, { periodic: true });
});

periodic('periodicsyncmanager-interface', 'unregister() removes it, and does so also twice', async ({ device }) => {
	await device.register('a', REGISTERED);
	await device.register('b', REGISTERED);
	await device.unregister('a');
	await device.unregister('a');
	assert.deepEqual(await device.tags({ periodic: true }), ['b']);
});

periodic('periodicsyncmanager-interface', 'what was registered survives a power cut, and what was not does not', async ({ device }) => {
	await device.register('a', REGISTERED);
	await device.register('b', REGISTERED);
	await device.unregister('a');
	await device.restart();
	assert.deepEqual(await device.tags({ periodic: true }), ['b']);
});

const FIRE = 'firing-a-periodicsync-event';
const event = (device, ms = 20000) => device.event('a', { ms, periodic: true });

periodic(FIRE, 'fired when the interval has passed; success keeps it registered for the next', async ({ device }) => {
	await device.register('a', REGISTERED);
	for (let i = 0; i < 2; i++) {
		await device.later(1.2 * HOUR);
		assert.ok(await device.end(await event(device), true));
		await device.quiet('a', 300, { periodic: true });
		assert.deepEqual(await device.tags({ periodic: true }), ['a']);
	}
});

periodic(FIRE, 'however many intervals were missed, one event makes up for them', async ({ device }) => {
	await device.register('a', REGISTERED);
	await device.later(7.5 * HOUR);
	await device.end(await event(device), true);
	await device.quiet('a', 500, { periodic: true });
});

periodic('process-periodic-sync-registrations-algorithm', 'nothing is fired while offline', async ({ device, origin }) => {
	await device.register('a', REGISTERED);
	await origin.stop();
	await device.later(1.2 * HOUR);
	await device.notices();
	const first = await event(device, 300).catch(() => null);
	if (first) /* before it could know that it is offline */
		await device.end(first, false);
	await device.quiet('a', 500, { periodic: true });
	await origin.start();
	await device.later(HOUR / 10);
	await device.end(await event(device), true);
});

periodic(FIRE, 'a failure is tried again before the next interval, and it stays registered', async ({ device }) => {
	await device.register('a', REGISTERED);
	await device.later(1.2 * HOUR);
	const first = await event(device);
	await device.end(first, false);
	await device.later(HOUR / 10);
	const second = await event(device);
	assert.notEqual(second.id, first.id);
	await device.end(second, true);
	assert.deepEqual(await device.tags({ periodic: true }), ['a']);
});

periodic('periodicsyncmanager-interface', 'another minInterval takes the place of the one before', async ({ device }) => {
	await device.register('a', REGISTERED);
	await device.register('a', { periodic: true, minInterval: 10 * HOUR });
	await device.later(1.2 * HOUR);
	await device.quiet('a', 500, { periodic: true });
	await device.register('a', REGISTERED);
	await device.later(1.2 * HOUR);
	await device.end(await event(device), true);
});

periodic('periodicsyncmanager-interface', 'unregistered while it fires: it is over', async ({ device }) => {
	await device.register('a', REGISTERED);
	await device.later(1.2 * HOUR);
	const under = await event(device);
	await device.unregister('a');
	assert.equal(await device.end(under, true), false);
	assert.deepEqual(await device.tags({ periodic: true }), []);
	await device.later(1.2 * HOUR);
	await device.quiet('a', 500, { periodic: true });
});
