// SPDX-License-Identifier: Apache-2.0
import { Chart } from '/chart.mjs';
import { showArrivals, showOrders } from '/orders.mjs';

const $ = (id) => document.getElementById(id);
const chart = new Chart($('chart'));
let state = null;

/* ---- asking for things ---- */

function post(path, body) {
	return fetch(path, { method: 'POST', body: JSON.stringify(body),
		headers: { 'Content-Type': 'application/json' } }).catch(() => {});
}

const set = (levers) => post('/levers', levers);
const act = (what, more = {}) => post('/do', { what, ...more });

for (const name of ['link', 'origin'])
	$(name).addEventListener('click', () => set({ [name]: !state.levers[name] }));
$('shaky').addEventListener('click', () => set({ shaky: !state.levers.shaky }));
for (const name of ['slow', 'autoBoot'])
	$(name).addEventListener('change', (e) => set({ [name]: e.target.checked }));
for (const name of ['delayMs', 'kbytesPerS']) {
	$(name).addEventListener('input', (e) => {
		showSlider(name, Number(e.target.value));
		set({ [name]: Number(e.target.value) });
	});
}
for (const input of document.querySelectorAll('[name="portal"], [name="mood"]'))
	input.addEventListener('change', () => set({ [input.name]: input.value }));
$('cut').addEventListener('click', () => act('cut'));
$('boot').addEventListener('click', () => act('boot'));
$('rush').addEventListener('click', () => act('rush', { n: 20 }));
$('sync').addEventListener('click', () => act('sync'));
$('levers').addEventListener('submit', (e) => e.preventDefault());

/* ---- showing the levers ---- */

function showSlider(name, value) {
	$(`${name}-words`).textContent = name === 'delayMs' ? `${value} ms` : `${value} kB/s`;
}

function toggle(id, on, words) {
	$(id).toggleAttribute('data-on', on);
	$(id).textContent = words;
}

function showLevers({ levers, daemon, origin }) {
	toggle('link', !levers.link, levers.link ? 'Pull the link' : 'Plug it in');
	toggle('origin', !levers.origin, levers.origin ? 'Kill the origin' : 'Start the origin');
	toggle('shaky', levers.shaky, 'Shaky line');
	$('shaky').setAttribute('aria-pressed', levers.shaky);
	$('slow').checked = levers.slow;
	$('autoBoot').checked = levers.autoBoot;
	$('sliders').hidden = !levers.slow;
	for (const name of ['delayMs', 'kbytesPerS']) {
		if (document.activeElement !== $(name))
			$(name).value = levers[name];
		showSlider(name, levers[name]);
	}
	for (const input of document.querySelectorAll('[name="portal"], [name="mood"]'))
		input.checked = levers[input.name] === input.value;
	$('moods').hidden = origin !== null;
	$('rush').hidden = origin !== null;
	$('cut').disabled = daemon.power === 'off';
	$('boot').disabled = daemon.power !== 'off';
	$('sync').disabled = daemon.power !== 'on';
	$('rush').disabled = daemon.power !== 'on';
	$('device-end').textContent = daemon.end;
}

/* ---- the way of a request ---- */

function node(id, data, words) {
	$(`node-${id}`).dataset.state = data;
	$(`${id}-words`).textContent = words;
}

function deviceWords({ daemon, counts, levers }) {
	if (daemon.power === 'off')
		return ['bad', levers.autoBoot && daemon.end === '' ? 'off, boots in a moment' : 'off'];
	if (daemon.power === 'starting')
		return ['wait', 'starting'];
	return counts.waiting > 0 ? ['wait', `on, ${counts.waiting} waiting`] : ['ok', 'on, nothing waits'];
}

function wireWords({ levers }) {
	if (!levers.link)
		return ['bad', 'link pulled'];
	if (levers.portal !== 'off')
		return ['bad', 'captive portal answers'];
	const words = [];
	if (levers.slow)
		words.push(`${levers.delayMs} ms, ${levers.kbytesPerS} kB/s`);
	if (levers.shaky)
		words.push('shaky');
	return words.length > 0 ? ['wait', words.join(', ')] : ['ok', ''];
}

const moodWords = {
	ok: ['ok', 'running'],
	busy: ['wait', 'answers 503'],
	broken: ['bad', 'answers 500'],
	loses: ['bad', 'loses its answers'],
};

