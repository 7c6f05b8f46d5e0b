/* SPDX-License-Identifier: Apache-2.0 */
/* A page that listens, as EventSource does it once. */
import { get } from 'node:http';
import { until } from './harness.mjs';

/* status, and events as [name, data]. */
export class Page {
	events = [];
	static open(x, daemon, path) {
		const p = new Page();
		p.request = get({ port: daemon.port, host: daemon.host, path, agent: false,
			headers: { Accept: 'text/event-stream', Connection: 'keep-alive' } }, (response) => {
			p.status = response.statusCode;
			p.headers = response.headers;
			let text = '';
			response.setEncoding('utf8');
			response.on('data', (piece) => {
				const blocks = (text + piece).split('\n\n');
				text = blocks.pop();
				blocks.forEach((b) => p.#tell(b));
			});
			response.on('end', () => (p.ended = true));
			response.on('error', () => {});
		});
		p.request.on('error', () => (p.ended = true));
		x.defer(() => p.close());
		x.explain(() => `a page of ${path}: ${p.status} ${JSON.stringify(p.events.slice(-20))}`);
		return p;
	}

	#tell(text) {
		const lines = text.split('\n');
		const name = lines.find((l) => l.startsWith('event: '))?.slice(7) ?? 'message';
		this.events.push([name, lines.filter((l) => l.startsWith('data:')).map((l) => l.slice(6)).join('\n')]);
	}

	close() {
		this.request.destroy();
	}

	data(name = 'message') {
		return this.events.filter(([n]) => n === name).map(([, d]) => d);
	}

	hears(data, name = 'message', ms = 20000) {
		return until(() => this.data(name).includes(data), { ms, what: `${name} ${data} at a page` });
	}
}
