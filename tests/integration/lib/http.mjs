/* SPDX-License-Identifier: Apache-2.0 */
/* A client for requests that are well-formed. */
import { Agent, request as httpRequest } from 'node:http';

/*
 * { port, method, path, headers, body, host, socketPath, agent, timeout, continue }
 * -> { status, headers, rawHeaders, body (Buffer), text, json(), trailers, interim, ms }
 * A new connection each time without an agent. @body: Buffer, string, or an
 * async iterable (sent chunked).
 */
export function request(options) {
	const { body, timeout = 40000, onResponse, ...rest } = options;
	const begin = performance.now();

	return new Promise((resolve, reject) => {
		const interim = [];
		const req = httpRequest({
			host: '127.0.0.1', method: 'GET', path: '/', agent: false, ...rest,
		});
		const timer = setTimeout(() => {
			req.destroy(new Error(`${options.method ?? 'GET'} ${options.path}: no answer after ${timeout} ms`));
		}, timeout);
		const fail = (e) => {
			clearTimeout(timer);
			reject(e);
		};
		req.on('error', fail);
		req.on('information', (info) => interim.push(info));
		req.on('response', (res) => {
			const parts = [];
			if (onResponse)
				onResponse(res, performance.now() - begin);
			res.on('data', (d) => parts.push(d));
			res.on('error', fail);
			res.on('aborted', () => fail(Object.assign(new Error('the answer was cut short'), {
				code: 'TRUNCATED', status: res.statusCode, bytes: Buffer.concat(parts).length,
			})));
			res.on('end', () => {
				clearTimeout(timer);
				const bytes = Buffer.concat(parts);
				resolve({
					status: res.statusCode, reason: res.statusMessage, headers: res.headers,
					rawHeaders: res.rawHeaders, body: bytes, trailers: res.trailers, interim,
					version: res.httpVersion, ms: performance.now() - begin,
					get text() { return bytes.toString(); },
					json() { return JSON.parse(bytes.toString()); },
				});
			});
		});
		send(req, body).catch(fail);
	});
}

async function send(req, body) {
	if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) {
		req.end(body);
		return;
	}
	for await (const piece of body) {
		if (!req.write(piece))
			await new Promise((resolve) => req.once('drain', resolve));
	}
	req.end();
}

export function keepAliveAgent(options = {}) {
	return new Agent({ keepAlive: true, maxSockets: 1, ...options });
}

/* All values of one field, in order. */
export function fieldValues(rawHeaders, name) {
	const values = [];
	for (let i = 0; i < rawHeaders.length; i += 2) {
		if (rawHeaders[i].toLowerCase() === name.toLowerCase())
			values.push(rawHeaders[i + 1]);
	}
	return values;
}
