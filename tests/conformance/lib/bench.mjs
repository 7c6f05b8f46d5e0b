/* SPDX-License-Identifier: Apache-2.0 */
/* The origin as the suite has it: gone and back, and as new for each vector. */
import { Origin } from '../../integration/lib/origin.mjs';

/* An origin on @port, or on a free one: as new after reset(). */
export async function benchOrigin(x, port) {
	const origin = await Origin.create(x, port ? { port } : {});
	origin.reset = async () => {
		Object.assign(origin, { arrivals: [], effects: new Map(), answers: [], handler: null });
		if (!origin.up)
			await origin.start();
	};
	return origin;
}

/* What a device is configured with: the profile of README.md as a worker manifest. */
export const profile = {
	name: 'conformance',
	routes: [{ condition: { urlPattern: '/conformance/orders', requestMethod: 'POST' }, source: 'network',
		queue: { tag: 'orders', lane: 'orders' } }],
	sync: [
		{ tag: 'slow', page: true, retrySeconds: 600 },
		{ tag: 'final', page: true, retrySeconds: 1, maxAttempts: 2 },
		{ tag: 'once', page: true, retrySeconds: 1, maxAttempts: 1 },
		{ tag: 'short', page: true, retrySeconds: 1, timeoutSeconds: 1 },
		{ tag: '*', page: true, retrySeconds: 1 },
	],
};