function showChain(s) {
	const [wire, words] = wireWords(s);
	const [device, deviceText] = deviceWords(s);
	const [origin, originText] = s.levers.origin ? moodWords[s.levers.mood] : ['bad', 'killed'];
	node('panel', 'ok', s.counts.orders === 1 ? '1 order' : `${s.counts.orders} orders`);
	node('device', device, deviceText);
	node('origin', origin, originText);
	$('origin-name').textContent = s.origin ? new URL(s.origin).host : 'Demo shop';
	$('wire').dataset.state = wire;
	$('wire-words').textContent = words;
	$('panel-link').href = s.panel;
}

/* ---- figures ---- */

function showCounts({ counts }) {
	for (const box of $('counts').children) {
		const n = counts[box.dataset.count];
		box.querySelector('dd').textContent = n;
		box.toggleAttribute('data-some', n > 0);
		if (box.classList.contains('promise'))
			box.toggleAttribute('data-broken', n > 0);
	}
}

const bytes = (n) => (n < 1e6 ? `${Math.round(n / 1000)} kB` : `${(n / 1e6).toFixed(1)} MB`);

function facts({ daemon }) {
	const s = daemon.status;
	const common = [['Starts', daemon.starts], ['Power cuts', daemon.cuts]];
	if (!s)
		return [['Power', daemon.power], ...common];
	const origin = s.origins[0];
	const next = origin.nextTrialInMs;
	return [
		['Version', s.version],
		['Process', `${daemon.pid}, up ${s.uptimeSeconds} s`],
		...common,
		['Origin', origin.state + (next == null ? '' : `, again in ${(next / 1000).toFixed(1)} s`)],
		['Network', s.connectivity.net],
		['Accepted since start', s.totals.accepted],
		['Delivered since start', s.totals.delivered],
		['Store', `${bytes(s.store.bytes)}, ${bytes(s.store.writtenTotal)} written`],
	];
}

function showFacts(s) {
	$('facts').replaceChildren(...facts(s).flatMap(([name, value]) => {
		const dt = document.createElement('dt');
		const dd = document.createElement('dd');
		dt.textContent = name;
		dd.textContent = value;
		return [dt, dd];
	}));
}

/* ---- sensors ---- */

function row(cells) {
	const tr = document.createElement('tr');
	const heads = $('sensors').tHead.rows[0].cells;
	cells.forEach((text, i) => {
		const td = document.createElement('td');
		td.textContent = text;
		if (i > 0) {
			td.className = 'num';
			td.dataset.name = heads[i].textContent;
		}
		tr.append(td);
	});
	return tr;
}

function showSensors({ coap }) {
	$('coap').hidden = coap === null;
	if (coap === null)
		return;
	$('sensors').tBodies[0].replaceChildren(...coap.sensors.map((s) =>
		row([s.name, `${s.value.toFixed(1)} ${s.unit}`, s.made, s.taken, s.delivered, s.again])));
	const taken = coap.sensors.reduce((n, s) => n + s.taken, 0);
	const done = coap.sensors.reduce((n, s) => n + s.delivered, 0);
	$('meter-words').textContent = `The meter has had ${coap.arrivals} messages and done ${coap.effects} readings; ` +
		`${coap.repeated} came again, ${coap.duplicates} were done twice. ${Math.max(0, taken - done)} wait in holdfastd.`;
}

function show(s) {
	state = s;
	showSensors(s);
	showLevers(s);
	showChain(s);
	showCounts(s);
	showFacts(s);
	$('lives').hidden = s.orders.length === 0;
	$('lives-empty').hidden = s.orders.length > 0;
	$('got-empty').hidden = s.arrivals.length > 0;
	showOrders($('lives').tBodies[0], s.orders, s.origin === null);
	showArrivals($('got'), s.arrivals);
}

/* ---- the feed ---- */

function listen() {
	const source = new EventSource('/feed');
	source.addEventListener('open', () => ($('gone').hidden = true));
	source.addEventListener('series', (e) => chart.set(JSON.parse(e.data)));
	source.addEventListener('sample', (e) => chart.add(JSON.parse(e.data)));
	source.addEventListener('state', (e) => show(JSON.parse(e.data)));
	source.addEventListener('error', () => {
		$('gone').hidden = false;
		source.close();
		setTimeout(listen, 1500);
	});
}

listen();
