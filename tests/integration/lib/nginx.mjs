/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nginx as an origin: serves a folder, takes POST /api/orders with 201 and logs
 * each with its key and body. $request_body is known only to a proxying
 * location, so the answer comes from a second server of the same nginx.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:net';
import { freePort } from './ports.mjs';
import { until } from './harness.mjs';

const BINARY = ['/usr/sbin/nginx', '/usr/bin/nginx'].find((f) => existsSync(f));
export const hasNginx = BINARY !== undefined;
export const nginxVersion = () => spawnSync(BINARY, ['-v']).stderr.toString().trim();

export class Nginx {
	/* options: root (folder), tls ({ keyFile, certFile }) */
	static async create(x, options = {}) {
		const n = new Nginx();
		n.options = options;
		n.dir = join(x.dir, 'nginx');
		mkdirSync(n.dir);
		n.port = await freePort();
		n.inner = await freePort();
		n.scheme = options.tls ? 'https' : 'http';
		n.url = `${n.scheme}://127.0.0.1:${n.port}`;
		writeFileSync(join(n.dir, 'nginx.conf'), n.#config());
		x.defer(() => n.stop());
		x.explain(() => {
			const log = join(n.dir, 'error.log');
			return existsSync(log) ? `nginx:\n${readFileSync(log)}` : '';
		});
		await n.start();
		return n;
	}

	#config() {
		const { tls, root } = this.options;
		return `
daemon off;
master_process off;
pid ${this.dir}/nginx.pid;
error_log ${this.dir}/error.log warn;
events { worker_connections 256; }
http {
	log_format orders escape=json '{"at":$msec,"method":"$request_method","url":"$request_uri",'
		'"key":"$http_idempotency_key","status":$status,"body":"$request_body",'
		'"protocol":"$server_protocol","via":"$http_via"}';
	access_log off;
	types { text/html html; text/css css; text/javascript js mjs; image/svg+xml svg; }
	client_body_temp_path ${this.dir}/body;
	proxy_temp_path ${this.dir}/proxy;
	fastcgi_temp_path ${this.dir}/fastcgi;
	uwsgi_temp_path ${this.dir}/uwsgi;
	scgi_temp_path ${this.dir}/scgi;
	client_body_in_single_buffer on;
	client_body_buffer_size 1m;
	server {
		listen 127.0.0.1:${this.port}${tls ? ' ssl' : ''};
		${tls ? `ssl_certificate ${tls.certFile}; ssl_certificate_key ${tls.keyFile};` : ''}
		root ${root ?? this.dir};
		location = /api/orders {
			access_log ${this.dir}/orders.log orders;
			proxy_set_header Idempotency-Key $http_idempotency_key;
			proxy_pass http://127.0.0.1:${this.inner};
		}
	}
	server {
		listen 127.0.0.1:${this.inner};
		default_type application/json;
		location / { return 201 '{"accepted":true,"key":"$http_idempotency_key"}'; }
	}
}
`;
	}

	async start() {
		this.child = spawn(BINARY, ['-p', this.dir, '-c', join(this.dir, 'nginx.conf'),
			'-e', join(this.dir, 'error.log')], { stdio: 'ignore' });
		this.exit = new Promise((resolve) => this.child.once('exit', resolve));
		await until(() => new Promise((resolve) => {
			const s = connect(this.port, '127.0.0.1', () => {
				s.destroy();
				resolve(true);
			});
			s.on('error', () => resolve(false));
		}), { what: 'nginx' });
	}

	/* What was answered just now may not be in the log: nginx logs afterwards. */
	async stop() {
		if (!this.child)
			return;
		this.child.kill('SIGTERM');
		const timer = setTimeout(() => this.child.kill('SIGKILL'), 3000);
		await this.exit;
		clearTimeout(timer);
		this.child = null;
	}

	got() {
		const log = join(this.dir, 'orders.log');
		if (!existsSync(log))
			return [];
		return readFileSync(log, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
	}
}
