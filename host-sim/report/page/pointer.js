// SPDX-License-Identifier: Apache-2.0
// Mouse, touch and keys on the timeline, and the boxes that say what is there.
const CLICK_PX = 4;
const SCROLL_MS = 250; /* a wheel that scrolls the page goes on doing so */

class Tip {
	constructor(box) {
		this.box = box;
	}

	hide() {
		this.box.hidden = true;
	}

	/* Beside a point of the window, inside of it. */
	show(content, x, y) {
		const { box } = this;
		box.replaceChildren(...content);
		box.hidden = false;
		box.style.left = box.style.top = '0';
		const { width, height } = box.getBoundingClientRect();
		const right = document.documentElement.clientWidth;
		const left = x + 16 + width > right - 8 ? x - 16 - width : x + 16;
		box.style.left = `${Math.max(8, Math.min(left, right - width - 8))}px`;
		box.style.top = `${Math.max(8, Math.min(y + 14, window.innerHeight - height - 8))}px`;
	}
}

/* The box that stays. */
class Pin {
	constructor(box, app) {
		this.box = box;
		this.app = app;
		this.hit = null;
		box.addEventListener('keydown', (e) => e.key === 'Escape' && this.close());
	}

	open(hit, x, y) {
		const close = el('button', 'close', '×');
		close.type = 'button';
		close.setAttribute('aria-label', 'Close');
		close.addEventListener('click', () => this.close());
		this.hit = hit;
		new Tip(this.box).show([close, ...details(hit, this.app, true)], x, y);
		this.app.lanes.chosen = hit.request ?? null;
		this.app.drawSoon();
	}

	close() {
		if (this.box.hidden)
			return;
		const back = this.box.contains(document.activeElement);
		this.box.hidden = true;
		this.hit = null;
		this.app.lanes.chosen = null;
		this.app.drawSoon();
		if (back)
			this.app.plot.focus();
	}
}

class Pointer {
	#down = null; /* { x, y, what } of the button that is held */
	#touches = new Map();
	#scrolled = -Infinity;

	constructor(app) {
		this.app = app;
		this.plot = app.plot;
		this.tip = new Tip(document.getElementById('tip'));
		this.cross = document.getElementById('cross');
		this.choice = document.getElementById('choice');
		const on = (name, f, options) => this.plot.addEventListener(name, f, options);
		window.addEventListener('scroll', (e) => (this.#scrolled = e.timeStamp), { passive: true });
		on('wheel', (e) => this.#wheel(e), { passive: false });
		on('pointerdown', (e) => this.#press(e));
		on('pointermove', (e) => this.#move(e));
		on('pointerup', (e) => this.#release(e));
		on('pointercancel', (e) => this.#cancel(e));
		on('pointerleave', () => this.#leave());
		on('dblclick', () => app.view.all());
		on('keydown', (e) => this.#key(e));
		on('blur', () => this.tip.hide());
	}

	/* What stands at a point of the window. */
	#at(e) {
		const { tracks, lanes } = this.app;
		const box = this.plot.getBoundingClientRect();
		const x = e.clientX - box.left;
		const y = e.clientY - box.top;
		return { x, y, hit: y < tracks.height ? tracks.at(x, y) : lanes.at(x, y - tracks.height) };
	}

	/* At the end of the way out the page scrolls. */
	#wheel(e) {
		const { view, lanes } = this.app;
		const { x } = this.#at(e);
		const overNames = x < view.left - 8 && lanes.height > lanes.room;
		if (e.timeStamp - this.#scrolled < SCROLL_MS && !e.ctrlKey)
			return;
		if (e.altKey || overNames || (view.isAll && e.deltaY > 0 && Math.abs(e.deltaX) < Math.abs(e.deltaY)))
			return;
		e.preventDefault();
		const unit = e.deltaMode === 1 ? 20 : 1;
		if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY))
			view.move(view.of((e.deltaX || e.deltaY) * unit));
		else
			view.zoom(Math.exp(Math.max(-120, Math.min(120, e.deltaY * unit)) / 240), view.us(x));
	}

	#press(e) {
		if (e.button > 1)
			return;
		const { x, y, hit } = this.#at(e);
		const { view } = this.app;
		this.#touches.set(e.pointerId, { x, y });
		if (this.#touches.size === 2) {
			this.#down = { what: 'pinch' };
			this.choice.hidden = true;
			return;
		}
		const what = hit?.what === 'strip' ? 'strip' :
			e.pointerType === 'touch' || e.shiftKey || e.button === 1 ? 'move' : 'choose';
		this.#down = { what, x, y, hit, from: view.from, moved: false };
		if (x >= view.left - 10)
			this.plot.setPointerCapture(e.pointerId);
		if (what === 'strip')
			this.#strip(x);
	}

	#move(e) {
		const at = this.#at(e);
		const down = this.#down;
		if (!down) {
			this.#hover(e, at);
			return;
		}
		if (down.what === 'pinch') {
			this.#pinch(e, at);
			return;
		}
		down.moved ||= Math.hypot(at.x - down.x, at.y - down.y) > CLICK_PX;
		if (!down.moved)
			return;
		this.tip.hide();
		if (down.what === 'strip')
			this.#strip(at.x);
		else if (down.what === 'move')
			this.#drag(at.x - down.x);
		else
			this.#mark(down.x, at.x);
	}

	#release(e) {
		const down = this.#down;
		this.#touches.delete(e.pointerId);
		this.#down = null;
		this.choice.hidden = true;
		if (!down || down.what === 'pinch' || down.what === 'strip')
			return;
		const at = this.#at(e);
		const { view } = this.app;
		if (!down.moved)
			this.#click(e, down.hit);
		else if (down.what === 'choose' && Math.abs(at.x - down.x) > CLICK_PX)
			view.set(Math.min(view.us(at.x), view.us(down.x)), Math.max(view.us(at.x), view.us(down.x)));
	}

	#cancel(e) {
		this.#touches.delete(e.pointerId);
		this.#down = null;
		this.choice.hidden = true;
	}

	#leave() {
		this.tip.hide();
		this.cross.hidden = true;
		this.#light(null);
	}

	#click(e, hit) {
		const { pin } = this.app;
		this.tip.hide();
		if (hit && DETAILS[hit.what])
			pin.open(hit, e.clientX, e.clientY);
		else
			pin.close();
	}

