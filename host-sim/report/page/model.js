// SPDX-License-Identifier: Apache-2.0
// The run: the data of the page, and what follows from it.

/* What became of an attempt: the key of its sign, and words. */
function attemptOutcome([, status, effect]) {
	if (status === 0)
		return effect ? ['lost', 'done, but the answer is lost'] : ['lost', 'the answer is lost'];
	if (effect)
		return ['done', `${status}, done`];
	if (status < 300)
		return ['again', `${status}, done before: no second effect`];
	return ['refused', `${status}, refused`];
}

/* One of KINDS. */
function kindOf(r) {
	if (r.status >= 200 && r.status < 300) {
		if (r.end === null)
			return { cancelled: 'cancelled', held: 'held', dead: 'held' }[r.state] ?? 'waiting';
		return r.status === 202 ? 'late' : 'live';
	}
	return r.status ? 'refused' : 'unanswered';
}

const KINDS = {
	live: { name: 'straight through', words: 'delivered straight through' },
	late: { name: 'delivered later', words: 'kept and delivered' },
	waiting: { name: 'not delivered', words: 'accepted and not delivered' },
	held: { name: 'held', words: 'waits for a person' },
	cancelled: { name: 'cancelled', words: 'accepted and cancelled' },
	refused: { name: 'refused', words: 'refused, and the panel knows it' },
	unanswered: { name: 'without answer', words: 'the panel got no answer' },
};

function endText(r) {
	switch (r.kind) {
	case 'refused': return `refused (${r.status})`;
	case 'unanswered': return r.effect ? 'no answer, yet done' : 'no answer';
	case 'waiting': return 'not delivered';
	case 'held': return [r.state, r.reason].filter(Boolean).join(': ');
	case 'cancelled': return 'cancelled';
	default: return '';
	}
}

function prepareRequest(r, end_us) {
	r.effect = r.attempts.find((a) => a[2]) ?? null;
	r.kind = kindOf(r);
	r.kept = r.status === 202;
	r.waited = r.kept && r.effect && r.effect[0] > r.answered ? r.effect[0] - r.answered : 0;
	r.from = r.sent;
	r.open = ['waiting', 'held', 'cancelled'].includes(r.kind);
	r.to = r.open ? r.told ?? end_us :
		Math.max(r.sent, r.answered ?? 0, r.end ?? 0, r.attempts.at(-1)?.[0] ?? 0);
}

function prepareBand(band, end_us) {
	band.spans.forEach((s, i) => {
		s.to = band.spans[i + 1]?.from ?? end_us;
		s.band = band;
	});
}

/* Where there are several devices, or origins, the bands say of which they tell. */
function nameBands(model) {
	const count = (name) => model.bands.filter((b) => b.name === name).length;
	model.several = count('Power') > 1;
	for (const b of model.bands) {
		if (b.name === 'Origin') {
			b.label = b.of;
			b.short = count('Origin') > 1 ? b.of : b.name;
		} else {
			b.label = b.short = model.several ? `${b.of} ${b.name.toLowerCase()}` : b.name;
		}
	}
}

function readModel(data) {
	const model = { ...data, end: Math.max(1, data.end_us), clock: new Clock(data.begins_us) };
	model.grain = model.end < 10 * US.min ? US.ms : US.s; /* of moments in tables */
	model.requests.forEach((r) => prepareRequest(r, model.end));
	model.bands.forEach((b) => prepareBand(b, model.end));
	model.cuts = model.marks.filter((m) => m.kind === 'cut');
	model.events = model.marks.filter((m) => !['cut', 'page', 'no-page'].includes(m.kind));
	model.pages = model.marks.filter((m) => m.kind === 'page' || m.kind === 'no-page');
	nameBands(model);
	model.troubles = model.bands.flatMap((b) => b.spans.filter((s) => s.mood === 'bad'))
		.sort((a, b) => a.from - b.from);
	return model;
}

/* The level of a series at @us. */
function levelAt(series, us) {
	const i = upper(series.points, us, (p) => p[0]);
	return i ? series.points[i - 1][1] : 0;
}

/* The index of the first of @list (sorted by @key) that is greater than @value. */
function upper(list, value, key) {
	let low = 0;
	let high = list.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (key(list[middle]) > value)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* The points of a sum within [from, to] in bins of at least @least: { width, bins: [[at, value]] }. */
function binned(series, from, to, least) {
	let width = series.width;
	if (width < least)
		width = Math.ceil(niceStep(least) / series.width) * series.width;
	const bins = new Map();
	for (const [at, value] of series.points) {
		const bin = Math.floor(at / width) * width;
		if (bin + width > from && bin < to)
			bins.set(bin, (bins.get(bin) ?? 0) + value);
	}
	return { width, bins: [...bins] };
}

/*
 * Places requests of a lane beside each other: each lasts at least @least, none
 * of a track overlaps another. Sets .track, returns the number of tracks.
 */
function pack(requests, least) {
	const ends = [];
	for (const r of requests) {
		let track = ends.findIndex((end) => end <= r.from);
		if (track < 0)
			track = ends.length;
		ends[track] = Math.max(r.to, r.from + least) + least * 0.3;
		r.track = track;
	}
	return Math.max(1, ends.length);
}
