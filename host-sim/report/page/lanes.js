// SPDX-License-Identifier: Apache-2.0
// The lower part of the timeline: the life of each request, lane by lane. A lane
// has as many tracks as its requests need not to cover each other.
const LANE_GAP = 10;
const LANE_HEAD = 20;
const ROOM = 480; /* for all lanes, unless there are many */
const DENSE = 4; /* tracks below this have no signs, only colours */
const SEEN_PX = 8; /* the least that a request takes in the view of all */

class Lanes {
	constructor(canvas, box, size, model, view) {
		this.pen = new Pen(canvas);
		this.box = box;
		this.size = size;
		this.model = model;
		this.view = view;
		this.lanes = model.lanes.map((name, i) => ({ name, requests: model.requests.filter((r) => r.lane === i) }));
		this.hovered = null;
		this.chosen = null;
		this.whole = false; /* each row at its height */
	}

	/* Places everything for this width. Lanes with more tracks than there is room are dense, unless
	 * whole rows are wanted. */
	layOut() {
		const { model, view, lanes } = this;
		const { narrow } = view;
		const least = model.end * SEEN_PX / (view.right - view.left);
		let tracks = 0;
		for (const lane of lanes) {
			lane.tracks = pack(lane.requests, least);
			tracks += lane.tracks;
		}
		const row = tracks <= 30 ? 15 : tracks <= 60 ? 11 : 8;
		this.head = narrow || lanes.some((l) => this.#width(l.name) > view.left - 12) ? LANE_HEAD : 0;
		const room = Math.max(120, ROOM / Math.max(1, lanes.length) - LANE_GAP - this.head);
		this.crowded = lanes.some((l) => l.tracks * row > room) && tracks * row > ROOM;
		let y = 8;
		for (const lane of lanes) {
			lane.track = this.crowded && !this.whole ? Math.min(row, room / lane.tracks) : row;
			lane.y = y + this.head;
			lane.h = Math.max(lane.tracks * lane.track, this.head ? 0 : 18);
			y = lane.y + lane.h + LANE_GAP;
		}
		this.height = Math.max(y, 40);
		this.size.style.height = `${this.height}px`;
	}

	#width(name) {
		this.pen.family ??= getComputedStyle(document.body).fontFamily;
		this.pen.font();
		return this.pen.g.measureText(name).width;
	}

	/* The height that it takes on the page; more is scrolled to. */
	get room() {
		return Math.min(this.height, ROOM + 60);
	}

	middle(r) {
		const lane = this.lanes[r.lane];
		return lane.y + (r.track + 0.5) * lane.track;
	}

	draw(width) {
		const { pen, view, model } = this;
		const top = this.box.scrollTop;
		const room = this.room;
		pen.begin(width, room);
		pen.font();
		for (const t of ticks(view, model.clock))
			pen.fill(Math.round(view.x(t)), 0, 1, room, 'grid');
		drawCuts(pen, view, model, 0, room);
		pen.g.save();
		pen.g.translate(0, -top);
		if (!model.requests.length)
			pen.text('No request was sent.', view.left, 20);
		for (const lane of this.lanes)
			this.#drawLane(lane, top, top + room);
		pen.g.restore();
	}

	#drawLane(lane, top, bottom) {
		const { pen, view } = this;
		if (lane.y + lane.h < top || lane.y - this.head > bottom)
			return;
		pen.fill(0, lane.y - this.head - LANE_GAP / 2, view.right + 8, 1, 'edge');
		if (this.head)
			pen.text(pen.fitted(lane.name, view.right), 0, lane.y - 9);
		else
			pen.text(pen.fitted(lane.name, view.left - 12), 0, Math.max(lane.y, top) + 9);
		const shown = lane.requests.filter((r) => r.to >= view.from - view.of(8) && r.from <= view.to + view.of(8) &&
			this.middle(r) > top - 10 && this.middle(r) < bottom + 10);
		pen.within(view.left - 7, lane.y - 2, view.right - view.left + 14, lane.h + 4, () => {
			const dense = lane.track < DENSE;
			for (const r of shown)
				this.#drawLife(r, lane.track, dense);
			for (const r of shown)
				(dense ? this.#drawPoints(r, lane.track) : this.#drawSigns(r, lane.track));
			for (const r of [this.chosen, this.hovered].filter((r) => dense && r && lane.requests[0]?.lane === r.lane)) {
				this.#drawLife(r, 9, false);
				this.#drawSigns(r, 9);
			}
		});
	}

