// SPDX-License-Identifier: Apache-2.0
import { Orders } from '/orders.mjs';

const $ = (id) => document.getElementById(id);
const MENU = 'landing.menu';
const MANY = 99;

const money = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' });
const euros = (cents) => money.format(cents / 100);

/* ---- menu ---- */

let menu = [];
const basket = new Map(); /* id -> how many */

async function loadMenu() {
	try {
		const answer = await fetch('/api/menu');
		if (!answer.ok || !answer.headers.get('Content-Type')?.includes('json'))
			throw new Error('no menu');
		menu = await answer.json();
		localStorage.setItem(MENU, JSON.stringify(menu));
	} catch {
		menu = JSON.parse(localStorage.getItem(MENU) ?? '[]');
		setTimeout(loadMenu, 4000);
	}
	showMenu();
}

function makeCard(item) {
	const li = $('card').content.firstElementChild.cloneNode(true);
	const button = li.firstElementChild;
	button.dataset.id = item.id;
	li.querySelector('use').setAttribute('href', `/icons.svg#${item.icon}`);
	li.querySelector('.name').textContent = item.name;
	li.querySelector('.words').textContent = item.words;
	li.querySelector('.price').textContent = euros(item.cents);
	button.addEventListener('click', () => change(item.id, 1));
	return li;
}

function showMenu() {
	$('menu').replaceChildren(...menu.map(makeCard));
	showBasket();
}

/* ---- basket ---- */

function change(id, by) {
	const n = Math.min((basket.get(id) ?? 0) + by, MANY);
	if (n > 0)
		basket.set(id, n);
	else
		basket.delete(id);
	showBasket();
}

const chosen = () => menu.filter((item) => basket.has(item.id))
	.map((item) => ({ ...item, n: basket.get(item.id) }));
const sum = (lines) => lines.reduce((cents, line) => cents + line.cents * line.n, 0);

function makeLine(line) {
	const li = $('basket-line').content.firstElementChild.cloneNode(true);
	li.querySelector('.name').textContent = line.name;
	li.querySelector('output').textContent = line.n;
	li.querySelector('.price').textContent = euros(line.cents * line.n);
	for (const [name, by, word] of [['.less', -1, 'fewer'], ['.more', 1, 'more']]) {
		const button = li.querySelector(name);
		button.setAttribute('aria-label', `${line.name}: one ${word}`);
		button.dataset.focus = line.id + name;
		button.addEventListener('click', () => change(line.id, by));
	}
	return li;
}

function showBasket() {
	const lines = chosen();
	const focus = document.activeElement?.dataset?.focus;
	$('basket').replaceChildren(...lines.map(makeLine));
	if (focus)
		document.querySelector(`[data-focus="${CSS.escape(focus)}"]`)?.focus();
	$('basket-empty').hidden = lines.length > 0;
	$('order').disabled = lines.length === 0;
	$('total').textContent = lines.length > 0 ? euros(sum(lines)) : '';
	for (const card of document.querySelectorAll('.card')) {
		const n = basket.get(card.dataset.id) ?? 0;
		const count = card.querySelector('.count');
		card.toggleAttribute('data-in', n > 0);
		count.hidden = n === 0;
		count.textContent = n;
	}
}

/* ---- orders ---- */

const words = {
	sending: () => 'Being sent',
	unsent: () => 'This panel is starting up, one moment',
	queued: () => 'Saved here, goes out by itself',
	held: () => 'Please ask at the counter',
	done: (o) => `Ready in about ${o.minutes} min, ${euros(o.cents)}`,
	refused: (o) => `Not possible (${o.status})`,
};

const waitSign = () => {
	const sign = document.createElement('span');
	sign.className = 'wait';
	sign.append(...Array.from({ length: 3 }, () => document.createElement('i')));
	return sign;
};

function showTicket(li, order) {
	li.dataset.state = order.state;
	li.dataset.ref = order.ref;
	li.querySelector('.what').textContent =
		order.lines.map((l) => `${l.n} ${l.name}`).join(', ') || 'An earlier order';
	li.querySelector('.state').textContent = words[order.state](order);
	const number = li.querySelector('.number');
	if (order.number)
		number.textContent = order.number;
	else if (order.state === 'held' || order.state === 'refused')
		number.textContent = '!';
	else if (!number.firstElementChild)
		number.replaceChildren(waitSign());
}

/* Tickets are kept, so that only what changes is announced. */
function showOrders() {
	const all = orders.all;
	const kept = new Map([...$('orders').children].map((li) => [li.dataset.ref, li]));
	const list = all.map((order) => {
		const li = kept.get(order.ref) ?? $('order-line').content.firstElementChild.cloneNode(true);
		showTicket(li, order);
		return li;
	});
	list.forEach((li, i) => {
		if ($('orders').children[i] !== li)
			$('orders').insertBefore(li, $('orders').children[i] ?? null);
	});
	while ($('orders').children.length > list.length)
		$('orders').lastElementChild.remove();
	$('orders-empty').hidden = all.length > 0;
}

const orders = new Orders(showOrders);

$('order').addEventListener('click', () => {
	const lines = chosen();
	if (lines.length === 0)
		return;
	orders.place(lines.map(({ id, name, n }) => ({ id, name, n })), sum(lines));
	basket.clear();
	showBasket();
	$('orders').scrollTop = 0;
});

/* ---- the line to the shop ---- */

const lines = {
	online: 'Online',
	offline: 'Offline: orders are kept here and sent later',
	captive: 'The Wi-Fi wants a login: orders are kept here',
	off: 'This panel is starting up',
	unknown: 'One moment',
};
const ASK_MS = 2000;
let again;

function showLine(state) {
	$('line').dataset.state = state === 'captive' ? 'offline' : state;
	$('line-words').textContent = lines[state];
}

/* The device has not reached the shop since its start: a question tells. */
async function tryShop() {
	await fetch('/api/menu').catch(() => {});
	askStatus();
}

function lineOf(net, origins) {
	if (origins.every((o) => o.state === 'up'))
		return 'online';
	if (net === 'captive')
		return 'captive';
	return origins.some((o) => o.failure || o.state === 'down' || o.state === 'trial') ? 'offline' : 'unknown';
}

async function askStatus() {
	try {
		const s = await (await fetch('/.holdfast/status', { cache: 'no-store' })).json();
		const shops = s.origins.filter((o) => o.url.startsWith('http'));
		showLine(lineOf(s.connectivity.net, shops));
		clearTimeout(again);
		if (shops.some((o) => o.state === 'unknown'))
			again = setTimeout(tryShop, ASK_MS);
	} catch {
		showLine('off');
	}
}

function listen() {
	const source = new EventSource('/.holdfast/events');
	for (const type of ['settled', 'held', 'dead', 'cancelled', 'queued'])
		source.addEventListener(type, (e) => orders.heard(JSON.parse(e.data).id));
	source.addEventListener('gap', () => orders.refresh());
	source.addEventListener('connectivity', askStatus);
	source.addEventListener('open', () => {
		askStatus();
		orders.refresh();
	});
	source.addEventListener('error', () => {
		showLine('off');
		source.close();
		setTimeout(listen, 1000);
	});
}

loadMenu();
showOrders();
listen();
orders.start();
