// SPDX-License-Identifier: Apache-2.0
// The depth of the queue over the last minutes, and below it when what was wrong.
const WINDOW_S = 180;
const ROWS = [
	[4, 'Power off'],
	[1, 'Link pulled'],
	[8, 'Portal'],
	[2, 'Origin'],
	[16, 'Bad line'],
];
const ROW_H = 16;
const LEFT = 76;
const RIGHT = 6;
const TOP = 10;

export class Chart {
	#canvas;
	#samples = [];
	#due = false;

	constructor(canvas) {
		this.#canvas = canvas;
		new ResizeObserver(() => this.#draw()).observe(canvas);
		matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw());
	}

	set(samples) {
		this.#samples = samples;
		this.#drawSoon();
	}

	add(sample) {
		this.#samples.push(sample);
		if (this.#samples.length > 2000)
			this.#samples.splice(0, 500);
		this.#drawSoon();
	}

	#drawSoon() {
		if (this.#due)
			return;
		this.#due = true;
		requestAnimationFrame(() => {
			this.#due = false;
			this.#draw();
		});
	}

	#draw() {
		const box = this.#canvas.getBoundingClientRect();
		const scale = devicePixelRatio || 1;
		if (box.width === 0)
			return;
		this.#canvas.width = Math.round(box.width * scale);
		this.#canvas.height = Math.round(box.height * scale);
		const g = this.#canvas.getContext('2d');
		g.scale(scale, scale);
		const style = getComputedStyle(document.documentElement);
		const colour = (name) => style.getPropertyValue(`--${name}`).trim();
		const end = this.#samples.at(-1)?.[0] ?? 0;
		const from = Math.max(0, end - WINDOW_S);
		const view = {
			g, colour, from,
			to: Math.max(end, from + 60),
			width: box.width,
			bottom: box.height - ROWS.length * ROW_H - 10,
			shown: this.#samples.filter((s) => s[0] >= from),
		};
		g.font = `12px ${getComputedStyle(document.body).fontFamily}`;
		view.x = (t) => LEFT + (t - from) / (view.to - from) * (view.width - LEFT - RIGHT);
		view.max = niceMax(Math.max(4, ...view.shown.map((s) => s[1])));
		view.y = (d) => view.bottom - d / view.max * (view.bottom - TOP);
		drawGrid(view);
		drawDepth(view);
		drawRows(view);
		const depth = this.#samples.at(-1)?.[1] ?? 0;
		this.#canvas.setAttribute('aria-label',
			`Depth of the queue over time: ${depth} now, at most ${Math.max(0, ...view.shown.map((s) => s[1]))} in view`);
	}
}

/* 4, 10, 20, 40, 100, ... */
function niceMax(n) {
	for (let unit = 1; ; unit *= 10) {
		for (const step of [4, 10, 20]) {
			if (n <= step * unit)
				return step * unit;
		}
	}
}

function drawGrid({ g, colour, y, max, width }) {
	g.textBaseline = 'middle';
	g.textAlign = 'right';
	for (const depth of [0, max / 2, max]) {
		g.fillStyle = colour('edge');
		g.fillRect(LEFT, Math.round(y(depth)), width - LEFT - RIGHT, 1);
		g.fillStyle = colour('soft');
		g.fillText(depth, LEFT - 8, y(depth));
	}
}

/* Steps: a depth holds until the next sample. */
function drawDepth({ g, colour, shown, x, y }) {
	if (shown.length === 0)
		return;
	g.beginPath();
	g.moveTo(x(shown[0][0]), y(0));
	for (let i = 0; i < shown.length; i++) {
		if (i > 0)
			g.lineTo(x(shown[i][0]), y(shown[i - 1][1]));
		g.lineTo(x(shown[i][0]), y(shown[i][1]));
	}
	g.lineTo(x(shown.at(-1)[0]), y(0));
	g.fillStyle = colour('area');
	g.fill();
	g.beginPath();
	shown.forEach((s, i) => {
		if (i > 0)
			g.lineTo(x(s[0]), y(shown[i - 1][1]));
		g.lineTo(x(s[0]), y(s[1]));
	});
	g.strokeStyle = colour('line');
	g.lineWidth = 2;
	g.lineJoin = 'round';
	g.stroke();
}

/* A bar for each time of trouble. */
function drawRows({ g, shown, x, bottom, colour, width }) {
	g.textAlign = 'right';
	ROWS.forEach(([bit, name], row) => {
		const y = bottom + 16 + row * ROW_H;
		g.fillStyle = colour('fill');
		g.fillRect(LEFT, y - 3, width - LEFT - RIGHT, 6);
		g.fillStyle = colour(bit === 16 ? 'wait' : 'bad');
		shown.forEach((s, i) => {
			const to = shown[i + 1]?.[0] ?? s[0];
			if (s[2] & bit)
				g.fillRect(x(s[0]), y - 3, Math.max(2, x(to) - x(s[0]) + 0.5), 6);
		});
		g.fillStyle = colour('soft');
		g.fillText(name, LEFT - 8, y);
	});
}
