// SPDX-License-Identifier: Apache-2.0
// The visible time, and where it stands on the plot.
class View {
	#watchers = [];

	constructor(end) {
		this.end = end;
		this.from = 0;
		this.to = end;
		this.shortest = Math.min(end, 2 * US.ms);
		this.narrow = false;
		this.left = 0;
		this.right = 1;
	}

	watch(f) {
		this.#watchers.push(f);
	}

	get lasts() {
		return this.to - this.from;
	}

	get isAll() {
		return this.from === 0 && this.to === this.end;
	}

	x(us) {
		return this.left + (us - this.from) / this.lasts * (this.right - this.left);
	}

	us(x) {
		const at = this.from + (x - this.left) / (this.right - this.left) * this.lasts;
		return Math.max(this.from, Math.min(this.to, at));
	}

	/* Time that takes @px. */
	of(px) {
		return px / (this.right - this.left) * this.lasts;
	}

	set(from, to) {
		const lasts = Math.max(this.shortest, Math.min(this.end, to - from));
		const start = Math.max(0, Math.min(this.end - lasts, (from + to - lasts) / 2));
		if (start === this.from && start + lasts === this.to)
			return;
		this.from = start;
		this.to = Math.min(this.end, start + lasts);
		for (const f of this.#watchers)
			f();
	}

	/* @factor below 1 shows less, around @at. */
	zoom(factor, at = (this.from + this.to) / 2) {
		const lasts = Math.max(this.shortest, Math.min(this.end, this.lasts * factor));
		const share = (at - this.from) / this.lasts;
		const from = Math.max(0, Math.min(this.end - lasts, at - share * lasts));
		this.set(from, from + lasts);
	}

	move(by) {
		const from = Math.max(0, Math.min(this.end - this.lasts, this.from + by));
		this.set(from, from + this.lasts);
	}

	all() {
		this.set(0, this.end);
	}

	/* Shows [from, to] with some room around. */
	show(from, to) {
		const room = Math.max((to - from) * 0.25, this.shortest * 5);
		this.set(from - room, to + room);
	}
}
