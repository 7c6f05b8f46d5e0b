/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An origin: records every request that arrives whole, counts effects by
 * Idempotency-Key, and answers as it is told. It can go away and come back on
 * its port.
 *
 *   answers   what the next requests get, in order: { status, headers, body,
 *             delay, reset } or a function (req, res, arrival)
 *   handler   what the rest gets; without one: 201 and the number of the effect
 *
 * reset: 'before' the effect, 'after' it (no byte of an answer), 'body' in the
 * middle of the answer's body.
 */
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createHash } from 'node:crypto';
import { freePort } from './ports.mjs';
import { sleep, until } from './harness.mjs';

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

export class Origin {
	arrivals = [];
	effects = new Map(); /* key -> { number, body }, in the order of the effects */
	answers = [];
	handler = null;
	requests = 0; /* heads seen, also of requests that did not arrive whole */
	up = false;
	#sockets = new Set();
	#stored = 0;

	/* options: tls (as of https.createServer), keep (bodies are kept, default) */
	static async create(x, options = {}) {
		const o = new Origin();
		o.options = options;
		o.port = options.port ?? await freePort();
		o.scheme = options.tls ? 'https' : 'http';
		o.url = `${o.scheme}://${options.name ?? '127.0.0.1'}:${o.port}`;
		x.defer(() => o.stop());
		if (options.start !== false)
			await o.start();
		return o;
	}

	async start() {
		const serve = (req, res) => this.#serve(req, res);
		const common = { keepAliveTimeout: this.options.keepAliveTimeout ?? 60000,
			requestTimeout: 0, headersTimeout: 0 };
		this.server = this.options.tls ?
			createTlsServer({ ...common, ...this.options.tls }, serve) :
			createServer(common, serve);
		const track = (socket) => {
			this.#sockets.add(socket);
			socket.on('close', () => this.#sockets.delete(socket));
			socket.on('error', () => {});
		};
		this.server.on('connection', track);
		this.server.on('clientError', (_e, socket) => socket.destroy());
		this.server.on('upgrade', (req, socket, head) => {
			if (this.onUpgrade)
				this.onUpgrade(req, socket, head);
			else
				socket.destroy();
		});
		if (this.options.expectContinue)
			this.server.on('checkContinue', (req, res) => this.options.expectContinue(req, res, serve));
		await new Promise((resolve, reject) => {
			this.server.once('error', reject);
			this.server.listen(this.port, this.options.host ?? '127.0.0.1', resolve);
		});
		this.up = true;
		this.upSince = performance.now();
	}

	/* Ends every connection at once. */
	async stop() {
		if (!this.up)
			return;
		this.up = false;
		const closed = new Promise((resolve) => this.server.close(resolve));
		this.dropConnections();
		await closed;
	}

	dropConnections() {
		for (const socket of this.#sockets)
			socket.destroy();
	}

	get connections() {
		return this.#sockets.size;
	}

	async #serve(req, res) {
		this.requests++;
		if (this.options.stream && this.options.stream(req, res))
			return;
		const parts = [];
		const hash = createHash('sha256');
		let length = 0;
		try {
			for await (const part of req) {
				length += part.length;
				hash.update(part);
				if (this.options.keep !== false)
					parts.push(part);
			}
		} catch {
			return; /* it did not arrive whole */
		}
		const arrival = {
			at: performance.now(), method: req.method, url: req.url, headers: req.headers,
			rawHeaders: req.rawHeaders, trailers: req.trailers, length,
			hash: hash.digest('hex'), body: Buffer.concat(parts),
			key: req.headers[this.options.keyHeader ?? 'idempotency-key'],
		};
		this.arrivals.push(arrival);
		const next = this.answers.length > 0 ? this.answers.shift() : this.handler;
		if (typeof next === 'function')
			await next(req, res, arrival, this);
		else
			await this.reply(req, res, arrival, next ?? {});
	}

	/* The effect of @arrival, once for each key; returns its answer. */
	effect(arrival) {
		const key = arrival.key ?? `no key ${++this.#stored}`;
		let e = this.effects.get(key);
		if (!e) {
			const number = this.effects.size + 1;
			e = { number, body: arrival.body };
			this.effects.set(key, e);
		}
		return e;
	}

	async reply(req, res, arrival, a) {
		if (a.reset === 'before') {
			req.socket.destroy();
			return;
		}
		const good = a.status === undefined || (a.status >= 200 && a.status < 300);
		const e = good && req.method !== 'GET' && req.method !== 'HEAD' ? this.effect(arrival) : null;
		if (a.delay)
			await sleep(a.delay);
		if (a.reset === 'after') {
			req.socket.destroy();
			return;
		}
		const body = a.body ?? (e ? `{"order":${e.number}}` : `{"path":${JSON.stringify(req.url)}}`);
		res.writeHead(a.status ?? (e ? 201 : 200), { 'Content-Type': 'application/json',
			'Content-Length': Buffer.byteLength(body), ...a.headers });
		if (a.reset === 'body') {
			res.write(body.slice(0, Math.floor(body.length / 2)));
			await sleep(50);
			req.socket.destroy();
			return;
		}
		res.end(req.method === 'HEAD' ? undefined : body);
	}

	/* Arrivals that are not the daemon's own questions about reachability. */
	got(url) {
		return this.arrivals.filter((a) => url === undefined || a.url.split('?')[0] === url);
	}

	async arrived(n, { url, ms = 40000 } = {}) {
		await until(() => this.got(url).length >= n,
			{ ms, what: `${n} requests at the origin (there are ${this.got(url).length})`, every: 5 });
		return this.got(url);
	}
}