	#hover(e, { x, hit }) {
		const { view } = this.app;
		const inside = x >= view.left && x <= view.right;
		this.cross.hidden = !inside || hit?.what === 'strip';
		this.cross.style.left = `${x}px`;
		this.cross.dataset.text = inside ? this.app.model.clock.full(view.us(x), Math.min(view.of(1), US.min)) : '';
		this.cross.classList.toggle('flip', x > view.right - 120);
		this.#light(hit?.request ?? null);
		if (hit && DETAILS[hit.what] && e.pointerType !== 'touch')
			this.tip.show(details(hit, this.app), e.clientX, e.clientY);
		else
			this.tip.hide();
	}

	#light(request) {
		if (this.app.lanes.hovered === request)
			return;
		this.app.lanes.hovered = request;
		this.app.drawSoon();
	}

	/* Puts the middle of the visible time where the strip was touched. */
	#strip(x) {
		const { view } = this.app;
		const at = (x - view.left) / (view.right - view.left) * view.end;
		view.move(at - view.lasts / 2 - view.from);
	}

	#drag(by) {
		const { view } = this.app;
		view.move(this.#down.from - view.of(by) - view.from);
	}

	#mark(a, b) {
		const { view } = this.app;
		const from = Math.max(view.left, Math.min(a, b));
		const to = Math.min(view.right, Math.max(a, b));
		this.choice.hidden = false;
		this.cross.hidden = true;
		this.choice.style.left = `${from}px`;
		this.choice.style.width = `${Math.max(0, to - from)}px`;
		this.choice.dataset.text = spanText(view.of(Math.max(0, to - from)));
	}

	#pinch(e, at) {
		const { view } = this.app;
		const other = [...this.#touches].find(([id]) => id !== e.pointerId)?.[1];
		const before = this.#touches.get(e.pointerId);
		if (!other || !before)
			return;
		const was = Math.max(20, Math.abs(before.x - other.x));
		const is = Math.max(20, Math.abs(at.x - other.x));
		view.zoom(was / is, view.us((at.x + other.x) / 2));
		this.#touches.set(e.pointerId, { x: at.x, y: at.y });
	}

	/* ---- keys ---- */

	#key(e) {
		const { view, pin } = this.app;
		const keys = {
			ArrowLeft: () => view.move(-view.lasts * 0.15),
			ArrowRight: () => view.move(view.lasts * 0.15),
			'+': () => view.zoom(0.6), '=': () => view.zoom(0.6), '-': () => view.zoom(1 / 0.6),
			0: () => view.all(), Home: () => view.all(),
			n: () => this.#step(1), p: () => this.#step(-1),
			Enter: () => this.#pinHovered(),
			Escape: () => (pin.close(), this.tip.hide()),
		};
		const act = keys[e.key.length === 1 ? e.key.toLowerCase() : e.key];
		if (!act || e.ctrlKey || e.metaKey || e.altKey)
			return;
		e.preventDefault();
		act();
	}

	/* To the next or previous request. */
	#step(by) {
		const { model, lanes, view } = this.app;
		const all = model.requests;
		let i = all.indexOf(lanes.hovered ?? lanes.chosen);
		i = i >= 0 ? i + by : upper(all, view.from, (r) => r.sent) - (by < 0 ? 1 : 0);
		if (!all[i])
			return;
		if (all[i].to < view.from || all[i].from > view.to)
			view.move(all[i].from - (view.from + view.to) / 2);
		this.#light(all[i]);
		lanes.reveal(all[i]);
		const { x, y } = this.app.place(all[i]);
		this.tip.show(details({ what: 'request', request: all[i] }, this.app), x, y);
		this.app.say(`Request ${all[i].number}, ${all[i].method} ${all[i].path}, ${KINDS[all[i].kind].words}`);
	}

	#pinHovered() {
		const { lanes, pin } = this.app;
		if (!lanes.hovered)
			return;
		const { x, y } = this.app.place(lanes.hovered);
		this.tip.hide();
		pin.open({ what: 'request', request: lanes.hovered }, x, y);
		pin.box.focus();
	}
}
