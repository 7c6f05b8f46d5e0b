// SPDX-License-Identifier: Apache-2.0
// Drawing on a canvas: sizes in CSS pixels, colours by name, signs.
class Pen {
	#hatches = new Map();

	constructor(canvas) {
		this.canvas = canvas;
		this.g = canvas.getContext('2d');
	}

	/* Clears and takes the colours of now. */
	begin(width, height) {
		const scale = window.devicePixelRatio || 1;
		this.width = width;
		this.height = height;
		this.canvas.width = Math.round(width * scale);
		this.canvas.height = Math.round(height * scale);
		this.canvas.style.width = `${width}px`;
		this.canvas.style.height = `${height}px`;
		this.g.setTransform(scale, 0, 0, scale, 0, 0);
		this.style = getComputedStyle(document.documentElement);
		this.colours = new Map();
		this.#hatches.clear();
		this.family = getComputedStyle(document.body).fontFamily;
		this.g.textBaseline = 'middle';
	}

	colour(name) {
		if (!this.colours.has(name))
			this.colours.set(name, this.style.getPropertyValue(`--${name}`).trim());
		return this.colours.get(name);
	}

	/* Slanted lines of a colour. */
	hatch(name) {
		if (!this.#hatches.has(name)) {
			const tile = document.createElement('canvas');
			tile.width = tile.height = 6;
			const t = tile.getContext('2d');
			t.strokeStyle = this.colour(name);
			t.lineWidth = 1.2;
			t.beginPath();
			for (const at of [-3, 3, 9]) {
				t.moveTo(at - 3, 6);
				t.lineTo(at + 3, 0);
			}
			t.stroke();
			this.#hatches.set(name, this.g.createPattern(tile, 'repeat'));
		}
		return this.#hatches.get(name);
	}

	font(size = 12, weight = 400) {
		this.g.font = `${weight} ${size}px ${this.family}`;
	}

	text(text, x, y, colour = 'soft', align = 'left') {
		this.g.textAlign = align;
		this.g.fillStyle = this.colour(colour);
		this.g.fillText(text, x, y);
	}

	/* Cut to @room, with dots. */
	fitted(text, room) {
		if (this.g.measureText(text).width <= room)
			return text;
		let n = text.length;
		while (n > 0 && this.g.measureText(`${text.slice(0, n)}…`).width > room)
			n--;
		return n > 1 ? `${text.slice(0, n).replace(/[.,/ ]+$/, '')}…` : '';
	}

	fill(x, y, w, h, colour, radius = 0) {
		this.g.fillStyle = typeof colour === 'string' ? this.colour(colour) : colour;
		this.g.beginPath();
		this.g.roundRect(x, y, Math.max(w, 0), h, Math.min(radius, w / 2, h / 2));
		this.g.fill();
	}

	frame(x, y, w, h, colour, radius = 0) {
		this.g.strokeStyle = this.colour(colour);
		this.g.lineWidth = 1;
		this.g.beginPath();
		this.g.roundRect(x + 0.5, y + 0.5, Math.max(w - 1, 0), h - 1, Math.min(radius, w / 2, h / 2));
		this.g.stroke();
	}

	line(x1, y1, x2, y2, colour, width = 1, dash = []) {
		this.g.strokeStyle = this.colour(colour);
		this.g.lineWidth = width;
		this.g.setLineDash(dash);
		this.g.beginPath();
		this.g.moveTo(x1, y1);
		this.g.lineTo(x2, y2);
		this.g.stroke();
		this.g.setLineDash([]);
	}

	within(x, y, w, h, draw) {
		this.g.save();
		this.g.beginPath();
		this.g.rect(x, y, w, h);
		this.g.clip();
		draw();
		this.g.restore();
	}

	/* The sign of an outcome around a point; see signPaths. */
	sign(key, x, y, r) {
		const sign = SIGNS[key];
		this.g.lineWidth = 1.6;
		this.g.lineCap = 'round';
		this.g.beginPath();
		sign.path(this.g, x, y, r);
		if (sign.solid) {
			this.g.fillStyle = this.colour(sign.colour);
			this.g.fill();
			this.g.lineWidth = 1;
			this.g.strokeStyle = this.colour('card');
			this.g.stroke();
			return;
		}
		if (sign.hollow) {
			this.g.fillStyle = this.colour('card');
			this.g.fill();
		}
		this.g.strokeStyle = this.colour(sign.colour);
		this.g.stroke();
	}
}

const disc = (g, x, y, r) => g.arc(x, y, r, 0, 7);

function triangle(g, x, y, r) {
	g.moveTo(x, y - r * 1.1);
	g.lineTo(x + r * 1.05, y + r * 0.85);
	g.lineTo(x - r * 1.05, y + r * 0.85);
	g.closePath();
}

function crossed(g, x, y, r) {
	const d = r * 0.75;
	g.moveTo(x - d, y - d);
	g.lineTo(x + d, y + d);
	g.moveTo(x + d, y - d);
	g.lineTo(x - d, y + d);
}

function diamond(g, x, y, r) {
	g.moveTo(x, y - r * 1.2);
	g.lineTo(x + r * 1.1, y);
	g.lineTo(x, y + r * 1.2);
	g.lineTo(x - r * 1.1, y);
	g.closePath();
}

/* Told apart by form as well as by colour. */
const SIGNS = {
	done: { path: disc, solid: true, colour: 'good', words: 'delivered' },
	again: { path: disc, hollow: true, colour: 'good', words: 'repeated, no second effect' },
	refused: { path: triangle, solid: true, colour: 'bad', words: 'refused' },
	lost: { path: crossed, colour: 'bad', words: 'answer lost' },
	unanswered: { path: diamond, hollow: true, colour: 'soft', words: 'panel without answer' },
};
