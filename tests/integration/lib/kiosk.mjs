/* SPDX-License-Identifier: Apache-2.0 */
/* A kiosk whose orders may wait. */
import assert from 'node:assert/strict';
import { Origin } from './origin.mjs';
import { Daemon, queuedRoute } from './daemon.mjs';

export const routes = (...list) => ({ name: 'kiosk', version: '1', routes: list });

export async function kiosk(x, { policy, up = false, manifest, conf, ...options } = {}) {
	const origin = await Origin.create(x, { start: up, ...options });
	origin.conf = conf;
	const daemon = await Daemon.create(x, { origin,
		manifest: manifest ?? routes(queuedRoute('/api/orders', 'orders', policy)) });
	return { origin, daemon };
}

/* Posts, and expects 202: { id, key, answer }. */
export async function queue(daemon, path = '/api/orders', body, headers) {
	const answer = await daemon.post(path, body, headers);
	assert.equal(answer.status, 202, answer.text);
	const json = answer.json();
	return { id: json.id, key: json.idempotencyKey, json, answer };
}

/* Reads the event stream: { list, close() }. */
export async function listen(x, daemon, headers = {}) {
	const list = [];
	let stream;
	const opened = new Promise((resolve, reject) => {
		daemon.request({ path: '/.holdfast/events', headers, timeout: 60000, onResponse(res) {
			stream = res;
			let text = '';
			res.on('data', (d) => {
				text += d;
				let at;
				while ((at = text.indexOf('\n\n')) >= 0) {
					const fields = Object.fromEntries(text.slice(0, at).split('\n')
						.filter((l) => l && !l.startsWith(':'))
						.map((l) => [l.slice(0, l.indexOf(':')), l.slice(l.indexOf(':') + 1).trim()]));
					text = text.slice(at + 2);
					if (fields.event)
						list.push({ type: fields.event, id: fields.id, data: JSON.parse(fields.data) });
				}
			});
			if (res.statusCode !== 200)
				reject(new Error(`events: ${res.statusCode}`));
			else
				resolve();
		} }).catch(() => {});
	});
	await opened;
	x.defer(() => stream.destroy());
	return { list, close: () => stream.destroy() };
}
