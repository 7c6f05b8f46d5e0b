// SPDX-License-Identifier: Apache-2.0
// Puts the page together.
const app = {
	model: readModel(JSON.parse($('data').textContent)),
	plot: $('plot'),
};

app.view = new View(app.model.end);
app.tracks = new Tracks($('tracks'), app.model, app.view);
app.lanes = new Lanes($('lanes'), $('lanes-box'), $('lanes-size'), app.model, app.view);
app.pin = new Pin($('pin'), app);

app.drawSoon = () => {
	app.frame ??= requestAnimationFrame(() => {
		app.frame = undefined;
		app.tracks.draw(app.width);
		app.lanes.draw(app.width);
	});
};

/* Where a request stands in the window. */
app.place = (r) => {
	const box = app.plot.getBoundingClientRect();
	const at = Math.max(app.view.from, Math.min(app.view.to, r.from));
	return { x: box.left + app.view.x(at), y: box.top + app.tracks.height + app.lanes.middle(r) - $('lanes-box').scrollTop };
};

app.say = (words) => {
	$('said').textContent = words;
};

function sayRange() {
	const { view, model } = app;
	const step = view.lasts > 2 * US.h ? US.min : view.lasts > 2 * US.s ? US.s : US.ms;
	$('range').textContent =
		`${model.clock.full(view.from, step)} – ${model.clock.full(view.to, step)} · ${spanText(view.lasts)}`;
	$('all').disabled = $('out').disabled = view.isAll;
	$('back').disabled = view.from === 0;
	$('forth').disabled = view.to === view.end;
}

/* The width has changed. */
function layOut() {
	const box = $('lanes-box');
	const narrow = app.plot.clientWidth < 640;
	app.view.narrow = narrow;
	app.view.left = narrow ? (app.model.several ? 92 : 62) : 118;
	for (let i = 0; i < 2; i++) { /* a scroll bar takes width */
		app.width = Math.max(1, box.clientWidth);
		app.view.right = Math.max(app.view.left + 40, app.width - 14); /* also while it is hidden */
		app.lanes.layOut();
		box.style.height = `${app.lanes.room}px`;
	}
	$('rows').hidden = !app.lanes.crowded;
	app.drawSoon();
}

function show(from, to) {
	app.view.show(from, to);
	app.plot.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
	app.plot.focus({ preventScroll: true });
}

/* From the table: the request in the middle of the timeline, its details pinned. */
function choose(r) {
	const { model, view } = app;
	const to = Math.max(r.to, r.from + Math.min(10 * US.min, model.end / 4));
	if (r.from < view.from || r.to > view.to || to - r.from < view.lasts * 0.15)
		view.show(r.from, to);
	app.plot.scrollIntoView({ block: 'nearest' });
	app.lanes.reveal(r);
	const { x, y } = app.place(r);
	app.pin.open({ what: 'request', request: r }, x, y);
	app.pin.box.focus({ preventScroll: true });
}

fillHead(app.model);
fillTotals(app.model);
fillChecks(app.model);
fillLegend(app.model);
fillTroubles(app.model, show);
app.table = new Table(app, choose);
app.pointer = new Pointer(app);
layOut();
sayRange();
app.table.filter();

app.view.watch(() => {
	app.drawSoon();
	sayRange();
	app.table.moved();
});
$('lanes-box').addEventListener('scroll', app.drawSoon);
$('in').addEventListener('click', () => app.view.zoom(0.5));
$('out').addEventListener('click', () => app.view.zoom(2));
$('back').addEventListener('click', () => app.view.move(-app.view.lasts / 2));
$('forth').addEventListener('click', () => app.view.move(app.view.lasts / 2));
$('all').addEventListener('click', () => app.view.all());
$('rows').addEventListener('click', () => {
	app.lanes.whole = !app.lanes.whole;
	$('rows').setAttribute('aria-pressed', app.lanes.whole);
	layOut();
});
new ResizeObserver(layOut).observe(app.plot);
window.addEventListener('resize', () => app.table.draw(true));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', app.drawSoon);
