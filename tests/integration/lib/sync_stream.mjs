/* SPDX-License-Identifier: Apache-2.0 */
/* The event stream of a daemon; all() has what came of @type, of a tag when one is
 * named. */
import { until } from './harness.mjs';

export class Stream {
	events = [];

	static async open(x, daemon, type = 'sync') {
		const s = new Stream();
		let text = '';
		s.type = type;
		await new Promise((resolve, reject) => {
			daemon.request({ path: '/.holdfast/events', timeout: 120000, onResponse(res) {
				x.defer(() => res.destroy());
				res.on('error', () => {}); /* a daemon that is killed */
				res.on('data', (d) => {
					text += d;
					for (let at; (at = text.indexOf('\n\n')) >= 0; text = text.slice(at + 2))
						s.#take(text.slice(0, at));
				});
				resolve();
			} }).catch(reject);
		});
		return s;
	}

	#take(block) {
		const type = /^event: (.*)$/m.exec(block)?.[1], data = /^data: (.*)$/m.exec(block)?.[1];
		if (type === this.type)
			this.events.push({ ...JSON.parse(data), heard: performance.now() });
	}

	all(tag) {
		return this.events.filter((e) => e.tag === tag);
	}

	states(tag) {
		return this.all(tag).map((e) => e.state).join(' ');
	}

	/* The @n-th event of @tag in @state, from 1. */
	async nth(tag, state, n = 1, ms = 20000) {
		return until(() => this.all(tag).filter((e) => e.state === state)[n - 1],
			{ ms, what: `event ${n} of ${tag} ${state}` });
	}
}
