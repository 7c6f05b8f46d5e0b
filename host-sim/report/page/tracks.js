// SPDX-License-Identifier: Apache-2.0
// The upper part of the timeline: the whole run as a strip, the axis, a band for
// each state, the pages, a chart for each series.
const HEIGHT = { strip: 30, axis: 28, band: 22, marks: 22, level: 96, sum: 76 };
const BARS = { good: 4, poor: 12, bad: 14, off: 12 };

class Tracks {
	constructor(canvas, model, view) {
		this.pen = new Pen(canvas);
		this.model = model;
		this.view = view;
		this.rows = this.#layOut();
		this.height = this.rows.at(-1).y + this.rows.at(-1).h;
	}

	#layOut() {
		const rows = [{ what: 'strip' }, { what: 'axis' }];
		for (const band of this.model.bands)
			rows.push({ what: 'band', band, name: band.label, short: band.short });
		for (const [name, marks] of [['Events', this.model.events], ['Pages', this.model.pages]]) {
			if (marks.length)
				rows.push({ what: 'marks', marks, name });
		}
		for (const series of this.model.series)
			rows.push({ what: series.kind, series, name: series.name });
		let y = 0;
		for (const row of rows) {
			row.y = y;
			row.h = HEIGHT[row.what];
			y += row.h;
		}
		return rows;
	}

	row(what) {
		return this.rows.find((r) => r.what === what);
	}

	draw(width) {
		const { pen, view } = this;
		pen.begin(width, this.height);
		pen.font();
		this.#grid();
		for (const row of this.rows) {
			const draw = { strip: drawStrip, axis: drawAxis, band: drawBand, marks: drawMarks, level: drawLevel,
				sum: drawSum }[row.what];
			if (row.name && row.what !== 'level' && row.what !== 'sum')
				pen.text(pen.fitted(view.narrow ? row.short ?? row.name : row.name, view.left - 12), 0, row.y + row.h / 2);
			draw(pen, view, row, this.model);
		}
		drawCuts(pen, view, this.model, this.row('axis').y + HEIGHT.axis, this.height);
	}

	#grid() {
		const { pen, view } = this;
		const top = this.row('axis').y + HEIGHT.axis;
		for (const t of ticks(view, this.model.clock))
			pen.fill(Math.round(view.x(t)), top, 1, this.height - top, 'grid');
	}

	/* What stands at a point: { what, ... }, or null. */
	at(x, y) {
		const { view } = this;
		const row = this.rows.find((r) => y >= r.y && y < r.y + r.h);
		if (!row || x < view.left - 6 || x > view.right + 6)
			return null;
		const us = view.us(x);
		const cut = this.model.cuts.find((m) => Math.abs(view.x(m.at) - x) < 4);
		switch (row.what) {
		case 'band':
			return { what: 'span', span: this.#span(row.band, x, us) };
		case 'marks': {
			const mark = nearest(row.marks, view, x, 8);
			return mark && { what: 'mark', mark };
		}
		case 'level':
			return cut ? { what: 'mark', mark: cut } : { what: 'level', series: row.series, us };
		case 'sum':
			return { what: 'sum', series: row.series, us, ...barAt(row, us) };
		case 'strip':
			return { what: 'strip' };
		default:
			return null;
		}
	}

	/* Short spans are drawn wider than they are, so they win. */
	#span(band, x, us) {
		const short = band.spans.find((s) => s.mood !== 'good' && this.view.of(4) > s.to - s.from &&
			Math.abs(this.view.x(s.from) - x) < 4);
		return short ?? band.spans[Math.max(0, upper(band.spans, us, (s) => s.from) - 1)];
	}
}

function nearest(marks, view, x, within) {
	let best = null;
	for (const m of marks) {
		const away = Math.abs(view.x(m.at) - x);
		if (away <= within && (!best || away < Math.abs(view.x(best.at) - x)))
			best = m;
	}
	return best;
}

/* ---- the axis ---- */

function ticks(view, clock) {
	const room = view.right - view.left < 420 ? 62 : 84;
	let step = niceStep(view.of(room));
	if (step < US.s)
		step = niceStep(view.of(room + 26));
	const out = [];
	for (let t = Math.ceil((clock.begins + view.from) / step) * step; t - clock.begins <= view.to; t += step)
		out.push(t - clock.begins);
	out.step = step;
	return out;
}

