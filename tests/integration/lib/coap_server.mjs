/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Origins that speak CoAP: libcoap's own example server, with another TLS library.
 * Builds without CoAP and machines without the server skip.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './harness.mjs';
import { Daemon, binDir, queuedRoute } from './daemon.mjs';
import { freePort } from './ports.mjs';

const openssl = 'coap-server-openssl';
const there = !spawnSync(openssl, ['-v']).error;
export const skip = !process.env.HF_COAP ? 'built without CoAP' : !there ? `there is no ${openssl}` : false;

export class CoapServer {
	/* tls: { cert, key, ca } (files) in place of the key "sesame"; netns: where it runs. */
	static async create(x, { start = true, tls, netns, address = netns?.address ?? '127.0.0.1', program = openssl } = {}) {
		const s = new CoapServer();
		s.port = await freePort('127.0.0.1', 2); /* the next one is for DTLS and TLS */
		s.log = '';
		Object.assign(s, { tls, netns, address, program });
		x.defer(() => s.stop());
		x.explain(() => `${program}:\n${s.log.slice(-4000)}`);
		if (start)
			await s.start();
		return s;
	}

	async start() {
		const { tls } = this;
		const secret = tls ? ['-c', tls.cert, '-j', tls.key, ...(tls.ca ? ['-C', tls.ca] : ['-n'])] :
			['-k', 'sesame', '-h', 'hint'];
		const args = ['-A', this.address, '-p', String(this.port), '-d', '100', ...secret, '-v', '7'];
		const command = this.netns?.command(this.program, args) ?? [this.program, args];
		this.child = spawn(...command, { stdio: ['ignore', 'pipe', 'pipe'] });
		this.over = new Promise((resolve) => this.child.once('close', resolve));
		const begin = this.log.length;
		for (const stream of [this.child.stdout, this.child.stderr])
			stream.on('data', (d) => (this.log += d));
		await until(() => this.log.slice(begin).includes('created TLS'), { what: 'the server listens' });
	}

	async stop() {
		this.child?.kill('SIGKILL');
		await this.over;
		this.child = undefined;
	}

	/* The same when there are at least @n: what it prints is read a moment later. */
	async arrived(method, path, n = 1) {
		await until(() => this.arrivals(method, path).length >= n, { ms: 60000, what: `${n} ${method} of ${path} in its log` });
		return this.arrivals(method, path);
	}

	/* Requests it has received, as libcoap prints them. */
	arrivals(method, path) {
		return this.log.split('\n').filter((line) => line.includes(`c:${method}`) && line.includes(path));
	}
}

/* A server with connection ids (dtls_peer.c): its port and process. */
export async function dtlsPeer(x) {
	const program = process.env.HF_DTLS_PEER ?? join(binDir, '../tests/integration/dtls_peer');
	const child = spawn(program, ['sesame'], { stdio: ['ignore', 'pipe', 'inherit'] });
	x.defer(() => child.kill('SIGKILL'));
	const [line] = await once(child.stdout, 'data');
	return { port: Number(line), child };
}

/* A daemon with such an origin. secret 'psk', or 'cert' with the server's tls; other keys are the
 * origin's. */
export async function kiosk(x, { scheme = 'coap', start = true, psk = 'sesame', policy, tls, server, agent, at = '127.0.0.1',
	program, ...keys } = {}) {
	server ??= await CoapServer.create(x, { start, tls, program });
	const secure = scheme.startsWith('coaps');
	const origin = { name: 'dev', url: `${scheme}://${at}:${server.port + secure}`, ...keys };
	if (secure && !tls) {
		origin['psk-file'] = join(x.dir, 'psk');
		origin['psk-identity'] = 'kiosk';
		writeFileSync(origin['psk-file'], `${psk}\n`);
	}
	const daemon = await Daemon.create(x, { origins: [origin], agent,
		manifest: { name: 'kiosk', version: '1', routes: [queuedRoute('/orders', 'orders', policy),
			queuedRoute('/orders/:n', 'orders', policy, 'PUT')] } });
	return { server, daemon };
}

export const text = { 'Content-Type': 'text/plain' };
