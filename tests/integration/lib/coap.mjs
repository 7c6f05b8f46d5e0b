/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sensor that speaks CoAP over UDP: messages as bytes (RFC 7252 section 3), repeated
 * until they are acknowledged, Echo given back (RFC 9175), bodies in blocks (RFC 7959).
 */
import { createSocket } from 'node:dgram';
import { randomBytes } from 'node:crypto';
import { freePort } from './ports.mjs';

export const POST = 2, PUT = 3, GET = 1;
const CODES = { GET, POST, PUT, DELETE: 4, PATCH: 6 };
export const OPTION = { observe: 6, uriPath: 11, format: 12, maxAge: 14, uriQuery: 15, locationPath: 8,
	block2: 23, block1: 27, size1: 60, echo: 252 };
const CON = 0, ACK = 2;

function extended(n) {
	return n < 13 ? [n, []] : n < 269 ? [13, [n - 13]] : [14, [(n - 269) >> 8, (n - 269) & 255]];
}

/* { type, code, mid, token, options: [[number, bytes]], payload } */
export function encode(m) {
	const token = m.token ?? Buffer.alloc(0);
	const parts = [Buffer.from([0x40 | (m.type ?? CON) << 4 | token.length, m.code, m.mid >> 8, m.mid & 255]), token];
	let before = 0;
	for (const [number, value] of [...m.options ?? []].sort((a, b) => a[0] - b[0])) {
		const bytes = Buffer.from(value);
		const [delta, more] = extended(number - before), [length, rest] = extended(bytes.length);
		parts.push(Buffer.from([delta << 4 | length, ...more, ...rest]), bytes);
		before = number;
	}
	if (m.payload?.length)
		parts.push(Buffer.from([255]), Buffer.from(m.payload));
	return Buffer.concat(parts);
}

export function decode(b) {
	const m = { type: b[0] >> 4 & 3, code: `${b[1] >> 5}.${String(b[1] & 31).padStart(2, '0')}`,
		mid: b[2] << 8 | b[3], token: b.subarray(4, 4 + (b[0] & 15)), options: [], payload: Buffer.alloc(0) };
	let at = 4 + (b[0] & 15), number = 0;
	const extend = (n) => {
		if (n === 13)
			return 13 + b[at++];
		at += n === 14 ? 2 : 0;
		return n === 14 ? 269 + (b[at - 2] << 8 | b[at - 1]) : n;
	};
	while (at < b.length && b[at] !== 255) {
		const first = b[at++];
		number += extend(first >> 4);
		const length = extend(first & 15);
		m.options.push([number, b.subarray(at, at + length)]);
		at += length;
	}
	if (b[at] === 255)
		m.payload = b.subarray(at + 1);
	return m;
}

export const uint = (n) => {
	const bytes = [];
	for (; n > 0; n = Math.floor(n / 256))
		bytes.unshift(n & 255);
	return Buffer.from(bytes);
};
export const optionOf = (m, number) => m.options.find(([n]) => n === number)?.[1];
/* The id that Location-Path ends with. */
export const locationOf = (m) => m.options.filter(([n]) => n === OPTION.locationPath).at(-1)?.[1].toString();

export async function freeUdpPort(n = 1) {
	for (;;) {
		const port = await freePort('127.0.0.1', n);
		const free = await Promise.all(Array.from({ length: n }, (_, k) => new Promise((resolve) => {
			const s = createSocket('udp4');
			s.once('error', () => resolve(false));
			s.bind(port + k, '127.0.0.1', () => s.close(() => resolve(true)));
		})));
		if (free.every(Boolean))
			return port;
	}
}

export class Sensor {
	mid = randomBytes(2).readUInt16BE();
	waiting = new Map(); /* token in hex -> what it waits for */
	told = [];	     /* messages that nobody waits for */
	ended = false;

	static async create(x, port) {
		const s = new Sensor();
		s.port = port;
		s.socket = createSocket('udp4');
		s.socket.on('error', () => {});
		s.socket.on('message', (bytes) => s.#take(decode(bytes)));
		await new Promise((resolve) => s.socket.bind(0, '127.0.0.1', resolve));
		x?.defer(() => s.close());
		return s;
	}

	close() {
		if (!this.ended)
			this.socket.close();
		this.ended = true;
		for (const w of this.waiting.values())
			w.stop();
	}

	send(bytes) {
		if (!this.ended)
			this.socket.send(bytes, this.port, '127.0.0.1');
	}

	#take(m) {
		if (m.type === CON)
			this.send(encode({ type: ACK, code: 0, mid: m.mid }));
		const w = [...this.waiting.values()].find((one) => (m.code === '0.00' ? one.mid === m.mid :
			one.token.equals(m.token)));
		if (!w)
			this.told.push(m);
		else if (m.code === '0.00')
			w.acknowledged();
		else
			w.answered(m);
	}

	/* One message until its answer; repeated @every ms, @times times. Undefined: none came. */
	exchange(message, { every = 2000, times = 5 } = {}) {
		const m = { token: randomBytes(4), mid: this.mid = this.mid + 1 & 0xffff, ...message };
		const bytes = encode(m), key = m.token.toString('hex');
		return new Promise((resolve) => {
			let timer, left = times;
			const over = (answer) => {
				clearTimeout(timer);
				this.waiting.delete(key);
				resolve(answer);
			};
			const again = () => {
				if (left-- === 0)
					return over();
				this.send(bytes);
				timer = setTimeout(again, every);
			};
			this.waiting.set(key, { token: m.token, mid: m.mid, answered: over, stop: over,
				acknowledged: () => {
					clearTimeout(timer);
					timer = setTimeout(over, every * times);
				} });
			again();
		});
	}

	/* A request; asks once more with Echo when that is wanted. */
	async request(method, path, payload = '', { format, query = [], options = [], ...how } = {}) {
		const message = { code: CODES[method], payload, ...how.message, options: [
			...path.slice(1).split('/').map((part) => [OPTION.uriPath, part]),
			...query.map((part) => [OPTION.uriQuery, part]),
			...(format === undefined ? [] : [[OPTION.format, uint(format)]]), ...options] };
		const answer = await this.exchange(message, how);
		const echo = answer?.code === '4.01' && optionOf(answer, OPTION.echo);
		if (!echo)
			return answer;
		return this.exchange({ ...message, options: [...message.options, [OPTION.echo, echo]] }, how);
	}

	/* A body in blocks of 1024; the answer to the last one, or to one that was refused. */
	async upload(method, path, body, how = {}) {
		for (let num = 0; ; num++) {
			const more = (num + 1) * 1024 < body.length;
			const answer = await this.request(method, path, body.subarray(num * 1024, (num + 1) * 1024), { ...how,
				options: [...how.options ?? [], [OPTION.block1, uint(num << 4 | (more ? 8 : 0) | 6)]] });
			if (!more || answer?.code !== '2.31')
				return answer;
		}
	}
}
