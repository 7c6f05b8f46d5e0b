// SPDX-License-Identifier: Apache-2.0
// The panel's orders. Each has an identity of its own, which goes along as its
// Idempotency-Key: posting it again can do no harm.
//
//   sending   posted, no answer yet
//   unsent    the device did not take it (it is off): posted again until it does
//   queued    202: on the device's disk, sent by it when the shop can be reached
//   held      the device wants a person to look at it
//   done      the shop's own answer, with its number
//   refused   the shop's own answer, without one
const STORE = 'landing.orders';
const KEEP = 40;
const AGAIN_MS = 1500;
const POLL_MS = 4000;
const PENDING = '/.holdfast/requests?state=queued,held&limit=64';

const open = new Set(['queued', 'held']);

function load() {
	try {
		return JSON.parse(localStorage.getItem(STORE)) ?? [];
	} catch {
		return [];
	}
}

export class Orders {
	#list = load();
	#changed;

	constructor(changed) {
		this.#changed = changed;
	}

	/* Newest first. */
	get all() {
		return [...this.#list].reverse();
	}

	/* After a load: what was on its way is found again. */
	async start() {
		setInterval(() => this.refresh(), POLL_MS);
		await this.#adopt();
		for (const order of this.#list) {
			if (order.state === 'sending' || order.state === 'unsent')
				this.#post(order);
		}
		this.refresh();
	}

	place(lines, cents) {
		const order = { ref: crypto.randomUUID(), lines, cents, at: Date.now(), state: 'sending' };
		this.#list.push(order);
		this.#list = this.#list.slice(-KEEP);
		this.#post(order);
	}

	/* Asks for the answers of all that wait for one. */
	refresh() {
		for (const order of this.#list) {
			if (open.has(order.state))
				this.#ask(order);
		}
	}

	/* The device says something about request @id. */
	heard(id) {
		const order = this.#list.find((o) => o.id === id);
		if (order && open.has(order.state))
			this.#ask(order);
	}

	#set(order, change) {
		Object.assign(order, change);
		localStorage.setItem(STORE, JSON.stringify(this.#list));
		this.#changed();
	}

	/* Orders that the device has on its disk, known here or not. */
	async #adopt() {
		let after = '';
		do {
			let page;
			try {
				page = await (await fetch(PENDING + after, { cache: 'no-store' })).json();
			} catch {
				return;
			}
			for (const r of page.requests)
				this.#adoptOne(r);
			after = page.next ? `&after=${page.next}` : null;
		} while (after !== null);
	}

	#adoptOne(r) {
		if (r.url !== '/api/orders')
			return;
		let order = this.#list.find((o) => o.ref === r.idempotencyKey);
		if (!order) {
			order = { ref: r.idempotencyKey, lines: [], at: Date.parse(r.createdAt) || Date.now() };
			this.#list.push(order);
		}
		this.#set(order, { id: r.id, state: r.state === 'held' ? 'held' : 'queued' });
	}

	async #post(order) {
		this.#set(order, { state: 'sending' });
		let answer;
		try {
			answer = await fetch('/api/orders', {
				method: 'POST',
				headers: { 'Content-Type': 'application/json', 'Idempotency-Key': order.ref },
				body: JSON.stringify({ ref: order.ref,
					lines: order.lines.map(({ id, n }) => ({ id, n })) }),
			});
			if (answer.status === 202) {
				const { id, state } = await answer.json();
				this.#set(order, { id, state: state === 'held' ? 'held' : 'queued' });
				this.#ask(order);
			} else {
				await this.#finish(order, answer);
			}
		} catch {
			this.#postAgain(order);
		}
	}

	#postAgain(order) {
		this.#set(order, { state: 'unsent' });
		setTimeout(async () => {
			await this.#adopt();
			if (order.state === 'unsent')
				this.#post(order);
		}, AGAIN_MS);
	}

	/* Asks for the stored answer; while there is none, its state is told. */
	async #ask(order) {
		if (order.asking)
			return;
		Object.defineProperty(order, 'asking', { value: true, configurable: true });
		try {
			const answer = await fetch(`/.holdfast/requests/${order.id}/response`, { cache: 'no-store' });
			const state = answer.headers.get('Holdfast-State');
			if (state)
				this.#set(order, { state: state === 'held' ? 'held' : 'queued' });
			else if (answer.status !== 503 || !answer.headers.get('Proxy-Status')?.startsWith('holdfast'))
				await this.#finish(order, answer);
		} catch {
			/* the device is off: asked again with the next refresh */
		} finally {
			delete order.asking;
		}
	}

	async #finish(order, answer) {
		const ours = answer.headers.get('Proxy-Status')?.startsWith('holdfast');
		if (ours && answer.status >= 500)
			return this.#postAgain(order); /* not taken: the queue is full */
		const json = await answer.json().catch(() => ({}));
		if (answer.ok && json.number)
			this.#set(order, { state: 'done', number: json.number, minutes: json.minutes,
				cents: json.cents, doneAt: Date.now() });
		else
			this.#set(order, { state: 'refused', status: answer.status });
	}
}
