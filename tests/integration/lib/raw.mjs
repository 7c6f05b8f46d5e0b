/* SPDX-License-Identifier: Apache-2.0 */
/* A socket that sends any bytes and reads answers off the wire. */
import { connect } from 'node:net';

export class Raw {
	bytes = Buffer.alloc(0);
	ended = false;
	reset = false;
	#wake = null;

	static open(port, host = '127.0.0.1') {
		return new Promise((resolve, reject) => {
			const raw = new Raw();
			raw.socket = connect({ port, host, allowHalfOpen: true, noDelay: true });
			raw.socket.once('connect', () => resolve(raw));
			raw.socket.once('error', reject);
			raw.#listen();
		});
	}

	#listen() {
		const wake = () => {
			this.#wake?.();
			this.#wake = null;
		};
		this.socket.on('data', (d) => {
			this.bytes = Buffer.concat([this.bytes, d]);
			wake();
		});
		this.socket.on('end', () => {
			this.ended = true;
			wake();
		});
		this.socket.on('error', () => {
			this.reset = true;
			this.ended = true;
			wake();
		});
		this.socket.on('close', () => {
			this.ended = true;
			wake();
		});
	}

	send(data) {
		this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
		return this;
	}

	finish() {
		this.socket.end();
		return this;
	}

	close() {
		this.socket.destroy();
	}

	/* Until f() is true, the stream has ended, or the time is up. */
	async wait(f, ms = 30000) {
		const end = Date.now() + ms;
		for (;;) {
			const over = this.ended;
			if (f())
				return true;
			const left = end - Date.now();
			if (over || left <= 0)
				return false;
			let timer;
			await new Promise((resolve) => {
				this.#wake = resolve;
				timer = setTimeout(resolve, left);
			});
			clearTimeout(timer);
		}
	}

	/* The next complete answer, taken off the bytes; null: none came. @head: the
	 * request was HEAD. */
	async answer({ ms = 30000, head = false } = {}) {
		let parsed = null;
		await this.wait(() => (parsed = parseAnswer(this.bytes, head, false)), ms);
		parsed ??= parseAnswer(this.bytes, head, this.ended);
		if (!parsed)
			return null;
		this.bytes = this.bytes.subarray(parsed.used);
		return parsed;
	}

	/* True: the other side ends the connection in time. */
	async closed(ms = 30000) {
		await this.wait(() => false, ms);
		return this.ended;
	}
}

function parseHead(text) {
	const lines = text.split('\r\n');
	const m = /^HTTP\/(1\.[01]) (\d\d\d) ?(.*)$/.exec(lines[0]);
	if (!m)
		throw new Error(`not a status line: ${JSON.stringify(lines[0].slice(0, 80))}`);
	const headers = {};
	const raw = [];
	for (const line of lines.slice(1)) {
		const at = line.indexOf(':');
		const name = line.slice(0, at), value = line.slice(at + 1).trim();
		raw.push(name, value);
		headers[name.toLowerCase()] = headers[name.toLowerCase()] === undefined ?
			value : `${headers[name.toLowerCase()]}, ${value}`;
	}
	return { version: m[1], status: Number(m[2]), headers, rawHeaders: raw };
}

function parseChunks(bytes, at) {
	const parts = [];
	const trailers = {};
	for (;;) {
		const eol = bytes.indexOf('\r\n', at);
		if (eol < 0)
			return null;
		const size = parseInt(bytes.toString('latin1', at, eol), 16);
		at = eol + 2;
		if (size === 0)
			break;
		if (bytes.length < at + size + 2)
			return null;
		parts.push(bytes.subarray(at, at + size));
		at += size + 2;
	}
	for (;;) {
		const eol = bytes.indexOf('\r\n', at);
		if (eol < 0)
			return null;
		const line = bytes.toString('latin1', at, eol);
		at = eol + 2;
		if (!line)
			return { body: Buffer.concat(parts), trailers, used: at };
		const colon = line.indexOf(':');
		trailers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
	}
}

function parseAnswer(bytes, head, ended) {
	const end = bytes.indexOf('\r\n\r\n');
	if (end < 0)
		return null;
	const answer = parseHead(bytes.toString('latin1', 0, end));
	const at = end + 4;
	const { status, headers } = answer;
	if (status < 200 || status === 204 || status === 304 || head)
		return { ...answer, body: Buffer.alloc(0), used: at };
	if (/chunked/i.test(headers['transfer-encoding'] ?? '')) {
		const chunks = parseChunks(bytes, at);
		return chunks && { ...answer, ...chunks };
	}
	if (headers['content-length'] !== undefined) {
		const n = Number(headers['content-length']);
		return bytes.length < at + n ? null :
			{ ...answer, body: Buffer.from(bytes.subarray(at, at + n)), used: at + n };
	}
	return ended ? { ...answer, body: Buffer.from(bytes.subarray(at)), used: bytes.length } : null;
}