function drawAxis(pen, view, row, { clock }) {
	const list = ticks(view, clock);
	const y = row.y + 13;
	pen.fill(view.left, row.y + row.h - 1, view.right - view.left, 1, 'edge');
	for (const t of list) {
		const x = view.x(t);
		const text = clock.text(t, list.step);
		const half = pen.g.measureText(text).width / 2;
		pen.fill(Math.round(x), row.y + row.h - 6, 1, 6, 'soft');
		pen.text(text, Math.max(view.left + half - 8, Math.min(view.right + 10 - half, x)), y, 'soft', 'center');
	}
}

/* ---- the whole run ---- */

function drawStrip(pen, view, row, model) {
	const x = (us) => view.left + us / view.end * (view.right - view.left);
	const level = model.series.find((s) => s.kind === 'level');
	const h = row.h - 8;
	const top = row.y + 2;
	pen.text(view.narrow ? 'Run' : 'Whole run', 0, top + h / 2);
	pen.fill(view.left, top, view.right - view.left, h, 'fill', 4);
	pen.within(view.left, top, view.right - view.left, h, () => {
		for (const s of model.troubles)
			pen.fill(x(s.from), top, Math.max(1.5, x(s.to) - x(s.from)), h, 'bad-soft');
		if (level) {
			const most = Math.max(1, ...level.points.map((p) => p[1]));
			const y = (v) => top + h - v / most * (h - 3);
			steps(pen, level.points, view.end, x, y);
			pen.g.fillStyle = pen.colour('area-strong');
			pen.g.fill();
		}
	});
	const from = x(view.from);
	const to = Math.max(x(view.to), from + 3);
	if (!view.isAll) {
		pen.fill(view.left, top, from - view.left, h, 'veil', 4);
		pen.fill(to, top, view.right - to, h, 'veil', 4);
		pen.g.lineWidth = 2;
		pen.frame(from - 1, top - 1, to - from + 2, h + 2, 'line', 3);
	} else {
		pen.frame(view.left, top, view.right - view.left, h, 'edge', 4);
	}
}

/* ---- states ---- */

function drawBand(pen, view, row) {
	const middle = row.y + row.h / 2;
	pen.within(view.left, row.y, view.right - view.left, row.h, () => {
		for (const s of row.band.spans) {
			if (s.to < view.from || s.from > view.to)
				continue;
			const from = Math.max(view.x(s.from), view.left - 4);
			const width = Math.max(Math.min(view.x(s.to), view.right + 4) - from, s.mood === 'good' ? 0 : 3);
			drawSpan(pen, s, from, width, middle, view);
		}
	});
}

function drawSpan(pen, s, x, width, middle, view) {
	const h = BARS[s.mood];
	if (s.mood === 'good') {
		pen.fill(x, middle - h / 2, width, h, 'good-line');
		return;
	}
	const [ground, ink] = { poor: ['wait-soft', 'wait'], bad: ['bad-fill', 'on-bad'], off: ['fill', 'soft'] }[s.mood];
	if (width > 4) /* told apart from the next */
		width--;
	pen.fill(x, middle - h / 2, width, h, ground, 2);
	if (s.mood !== 'bad') {
		pen.fill(x, middle - h / 2, width, h, pen.hatch(s.mood === 'poor' ? 'wait-line' : 'edge'), 2);
		pen.frame(x, middle - h / 2, width, h, s.mood === 'poor' ? 'wait-line' : 'edge', 2);
		return;
	}
	const from = Math.max(x, view.left);
	const room = Math.min(x + width, view.right) - from - 9;
	pen.font(11, 600);
	const text = shorter(s.text).find((t) => pen.g.measureText(t).width <= room);
	if (text)
		pen.text(text, from + 5, middle + 0.5, ink);
	pen.font();
}

/* "answers 503, retry after 120 s", "answers 503", "503". */
function shorter(text) {
	return [text, text.split(',')[0], text.match(/\b\d{3}\b/)?.[0] ?? text.split(' ')[0]];
}

/* ---- moments ---- */

function drawMarks(pen, view, row) {
	const y = row.y + row.h / 2;
	const last = {};
	for (const m of row.marks) {
		const x = view.x(m.at);
		const room = m.kind === 'no-page' ? 9 : 4;
		if (x < view.left - 4 || x > view.right + 4 || x - last[m.kind] < room)
			continue;
		last[m.kind] = x;
		if (m.kind === 'no-page')
			pen.sign('lost', x, y, 4.5);
		else
			pen.fill(Math.round(x) - 1, y - 5, 2, 10, m.kind === 'page' ? 'soft' : 'line');
	}
}

