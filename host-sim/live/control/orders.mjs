// SPDX-License-Identifier: Apache-2.0
// Orders and arrivals as rows.
const el = (name, className, text) => {
	const e = document.createElement(name);
	if (className)
		e.className = className;
	if (text !== undefined)
		e.textContent = text;
	return e;
};

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

export function clock(ms) {
	const s = ms / 1000;
	return `${Math.floor(s / 60)}:${(s % 60).toFixed(1).padStart(4, '0')}`;
}

function statusClass(status) {
	return status >= 200 && status < 300 ? 'good' : 'bad';
}

function stepWords(step) {
	if (step.kind === 'accepted')
		return ['accepted, on disk', 'accepted'];
	if (step.kind === 'arrived' && step.status < 0)
		return ['sent to the origin', ''];
	if (step.kind === 'arrived')
		return step.status === 0 ? ['arrived, answer lost', 'bad'] :
			[`arrived, ${step.status}`, statusClass(step.status) === 'good' ? '' : 'bad'];
	return [step.status ? `answer ${step.status} stored` : 'answer stored',
		statusClass(step.status || 200)];
}

/* The last step: where it stands now. */
function nowWords(o) {
	switch (o.stage) {
	case 'waiting':
		return [`waits${o.reason ? `: ${o.reason}` : ''}` +
			`${o.nextMs > 0 ? `, again in ${seconds(o.nextMs)}` : ''}`, 'now'];
	case 'sending':
		return ['being sent', 'now'];
	case 'held':
		return [`held: ${o.reason || 'a person decides'}`, 'bad'];
	case 'delivered':
		return o.id ? null : ['answered straight', 'good'];
	case 'dead':
		return [`given up: ${o.reason}`, 'bad'];
	case 'cancelled':
		return ['cancelled', 'bad'];
	case 'lost':
		return ['lost', 'bad'];
	default:
		return null;
	}
}

function life(o) {
	const list = el('ol', 'life');
	const begin = o.steps[0]?.ms ?? 0;
	for (const step of o.steps) {
		const [words, className] = stepWords(step);
		const s = el('span', `step ${className}`, words);
		if (step.ms > begin + 50)
			s.append(el('time', '', `+${seconds(step.ms - begin)}`));
		list.append(el('li'));
		list.lastChild.append(s);
	}
	const now = nowWords(o);
	if (now) {
		list.append(el('li'));
		list.lastChild.append(el('span', `step ${now[1]}`, now[0]));
	}
	return list;
}

function orderCell(o) {
	const cell = el('td');
	cell.append(el('span', 'order-no', o.number ? `No. ${o.number}` : `Order ${o.n}`),
		el('span', 'order-what', o.what || `key ...${o.key.slice(-8)}`));
	return cell;
}

function count(name, n) {
	const cell = el('td', 'num', n);
	cell.dataset.name = name;
	return cell;
}

export function showOrders(body, orders, effectsKnown) {
	body.replaceChildren(...orders.map((o) => {
		const row = el('tr');
		const cell = el('td');
		row.dataset.stage = o.stage;
		cell.append(life(o));
		row.append(orderCell(o), cell, count('Arrivals', o.arrivals),
			count('Effects', effectsKnown ? o.effects : '-'));
		return row;
	}));
}

function answerWords(a) {
	if (a.status < 0)
		return ['sent', ''];
	return a.status === 0 ? ['answer lost', 'bad'] : [a.status, statusClass(a.status)];
}

function effectWords(a) {
	if (a.status < 0)
		return a.key;
	if (a.repeated)
		return `No. ${a.number} again: same key, no second effect`;
	return a.effect ? `No. ${a.number}` : 'no effect';
}

export function showArrivals(list, arrivals) {
	list.replaceChildren(...arrivals.map((a) => {
		const row = el('li');
		const what = el('span', 'what', a.what);
		const [words, className] = answerWords(a);
		what.append(el('small', '', effectWords(a)));
		row.append(el('time', '', clock(a.ms)), what, el('span', `step ${className}`, words));
		return row;
	}));
}
