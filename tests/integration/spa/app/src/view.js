/* SPDX-License-Identifier: Apache-2.0 */
import './view.css';

export const version = 'v0000';

export function show(words) {
	const title = document.createElement('h1');
	title.textContent = words.title;
	document.querySelector('#app').append(title);
}

export function list(items, parts) {
	const ul = document.createElement('ul');
	const p = document.createElement('p');
	ul.append(...items.map((item) => {
		const li = document.createElement('li');
		li.textContent = item;
		return li;
	}));
	p.textContent = Object.entries(parts).map(([name, of]) => `${name} ${of}`).join(', ');
	document.querySelector('#app').append(ul, p);
}
