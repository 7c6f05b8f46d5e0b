/* SPDX-License-Identifier: Apache-2.0 */
/* The page's library as the daemon serves it, for a program in Node. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { eventSources } from './event_source.mjs';

/* What still waits when the test is over hears that there is no such request: the process can end. */
function fetchOf(x) {
	let over = false;
	x.defer(() => (over = true));
	return async (...args) => over ?
		new Response('{}', { status: 404, headers: { 'Holdfast-State': 'unknown' } }) : fetch(...args);
}

/* { holdfast, HoldfastError, url(path), EventSource }; @sources false: as where there is no EventSource. */
export async function client(x, daemon, { sources = true } = {}) {
	const served = await daemon.get('/.holdfast/client.js');
	const folder = join(x.dir, `client${served.headers.etag.slice(1, 9)}`);
	mkdirSync(folder, { recursive: true });
	const file = join(folder, 'client.mjs');
	writeFileSync(file, served.body);
	const module = await import(pathToFileURL(file));
	const root = `http://127.0.0.1:${daemon.port}`;
	const EventSource = sources ? eventSources(x) : undefined;
	const holdfast = new module.Holdfast({ base: `${root}/.holdfast/`, EventSource, fetch: fetchOf(x) });
	return { ...module, holdfast, EventSource, url: (path) => root + path };
}
