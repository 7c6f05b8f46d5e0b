/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stretch of network between one UDP client and a server, which loses, delays and reorders
 * datagrams by a seed: relay.port leads to the server. rebind() makes it speak to the server
 * from another port, as an address translation that has forgotten the client.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { random } from './harness.mjs';

export class UdpRelay {
	/* loss: 0 to 1; delay: ms each way; reorder: how many, 0 to 1, come as much later again. */
	static async create(x, port, { seed = 1, loss = 0, delay = 0, reorder = 0 } = {}) {
		const r = new UdpRelay();
		Object.assign(r, { server: port, loss, delay, reorder, random: random(seed), passed: 0, lost: 0 });
		r.timers = new Set();
		r.front = await r.#socket((b, from) => {
			r.client = from;
			r.#pass(() => r.back.send(b, r.server, '127.0.0.1'));
		});
		r.port = r.front.address().port;
		await r.rebind();
		x.defer(() => r.close());
		x.explain(() => `the relay of seed ${seed} passed ${r.passed} datagrams and lost ${r.lost}`);
		return r;
	}

	async #socket(heard) {
		const s = createSocket('udp4');
		s.on('message', heard);
		s.on('error', () => {});
		s.bind(0, '127.0.0.1');
		await once(s, 'listening');
		return s;
	}

	async rebind() {
		const before = this.back;
		this.back = await this.#socket((b) => {
			const { client } = this;
			this.#pass(() => this.front.send(b, client.port, client.address));
		});
		before?.close();
	}

	#pass(send) {
		if (this.random() < this.loss) {
			this.lost++;
			return;
		}
		this.passed++;
		const late = this.random() < this.reorder ? 2 : 1;
		const timer = setTimeout(() => {
			this.timers.delete(timer);
			send();
		}, this.delay * late);
		this.timers.add(timer);
	}

	close() {
		this.timers.forEach(clearTimeout);
		this.front.close();
		this.back.close();
	}
}
