// SPDX-License-Identifier: Apache-2.0
// What stands above and below the timeline: result, totals, checks, troubles.
const $ = (id) => document.getElementById(id);

function fillHead(model) {
	const bad = model.failure !== null;
	$('result').className = `result ${bad ? 'bad' : 'good'}`;
	$('result').textContent = bad ? '✕ Failed' : '✓ Everything held';
	const copy = el('button', 'copy', 'Copy');
	copy.type = 'button';
	copy.setAttribute('aria-label', 'Copy the command');
	copy.addEventListener('click', async () => {
		await navigator.clipboard?.writeText(model.command).catch(() => {});
		copy.textContent = 'Copied';
		setTimeout(() => (copy.textContent = 'Copy'), 1500);
	});
	const facts = [
		['Again', el('code', '', model.command), navigator.clipboard ? copy : null],
		['Seed', model.seed],
		['Holdfast', `${model.version}, commit ${model.commit}`],
		['Lasts', spanText(model.end_us)],
		['Trace', el('code', '', model.trace)],
	];
	for (const [name, ...content] of facts)
		$('facts').append(el('div', '', el('dt', '', name), el('dd', '', ...content)));
	if (bad)
		fillFailure(model.failure);
}

function fillFailure(f) {
	$('failure').hidden = false;
	$('failure-head').textContent = f.check ? `${f.check} does not hold` : `Not so: ${f.what}`;
	$('failure-where').textContent = f.check ? f.what : 'An expectation of the scenario did not come true in its time.';
	if (f.line === undefined)
		return;
	$('failure-line').hidden = false;
	$('failure-line').textContent = `${f.file}:${f.line}:${f.column}\n${f.text ?? ''}`;
}

function fillTotals(model) {
	for (const t of model.totals) {
		const box = el('div', t.good === undefined ? '' : t.good ? 'good' : 'bad',
			el('dt', '', t.name), el('dd', '', valueText(t.value, t.unit)));
		box.dataset.key = t.key;
		if (t.good === false)
			box.querySelector('dd').prepend('✕ ');
		$('totals').append(box);
	}
}

function fillChecks(model) {
	for (const c of model.checks) {
		const state = c.holds === null ? 'open' : c.holds ? 'good' : 'bad';
		const words = { open: 'not checked', good: 'held', bad: 'broken' }[state];
		const item = el('li', state, el('span', 'tick', { open: '–', good: '✓', bad: '✕' }[state]),
			el('div', '', el('strong', '', c.name), el('span', 'said', ` ${words}: `), c.promise,
				c.why ? el('p', 'why', c.why) : null));
		$('checks').append(item);
	}
	if (model.checks.some((c) => c.holds === null))
		$('checks').after(el('p', 'hint', 'The run ended at the failed expectation, so nothing was checked after it.'));
}

function fillLegend(model) {
	const has = new Set(model.requests.flatMap((r) => r.attempts.map((a) => attemptOutcome(a)[0])));
	const items = ['done', 'again', 'refused', 'lost'].filter((k) => has.has(k)).map((k) => [k, SIGNS[k].words]);
	if (model.requests.some((r) => r.kind === 'unanswered'))
		items.push(['unanswered', SIGNS.unanswered.words]);
	if (model.requests.some((r) => r.kept))
		items.push(['kept', 'kept, waiting']);
	if (model.bands.some((b) => b.spans.some((s) => s.mood === 'poor')))
		items.push(['poor', 'impaired']);
	if (model.troubles.length)
		items.push(['bad', 'trouble']);
	if (model.cuts.length)
		items.push(['cut', 'power cut']);
	$('legend').append(...items.map(([key, words]) => el('li', '', signPicture(key), words)));
}

function fillTroubles(model, show) {
	const body = $('troubles').tBodies[0];
	$('troubles').hidden = model.troubles.length === 0;
	$('troubles-none').hidden = model.troubles.length > 0;
	for (const s of model.troubles) {
		const button = el('button', 'link', model.clock.full(s.from, model.grain));
		button.type = 'button';
		button.setAttribute('aria-label', `Show ${model.clock.full(s.from, model.grain)} in the timeline`);
		button.addEventListener('click', () => show(s.from, s.to));
		body.append(el('tr', '', el('td', '', button), el('td', 'num', spanText(s.to - s.from)),
			el('td', '', el('strong', '', s.band.label), ` ${s.text}`)));
	}
}
