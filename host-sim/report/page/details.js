// SPDX-License-Identifier: Apache-2.0
// What a tooltip and the pinned box say.
const ROWS_SHORT = 8;

function el(name, className, ...content) {
	const e = document.createElement(name);
	if (className)
		e.className = className;
	e.append(...content.filter((c) => c !== null && c !== undefined));
	return e;
}

/* The sign as a picture of its own, for lists and the legend. */
function signPicture(key) {
	const svg = (name, attributes) => {
		const e = document.createElementNS('http://www.w3.org/2000/svg', name);
		for (const [k, v] of Object.entries(attributes))
			e.setAttribute(k, v);
		return e;
	};
	const shapes = {
		done: ['circle', { cx: 7, cy: 7, r: 4.6 }],
		again: ['circle', { cx: 7, cy: 7, r: 4.2 }],
		refused: ['path', { d: 'M7 1.8 12 11H2z' }],
		lost: ['path', { d: 'M3.4 3.4l7.2 7.2m0-7.2l-7.2 7.2' }],
		unanswered: ['path', { d: 'M7 1.8 12 7 7 12.2 2 7z' }],
		kept: ['rect', { x: 0.5, y: 3, width: 17, height: 8, rx: 2 }],
		cut: ['path', { d: 'M7 0v14' }],
		poor: ['rect', { x: 0.5, y: 2.5, width: 17, height: 9, rx: 2 }],
		bad: ['rect', { x: 0, y: 2, width: 18, height: 10, rx: 2 }],
	};
	const [name, attributes] = shapes[key];
	const wide = ['kept', 'poor', 'bad'].includes(key) ? 18 : 14;
	const picture = svg('svg', { viewBox: `0 0 ${wide} 14`, width: wide, height: 14, class: `sign ${key}`, 'aria-hidden': 'true' });
	picture.append(svg(name, attributes));
	return picture;
}

/* What happened to a request, in order: [[at, words, sign]]. */
function lifeOf(r) {
	const events = [[r.sent, `sent by ${r.panel ?? 'the panel'}`]];
	r.attempts.forEach((a, i) => {
		const [sign, words] = attemptOutcome(a);
		events.push([a[0], `attempt ${i + 1}: ${words}`, sign]);
	});
	if (r.answered !== null)
		events.push([r.answered, ...answerWords(r)]);
	if (r.told !== undefined)
		events.push([r.told, 'the page hears of it']);
	return events.sort((a, b) => a[0] - b[0]);
}

function answerWords(r) {
	const took = `after ${spanText(r.answered - r.sent)}`;
	if (!r.status)
		return [`no answer: ${r.error ?? 'unknown'}`, 'unanswered'];
	return [`${r.status} to the panel ${took}${r.kept ? ': kept' : ''}`];
}

function lifeRows(r, clock, whole) {
	const rows = lifeOf(r).map(([at, words, sign]) => el('li', '', el('time', '', clock.exact(at)),
		el('span', 'with', sign ? signPicture(sign) : null, words)));
	if (whole || rows.length <= ROWS_SHORT)
		return rows;
	const gap = el('li', 'gap', el('time', '', '…'), el('span', '', `${rows.length - ROWS_SHORT + 1} more, a click shows them`));
	return [...rows.slice(0, 4), gap, ...rows.slice(5 - ROWS_SHORT)];
}

function requestDetails({ request: r }, { model }, whole) {
	const head = el('p', 'tip-head', el('strong', '', `No. ${r.number}`), ` ${r.method} ${r.path}`);
	const outcome = r.kind === 'late' ? (r.waited ? `delivered after ${spanText(r.waited)}` : KINDS.late.words) :
		r.kind === 'live' ? KINDS.live.words : endText(r);
	return [head, el('p', `badge ${r.kind}`, outcome), el('ol', 'life', ...lifeRows(r, model.clock, whole)),
		el('p', 'small', requestFoot(r))];
}

function requestFoot(r) {
	const words = [];
	if (r.id)
		words.push(`id ${r.id}`);
	if (r.stored !== undefined)
		words.push(r.stored > 0 ? `stored answer ${r.stored}` : 'no stored answer');
	return words.join(' · ');
}

function spanDetails({ span: s }, { model }) {
	const { clock, grain } = model;
	return [el('p', 'tip-head', el('strong', '', s.band.name), ` ${s.band.of}`),
		el('p', `badge ${s.mood}`, s.text),
		el('p', '', `${clock.full(s.from, grain)} to ${clock.full(s.to, grain)}`),
		el('p', 'small', spanText(s.to - s.from))];
}

function markDetails({ mark: m }, { model }) {
	return [el('p', 'tip-head', el('strong', '', m.text)), el('p', '', model.clock.full(m.at))];
}

function levelDetails({ series: s, us }, { model, view }) {
	return [el('p', 'tip-head', el('strong', '', s.name)),
		el('p', '', `${grouped(levelAt(s, us))} ${s.unit}`),
		el('p', 'small', model.clock.full(us, view.of(1)))];
}

function sumDetails({ series: s, at, width, value }, { model }) {
	return [el('p', 'tip-head', el('strong', '', s.name)), el('p', '', valueText(value, s.unit)),
		el('p', 'small', `${model.clock.full(at, width)} to ${model.clock.full(at + width, width)}`)];
}

const DETAILS = { request: requestDetails, span: spanDetails, mark: markDetails, level: levelDetails, sum: sumDetails };

/* The content for what is at a point. */
function details(hit, app, whole = false) {
	return DETAILS[hit.what](hit, app, whole);
}
