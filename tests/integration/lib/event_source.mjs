/* SPDX-License-Identifier: Apache-2.0 */
/* EventSource as browsers have it, on fetch(): resumes, waits, gives up on an error status. */
import { sleep } from './harness.mjs';

/* A class whose open streams are in @open; all of them end with x. */
export function eventSources(x) {
	const open = new Set();
	let over = false;
	class TestEventSource extends EventTarget {
		static open = open;
		static made = 0;
		readyState = 0;
		lastId = '';
		#over = new AbortController();

		constructor(url) {
			super();
			this.url = url;
			TestEventSource.made++;
			if (over)
				return;
			open.add(this);
			this.#run();
		}

		close() {
			this.readyState = 2;
			this.#over.abort();
			open.delete(this);
		}

		async #run() {
			while (this.readyState !== 2) {
				this.readyState = 0;
				const refused = await this.#read().catch(() => false);
				if (this.readyState === 2)
					return;
				this.readyState = refused ? 2 : 0;
				this.onerror?.();
				await sleep(200);
			}
		}

		async #read() {
			const response = await fetch(this.url, { signal: this.#over.signal,
				headers: this.lastId ? { 'Last-Event-ID': this.lastId } : {} });
			if (response.status !== 200)
				return true;
			this.readyState = 1;
			this.onopen?.();
			let text = '';
			for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
				const blocks = (text + piece).split('\n\n');
				text = blocks.pop();
				blocks.forEach((block) => this.#tell(block));
			}
			return false;
		}

		#tell(block) {
			const value = (name) => block.split('\n').filter((l) => l.startsWith(`${name}: `))
				.map((l) => l.slice(name.length + 2)).join('\n');
			this.lastId = value('id') || this.lastId;
			if (value('data'))
				this.dispatchEvent(Object.assign(new Event(value('event') || 'message'),
					{ data: value('data'), lastEventId: this.lastId }));
		}
	}
	x.defer(() => {
		over = true;
		open.forEach((source) => source.close());
	});
	return TestEventSource;
}
