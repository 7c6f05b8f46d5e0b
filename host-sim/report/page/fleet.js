// SPDX-License-Identifier: Apache-2.0
// The page of a fleet: how many requests came when, and which devices were back.
const TICK = 100 * US.ms;
const model = JSON.parse($('data').textContent);

/* Bars of whole ticks, as many as there is room for; a capacity is one of whole seconds. */
function binned(width) {
	const least = model.capacity ? 10 : 1;
	const last = model.ticks.at(-1)?.[0] ?? 0;
	const n = [1, 2, 5, 10, 20, 50, 100, 300, 600, 1200, 3000, 6000]
		.find((size) => size >= least && (last + 1) / size <= width / 5) ?? 36000;
	const bins = [];
	for (const [tick, taken, refused] of model.ticks) {
		const bin = (bins[Math.floor(tick / n)] ??= { taken: 0, refused: 0 });
		bin.taken += taken;
		bin.refused += refused;
	}
	return { width: n * TICK, bins, rate: (count) => count * US.s / (n * TICK) };
}

function drawRates(chart) {
	const { width, bins, rate } = binned(chart.right - chart.left);
	bins.forEach((bin, i) => {
		const x = chart.x(i * width), w = Math.max(1, chart.x((i + 1) * width) - x - (chart.x(width) - chart.left > 5 ? 1 : 0));
		const middle = chart.y(rate(bin.taken)), top = chart.y(rate(bin.taken + bin.refused));
		chart.pen.fill(x, top, w, middle - top, 'bad-fill');
		chart.pen.fill(x, middle, w, chart.bottom - middle, 'line');
	});
	if (!model.capacity)
		return;
	chart.pen.line(chart.left, chart.y(model.capacity), chart.right, chart.y(model.capacity), 'wait', 2, [6, 4]);
}

function sayRate(us) {
	const { width, bins, rate } = binned(rates.clientWidth);
	if (us === null)
		return `each bar is ${spanText(width)}`;
	const i = Math.floor(us / width), bin = bins[i] ?? { taken: 0, refused: 0 };
	const refused = model.refused ? `, ${grouped(Math.round(rate(bin.refused)))} of them refused` : '';
	return `${spanText(i * width)} after the return: ${grouped(Math.round(rate(bin.taken + bin.refused)))} a second${refused}`;
}

/* How many devices are back at that time. */
function backAt(us) {
	let low = 0, high = model.first.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (model.first[middle] <= us)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

function drawReturns(chart) {
	const { g } = chart.pen;
	const share = (n) => chart.y(n / model.devices * 100);
	g.beginPath();
	g.moveTo(chart.left, chart.bottom);
	model.first.forEach((us, i) => {
		g.lineTo(chart.x(us), share(i));
		g.lineTo(chart.x(us), share(i + 1));
	});
	g.lineTo(chart.right, share(model.first.length));
	g.strokeStyle = chart.pen.colour('line');
	g.lineWidth = 2;
	g.stroke();
	g.lineTo(chart.right, chart.bottom);
	g.fillStyle = chart.pen.colour('area');
	g.fill();
}

function sayReturns(us) {
	if (us !== null)
		return `${spanText(us)} after the return: ${plural(backAt(us), 'device', 'devices')} of ${grouped(model.devices)}`;
	const at = (part) => model.first[Math.ceil(part * model.devices) - 1];
	const words = [['half', 0.5], ['90 %', 0.9], ['all', 1]].filter(([, part]) => at(part) !== undefined)
		.map(([name, part]) => `${name} after ${spanText(at(part))}`);
	return words.join(', ') || 'none';
}

function fillStory() {
	const what = model.cables ? 'network was down' : 'origin was away';
	const limit = model.capacity ? ` The origin takes ${plural(model.capacity, 'request', 'requests')} a second; to the others it answers 503${
		model.retry_after_s ? ` with Retry-After: ${model.retry_after_s}` : ''}.` : '';
	$('story').textContent = `${plural(model.devices, 'device', 'devices')} kept ${plural(model.queued, 'order', 'orders')}${
		model.devices > 1 ? ' each' : ''} while the ${what} for ${spanText(model.outage_us)}.${limit}`;
}

function fillRatesLegend() {
	const swatch = (name, words) => {
		const mark = el('span', 'swatch');
		mark.style.background = `var(--${name})`;
		return el('li', '', mark, words);
	};
	$('rates-legend').append(swatch('line', 'taken'));
	if (model.refused)
		$('rates-legend').append(swatch('bad-fill', 'refused with 503'));
	if (model.capacity)
		$('rates-legend').append(el('li', '', el('span', 'dashes'), `what the origin takes: ${model.capacity} a second`));
}

function describe(canvas, words) {
	canvas.setAttribute('aria-label', words);
}

model.refused = model.totals.find((t) => t.key === 'refused').value;
fillHead(model);
fillStory();
fillTotals(model);
fillRatesLegend();

const rates = $('rates').parentElement;
const lasts = Math.max(((model.ticks.at(-1)?.[0] ?? 0) + 1) * TICK, US.s);
const most = () => {
	const { bins, rate } = binned(rates.clientWidth);
	return Math.max(1, model.capacity, ...bins.filter(Boolean).map((b) => rate(b.taken + b.refused)));
};

describe($('rates'), 'Requests a second over time');
describe($('first'), 'Share of the devices that are back over time');
const charts = {
	rates: new Chart($('rates'), $('rates-said'), {
		end: lasts, max: niceMax(most()), unit: '', draw: drawRates, say: sayRate,
		step: (us, by) => Math.max(0, Math.min(lasts, us + by * binned(rates.clientWidth).width)),
	}),
	first: new Chart($('first'), $('first-said'), {
		end: Math.max(model.first.at(-1) ?? 0, US.s), max: 100, unit: ' %', draw: drawReturns, say: sayReturns,
		step: (us, by) => model.first[Math.max(0, Math.min(model.first.length - 1, backAt(us) - 1 + by * Math.ceil(model.devices / 50)))] ?? 0,
	}),
};
