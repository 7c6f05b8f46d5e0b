/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CoAP origin over UDP of which a test says every message: peer.handler(m, reply, from)
 * gets a request and may answer with reply({ code: '2.05', options: [[number, value]], payload })
 * (in the acknowledgement), with { type: 'RST' }, or not at all; peer.send(from, message) says
 * anything at any time. Values are strings, Buffers or unsigned integers.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export const TYPES = ['CON', 'NON', 'ACK', 'RST'];
export const OPTION = { ifMatch: 1, etag: 4, ifNoneMatch: 5, observe: 6, locationPath: 8, path: 11, format: 12,
	maxAge: 14, query: 15, accept: 17, locationQuery: 20, block2: 23, block1: 27, size2: 28, size1: 60, echo: 252, requestTag: 292 };
export const METHODS = { '0.01': 'GET', '0.02': 'POST', '0.03': 'PUT', '0.04': 'DELETE', '0.05': 'FETCH',
	'0.06': 'PATCH', '0.07': 'iPATCH' };

export function uint(n) {
	const bytes = [];
	for (; n > 0; n = Math.floor(n / 256))
		bytes.unshift(n % 256);
	return Buffer.from(bytes);
}
export const number = (b) => (b ? b.reduce((n, byte) => n * 256 + byte, 0) : undefined);
export const block = (num, more, szx) => num * 16 + (more ? 8 : 0) + szx;

const codeText = (c) => `${c >> 5}.${String(c & 31).padStart(2, '0')}`;
const codeByte = (t) => Number(t.split('.')[0]) << 5 | Number(t.split('.')[1]);

/* A delta or a length: its nibble, and what follows. */
function extended(n) {
	if (n < 13)
		return [n, []];
	return n < 269 ? [13, [n - 13]] : [14, [(n - 269) >> 8, (n - 269) & 255]];
}

export function encode({ type = 'CON', code = '0.00', id = 0, token = '', options = [], payload = '' }) {
	const head = Buffer.from(token, 'hex');
	const parts = [Buffer.from([0x40 | TYPES.indexOf(type) << 4 | head.length, codeByte(code), id >> 8, id & 255]), head];
	let last = 0;
	for (const [n, given] of [...options].sort((a, b) => a[0] - b[0])) {
		const value = typeof given === 'number' ? uint(given) : Buffer.from(given);
		const [d, more] = extended(n - last), [l, length] = extended(value.length);
		parts.push(Buffer.from([d << 4 | l, ...more, ...length]), value);
		last = n;
	}
	const body = Buffer.from(payload);
	return Buffer.concat(body.length ? [...parts, Buffer.from([255]), body] : parts);
}

export function decode(b) {
	const m = { type: TYPES[b[0] >> 4 & 3], code: codeText(b[1]), id: b.readUInt16BE(2),
		token: b.subarray(4, 4 + (b[0] & 15)).toString('hex'), options: [] };
	let at = 4 + (b[0] & 15), n = 0;
	const extend = (nibble) => (nibble === 13 ? b[at++] + 13 : nibble === 14 ? b.readUInt16BE((at += 2) - 2) + 269 : nibble);
	while (at < b.length && b[at] !== 255) {
		const first = b[at++];
		n += extend(first >> 4);
		const length = extend(first & 15);
		m.options.push([n, b.subarray(at, at + length)]);
		at += length;
	}
	m.payload = b.subarray(at + 1);
	m.all = (wanted) => m.options.filter(([o]) => o === wanted).map(([, v]) => v);
	m.get = (wanted) => m.all(wanted)[0];
	m.path = '/' + m.all(OPTION.path).join('/');
	m.query = m.all(OPTION.query).map(String);
	m.method = METHODS[m.code];
	return m;
}

export class CoapPeer {
	static async create(x, handler) {
		const p = new CoapPeer();
		p.handler = handler;
		p.requests = [];
		p.others = []; /* acknowledgements, resets, answers */
		p.nextId = 1;
		p.socket = createSocket('udp4');
		p.socket.on('message', (b, from) => p.#take(decode(b), from));
		p.socket.bind(0, '127.0.0.1');
		await once(p.socket, 'listening');
		p.port = p.socket.address().port;
		x.defer(() => p.close());
		x.explain(() => `the peer got ${p.requests.length} requests: ${p.requests.slice(-30).map((m) =>
			`${m.type} ${m.method} ${m.path} ${m.token} ${m.id}`).join(', ')}; and ${p.others.slice(-30).map((m) =>
			`${m.type} ${m.code} ${m.id}`).join(', ')}`);
		return p;
	}

	close() {
		if (!this.closed)
			this.socket.close();
		this.closed = true;
	}

	#take(m, from) {
		m.from = from;
		if (!m.method) {
			this.others.push(m);
			return;
		}
		this.requests.push(m);
		this.handler(m, (answer) => this.send(from, { type: 'ACK', id: m.id, token: m.token, ...answer }), from);
	}

	/* The message's id. */
	send(to, message) {
		const id = message.id ?? this.nextId++;
		if (!this.closed)
			this.socket.send(encode({ ...message, id }), to.port, to.address);
		return id;
	}
}
