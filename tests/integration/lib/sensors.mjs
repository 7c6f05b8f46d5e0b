/* SPDX-License-Identifier: Apache-2.0 */
/* What sensors are tested with: a daemon that queues their readings. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './harness.mjs';
import { Origin } from './origin.mjs';
import { Daemon, queuedRoute } from './daemon.mjs';
import { Sensor, freeUdpPort } from './coap.mjs';

export const KEYS = 'pump-3 hex:73657361 POST:/readings\nlamp word PUT:/state/*\n- - POST:/readings PUT:/state/*\n';

const manifest = { name: 'hall', version: '1', routes: [queuedRoute('/readings', 'readings'),
	queuedRoute('/state/*', 'state', {}, 'PUT')] };

/* The daemon with an origin, and a sensor before it; devices as of KEYS. */
export async function hall(x, { up = false, keys = KEYS, agent = {}, ...options } = {}) {
	const origin = await Origin.create(x, { start: up });
	const port = await freeUdpPort(2);
	const file = join(x.dir, 'devices');
	writeFileSync(file, keys);
	chmodSync(file, 0o640);
	const daemon = await Daemon.create(x, { origin, manifest, ...options, agent: {
		'coap-listen': `127.0.0.1:${port}`, 'coaps-listen': `127.0.0.1:${port + 1}`, 'coap-devices': file, ...agent } });
	return { origin, daemon, port, file, sensor: await Sensor.create(x, port) };
}

export const drained = (daemon) => until(async () => {
	const { totals } = await daemon.status();
	if (totals.waiting > 0)
		await daemon.request({ method: 'POST', path: '/.holdfast/sync-now' });
	return totals.waiting === 0;
}, { ms: 120000, what: 'the queue is empty', every: 200 });