function drawCuts(pen, view, model, top, bottom) {
	for (const m of model.cuts) {
		const x = Math.round(view.x(m.at)) + 0.5;
		if (x >= view.left - 1 && x <= view.right + 1)
			pen.line(x, top, x, bottom, 'bad', 1, [3, 3]);
	}
}

/* ---- series ---- */

/* The path of steps from the ground up. */
function steps(pen, points, end, x, y) {
	const { g } = pen;
	let last = 0;
	g.beginPath();
	g.moveTo(x(0), y(0));
	for (const [at, value] of points) {
		g.lineTo(x(at), y(last));
		g.lineTo(x(at), y(value));
		last = value;
	}
	g.lineTo(x(end), y(last));
	g.lineTo(x(end), y(0));
}

function drawScale(pen, view, row, max, words, note) {
	const top = row.y + 12;
	const bottom = row.y + row.h - 8;
	const wide = !view.narrow;
	pen.text(row.name, 0, wide ? top + 4 : (top + bottom) / 2);
	if (wide)
		pen.text(note, 0, top + 20, 'faint');
	for (const value of [0, max]) {
		const y = Math.round(value ? top : bottom);
		pen.fill(view.left, y, view.right - view.left, 1, value ? 'grid' : 'edge');
	}
	pen.font(11);
	pen.text(words(0), view.left - 6, bottom - 1, 'soft', 'right');
	pen.text(words(max), view.left - 6, top, 'soft', 'right');
	pen.font();
	return { top, bottom, y: (v) => bottom - v / max * (bottom - top) };
}

function drawLevel(pen, view, row) {
	const { series } = row;
	const max = niceMax(Math.max(4, ...series.points.map((p) => p[1])));
	const { y } = drawScale(pen, view, row, max, (v) => grouped(v), series.unit);
	const first = Math.max(0, upper(series.points, view.from, (p) => p[0]) - 1);
	const shown = series.points.slice(first, upper(series.points, view.to, (p) => p[0]) + 1);
	pen.within(view.left, row.y, view.right - view.left, row.h, () => {
		steps(pen, shown, view.end, (us) => view.x(us), y);
		pen.g.fillStyle = pen.colour('area');
		pen.g.fill();
		pen.g.strokeStyle = pen.colour('line');
		pen.g.lineWidth = 1.5;
		pen.g.lineJoin = 'round';
		pen.g.stroke();
	});
}

/* A bar far above all others is cut, and says how high it is. */
function drawSum(pen, view, row) {
	const { width, bins } = binned(row.series, view.from, view.to, view.of(view.narrow ? 6 : 7));
	const sorted = bins.map((b) => b[1]).sort((a, b) => b - a);
	const most = sorted[0] ?? 0;
	const typical = sorted.find((v) => v * 8 < most) ?? most;
	const tall = sorted.findIndex((v) => v === typical);
	const cut = typical < most && tall <= 3;
	const max = niceMax(Math.max(1, cut ? typical * 1.6 : most));
	const words = (v) => v ? valueText(v, row.series.unit).replace('.0 ', ' ') : '0';
	const scale = drawScale(pen, view, row, max, most ? words : (v) => v ? '' : '0', `per ${spanText(width)}`);
	row.bins = { width, bins };
	if (!most)
		pen.text('nothing', (view.left + view.right) / 2, (scale.top + scale.bottom) / 2, 'faint', 'center');
	pen.within(view.left, row.y, view.right - view.left, row.h, () => {
		for (const [at, value] of bins) {
			const x = view.x(at);
			const w = Math.max(1.5, view.x(at + width) - x - 1);
			const y = Math.max(scale.top, scale.y(value));
			pen.fill(x, y, w, scale.bottom - y, 'bars', 1);
			if (value > max)
				drawTall(pen, view, x, w, scale.top, words(value));
		}
	});
}

function drawTall(pen, view, x, w, top, text) {
	pen.fill(x - 2, top + 7, w + 4, 2, 'card');
	pen.fill(x - 2, top + 11, w + 4, 2, 'card');
	pen.font(11);
	const right = x + w + 5 + pen.g.measureText(text).width < view.right;
	pen.text(text, right ? x + w + 4 : x - 4, top + 7, 'ink', right ? 'left' : 'right');
	pen.font();
}

function barAt(row, us) {
	const { width, bins } = row.bins;
	const at = Math.floor(us / width) * width;
	return { at, width, value: bins.find((b) => b[0] === at)?.[1] ?? 0 };
}