	#drawLife(r, track, dense) {
		const { pen, view } = this;
		const y = this.middle(r);
		const h = Math.max(5, track - 5);
		const x = (us) => Math.max(view.left - 20, Math.min(view.right + 20, view.x(us)));
		const waits = r.kept || r.open;
		if (dense) {
			pen.g.globalAlpha = 0.55;
			if (waits)
				pen.fill(x(r.answered), y - track / 2, x(r.to) - x(r.answered), Math.max(track, 0.7), 'wait-line');
			pen.g.globalAlpha = 1;
			return;
		}
		if (r === this.hovered || r === this.chosen)
			pen.fill(x(r.from) - 8, y - track / 2 - 1, x(r.to) - x(r.from) + 16, track + 2, 'lit', 4);
		if (waits) {
			pen.fill(x(r.answered), y - h / 2, Math.max(2, x(r.to) - x(r.answered)), h, 'wait-soft', 2);
			pen.frame(x(r.answered), y - h / 2, Math.max(2, x(r.to) - x(r.answered)), h,
				r.kind === 'waiting' ? 'bad' : 'wait-line', 2);
			pen.fill(x(r.answered) - 1, y - h / 2 - 1, 2.5, h + 2, 'wait');
		}
		pen.fill(x(r.sent), y - 1, Math.max(1, x(r.answered ?? r.to) - x(r.sent)), 2, 'soft');
	}

	/* In place of signs where there is no room for them. */
	#drawPoints(r, track) {
		const { pen, view } = this;
		const y = this.middle(r);
		const h = Math.max(track, 1.5);
		for (const a of r.attempts) {
			const x = view.x(a[0]);
			if (x >= view.left - 3 && x <= view.right + 3)
				pen.fill(x - 1.5, y - h / 2, 3, h, SIGNS[attemptOutcome(a)[0]].colour);
		}
		if (!r.attempts.length)
			pen.fill(view.x(r.sent) - 1.5, y - h / 2, 3, h, 'soft');
	}

	/* Equal signs that would cover each other are drawn once. */
	#drawSigns(r, track) {
		const { pen, view } = this;
		const y = this.middle(r);
		const size = Math.max(1.4, Math.min(4.6, track / 2 - 0.6));
		let key = '';
		let last = -Infinity;
		for (const a of r.attempts) {
			const x = view.x(a[0]);
			const now = attemptOutcome(a)[0];
			if (x < view.left - 8 || x > view.right + 8 || (now === key && x - last < size * 2 + 1))
				continue;
			pen.sign(now, x, y, size);
			key = now;
			last = x;
		}
		if (r.kind === 'unanswered' || (r.kind === 'refused' && !r.attempts.length))
			pen.sign(r.kind, view.x(r.sent), y, size);
	}

	/* The request at a point of the canvas, or null. */
	at(x, y) {
		const { view } = this;
		const down = y + this.box.scrollTop;
		const lane = this.lanes.find((l) => down >= l.y - 3 && down < l.y + l.h + 3);
		let best = null;
		let away = 7;
		if (!lane || x < view.left - 7 || x > view.right + 7)
			return null;
		for (const r of lane.requests) {
			if (Math.abs(this.middle(r) - down) > Math.max(2, lane.track / 2 + 1))
				continue;
			const from = view.x(r.from);
			const to = view.x(r.to);
			const d = x < from ? from - x : x > to ? x - to : 0;
			if (d < away) {
				best = r;
				away = d;
			}
		}
		return best && { what: 'request', request: best };
	}

	/* Scrolls so that @r is to be seen. */
	reveal(r) {
		const y = this.middle(r);
		if (y < this.box.scrollTop + 20 || y > this.box.scrollTop + this.room - 20)
			this.box.scrollTop = y - this.room / 2;
	}
}
