// SPDX-License-Identifier: Apache-2.0
'use strict';
// Times, spans and figures as words. Times are microseconds since the beginning.
const US = { ms: 1e3, s: 1e6, min: 60e6, h: 3600e6, day: 86400e6 };

const two = (n) => String(n).padStart(2, '0');

function grouped(n) {
	return String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ' ');
}

/* "1 h 27 min", "3.2 s", "43 ms". */
function spanText(us) {
	if (us < US.ms)
		return `${Math.round(us)} µs`;
	if (us < 10 * US.ms)
		return `${(us / US.ms).toFixed(1)} ms`;
	if (us < 999.5 * US.ms)
		return `${Math.round(us / US.ms)} ms`;
	if (us < 99.95 * US.s && us !== US.min)
		return `${(us / US.s).toFixed(us % US.s && us < 60 * US.s ? 1 : 0)} s`;
	if (us < 59.5 * US.min)
		return `${Math.round(us / US.min)} min`;
	const minutes = Math.round(us / US.min);
	const hours = Math.floor(minutes / 60);
	return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
}

function bytesText(n) {
	if (n < 1000)
		return `${n} B`;
	if (n < 999500)
		return `${(n / 1e3).toFixed(n < 9950 ? 1 : 0)} kB`;
	return `${(n / 1e6).toFixed(n < 99.5e6 ? 1 : 0)} MB`;
}

function valueText(value, unit) {
	switch (unit) {
	case 'us': return value ? spanText(value) : 'none';
	case 'bytes': return bytesText(value);
	case 'truth': return value ? 'yes' : 'no';
	default: return grouped(value);
	}
}

const plural = (n, one, many) => `${grouped(n)} ${n === 1 ? one : many}`;

/* Texts of moments: the time of day when the run has one, else the time since it began. */
class Clock {
	constructor(begins) {
		this.hasDay = begins !== undefined;
		this.begins = begins ?? 0;
	}

	/* As exact as @step needs: "09:12", "09:12:30", "09:12:30.250". */
	text(us, step) {
		const unit = step >= US.min ? US.min : step >= US.s ? US.s : step >= US.ms ? US.ms : 1;
		let t = Math.round((this.begins + us) / unit) * unit;
		if (this.hasDay)
			t %= US.day;
		const hours = Math.floor(t / US.h);
		const minutes = Math.floor(t / US.min) % 60;
		const seconds = Math.floor(t / US.s) % 60;
		const rest = Math.round(t % US.s);
		const fraction = unit === US.ms ? `.${String(rest / US.ms).padStart(3, '0')}` :
			unit === 1 ? `.${String(rest).padStart(6, '0')}` : '';
		const tail = unit < US.min || !this.hasDay ? `:${two(seconds)}${fraction}` : '';
		if (this.hasDay)
			return `${two(hours)}:${two(minutes)}${tail}`;
		return hours ? `${hours}:${two(minutes)}${tail}` : `${minutes}${tail}`;
	}

	/* The day of the run, from 1; 0 when there are no days. */
	day(us) {
		return this.hasDay ? Math.floor((this.begins + us) / US.day) + 1 : 0;
	}

	exact(us) {
		return this.text(us, US.ms);
	}

	full(us, step = US.ms) {
		const day = this.day(us);
		return day > 1 ? `day ${day}, ${this.text(us, step)}` : this.text(us, step);
	}
}

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500].flatMap((n) => [n, n * US.ms])
	.concat([1, 2, 5, 10, 15, 30].flatMap((n) => [n * US.s, n * US.min]))
	.concat([1, 2, 3, 6, 12, 24, 48, 96, 240].map((n) => n * US.h))
	.sort((a, b) => a - b);

/* The smallest good step of time that is at least @us. */
const niceStep = (us) => STEPS.find((s) => s >= us) ?? Math.ceil(us / US.day) * US.day;

/* The smallest of 1, 2, 4, 5, 10, 20, ... that is at least n. */
function niceMax(n) {
	for (let unit = 1; ; unit *= 10) {
		const step = [1, 2, 4, 5].find((s) => s * unit >= n);
		if (step)
			return step * unit;
	}
}
