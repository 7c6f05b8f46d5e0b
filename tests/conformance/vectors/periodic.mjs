/* SPDX-License-Identifier: Apache-2.0 */
/* Periodic background sync: what can be seen without waiting for an interval, which may be long. */
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
