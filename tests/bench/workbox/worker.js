/* SPDX-License-Identifier: Apache-2.0 */
/* Queues orders in Workbox's background sync, and replays them when it is told to. */
importScripts('workbox-core.js', 'workbox-background-sync.js');

const queue = new workbox.backgroundSync.Queue('orders', { onSync() {} });

async function fill({ count, bytes }) {
	for (let n = 0; n < count; n++)
		await queue.pushRequest({ request: new Request('/api/orders', { method: 'POST',
			headers: { 'X-N': `${n}` }, body: `${n}`.padEnd(bytes, 'x') }) });
}

self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('message', (event) => event.waitUntil((async () => {
	await (event.data === 'replay' ? queue.replayRequests() : fill(event.data));
	event.ports[0].postMessage(await queue.size());
})()));
