// SPDX-License-Identifier: Apache-2.0
// A chart over time with one scale: what is drawn in it, and what stands at a point.
class Chart {
	#at = null; // that the pointer or a key has chosen

	/* @draw(chart) draws with chart.x(us) and chart.y(value); @say(us) gives words,
	 * null without a point; @step(us, by) is the next point. */
	constructor(canvas, said, { end, max, unit, draw, say, step }) {
		Object.assign(this, { pen: new Pen(canvas), box: canvas.parentElement, said, end, max, unit, draw, say, step });
		this.box.addEventListener('pointermove', (e) => this.choose(this.us(e.offsetX)));
		this.box.addEventListener('pointerdown', (e) => this.choose(this.us(e.offsetX)));
		this.box.addEventListener('pointerleave', () => this.choose(null));
		this.box.addEventListener('keydown', (e) => this.#key(e));
		new ResizeObserver(() => this.redraw()).observe(this.box);
		matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.redraw());
		this.redraw();
		this.choose(null);
	}

	get at() {
		return this.#at;
	}

	x(us) {
		return this.left + us / this.end * (this.right - this.left);
	}

	y(value) {
		return this.bottom - value / this.max * (this.bottom - this.top);
	}

	us(x) {
		return Math.max(0, Math.min(this.end, (x - this.left) / (this.right - this.left) * this.end));
	}

	choose(us) {
		this.#at = us;
		this.said.textContent = this.say(us);
		this.redraw();
	}

	#key(e) {
		if (e.key === 'Escape') {
			this.choose(null);
		} else if (e.key === 'ArrowLeft' || e.key === 'ArrowRight') {
			this.choose(this.step(this.#at ?? 0, this.#at === null ? 0 : e.key === 'ArrowLeft' ? -1 : 1));
			e.preventDefault();
		}
	}

	redraw() {
		const width = this.box.clientWidth, height = width < 600 ? 200 : 260;
		if (!width)
			return;
		Object.assign(this, { top: 14, bottom: height - 28, left: width < 600 ? 44 : 58, right: width - 14 });
		this.pen.begin(width, height);
		this.#scales(width);
		this.draw(this);
		if (this.#at !== null)
			this.pen.line(this.x(this.#at), this.top, this.x(this.#at), this.bottom, 'soft');
	}

	#scales(width) {
		const { pen } = this;
		pen.font(12);
		for (let i = 0; i <= 4; i++) {
			const value = this.max * i / 4;
			pen.line(this.left, this.y(value), this.right, this.y(value), i ? 'grid' : 'edge');
			pen.text(`${grouped(Math.round(value * 10) / 10)}${this.unit}`, this.left - 8, this.y(value), 'soft', 'right');
		}
		const step = niceStep(this.end / Math.max(2, Math.floor(width / 110)));
		for (let us = 0; us <= this.end; us += step) {
			const at = this.x(us);
			pen.line(at, this.bottom, at, this.bottom + 4, 'edge');
			if (at < this.right - 16 || us === 0)
				pen.text(us ? spanText(us) : '0', at, this.bottom + 15, 'soft', us ? 'center' : 'left');
		}
	}
}
