/* SPDX-License-Identifier: Apache-2.0 */
/* Each part says of which version it is; app.parts has what they said. */
import './style.css';
import picture from './cup.svg';
import words from './words.json?url';

const parts = { index: document.querySelector('meta[name=version]').content, main: 'v0000' };
const app = { parts, done: false, error: null };
window.app = app;
app.later = async () => (await import('./later.js')).version;

const text = async (url) => {
	const answer = await fetch(url);
	if (!answer.ok)
		throw new Error(`${url}: ${answer.status}`);
	return answer.text();
};

function image(url) {
	const img = new Image();
	img.alt = 'a cup';
	img.src = url;
	document.querySelector('#app').append(img);
	return img.decode();
}

async function start() {
	const view = await import('./view.js');
	const said = JSON.parse(await text(words));
	parts.view = view.version;
	parts.words = said.version;
	parts.style = getComputedStyle(document.documentElement).getPropertyValue('--version').replaceAll('"', '').trim();
	view.show(said);
	await image(picture);
	parts.picture = /v\d{4}/.exec(await text(picture))[0];
	const faces = await document.fonts.load('16px Inter', 'Menu');
	if (faces.length === 0)
		throw new Error('no font');
	app.menu = JSON.parse(await text('/api/menu'));
	view.list(app.menu.items, parts);
	app.done = true;
}

start().catch((e) => {
	app.error = String(e.message ?? e);
});
