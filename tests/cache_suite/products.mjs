/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Caches to compare with, each as a reverse proxy in front of one origin on loopback,
 * configured to cache what its manual's first example of a cache does, in memory or in
 * the test's folder, and not as a service of the machine.
 *
 *   start(x, port, origin)   begins it: listens on @port, asks @origin (a port)
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Daemon, binDir } from '../integration/lib/daemon.mjs';
import { service } from './checkout.mjs';

/* A folder of @x that a program may write to that gives up root. */
function folder(x, name) {
	const dir = join(x.dir, name);
	chmodSync(x.dir, 0o755);
	mkdirSync(dir);
	chmodSync(dir, 0o777);
	return dir;
}

function file(dir, name, text) {
	writeFileSync(join(dir, name), text);
	return join(dir, name);
}

const nginx = {
	program: '/usr/sbin/nginx', package: 'nginx-light',
	start(x, port, origin) {
		const dir = folder(x, 'nginx');
		const conf = file(dir, 'nginx.conf', `
daemon off;
master_process off;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log warn;
events { worker_connections 512; }
http {
	access_log off;
	client_body_temp_path ${dir}/body;
	proxy_temp_path ${dir}/proxy;
	fastcgi_temp_path ${dir}/fastcgi;
	uwsgi_temp_path ${dir}/uwsgi;
	scgi_temp_path ${dir}/scgi;
	proxy_cache_path ${dir}/cache keys_zone=suite:10m;
	server {
		listen 127.0.0.1:${port};
		location / {
			proxy_pass http://127.0.0.1:${origin};
			proxy_http_version 1.1;
			proxy_cache suite;
			proxy_cache_revalidate on;
		}
	}
}
`);
		return service(x, 'nginx', this.program, ['-p', dir, '-c', conf, '-e', join(dir, 'error.log')]);
	},
};

const varnish = {
	program: '/usr/sbin/varnishd', package: 'varnish',
	start(x, port, origin) {
		const dir = folder(x, 'varnish');
		const vcl = file(dir, 'suite.vcl', `vcl 4.1;\nbackend default { .host = "127.0.0.1"; .port = "${origin}"; }\n`);
		return service(x, 'varnish', this.program, ['-F', '-n', join(dir, 'work'), '-f', vcl,
			'-a', `127.0.0.1:${port}`, '-s', 'default,64m',
			/* Else what says nothing of its freshness is fresh, and most tests depend on the contrary. */
			'-p', 'default_ttl=0', '-p', 'default_grace=0', '-p', 'default_keep=3600']);
	},
};

const squid = {
	program: '/usr/sbin/squid', package: 'squid',
	start(x, port, origin) {
		const dir = folder(x, 'squid');
		const conf = file(dir, 'squid.conf', `
http_port 127.0.0.1:${port} accel defaultsite=127.0.0.1 no-vhost
cache_peer 127.0.0.1 parent ${origin} 0 no-query originserver no-digest name=suite
acl all_of_it src all
http_access allow all_of_it
cache_peer_access suite allow all_of_it
cache_mem 64 MB
pid_filename ${dir}/squid.pid
cache_log ${dir}/cache.log
access_log none
coredump_dir ${dir}
shutdown_lifetime 1 seconds
`);
		return service(x, 'squid', this.program, ['-N', '-f', conf]);
	},
};

const apache2 = {
	program: '/usr/sbin/apache2', package: 'apache2-bin',
	start(x, port, origin) {
		const dir = folder(x, 'apache2');
		const modules = ['mpm_event', 'authz_core', 'proxy', 'proxy_http', 'cache', 'cache_disk', 'headers', 'unixd']
			.filter((m) => existsSync(`/usr/lib/apache2/modules/mod_${m}.so`))
			.map((m) => `LoadModule ${m}_module /usr/lib/apache2/modules/mod_${m}.so`).join('\n');
		mkdirSync(join(dir, 'cache'));
		chmodSync(join(dir, 'cache'), 0o777);
		const conf = file(dir, 'apache2.conf', `
${modules}
User www-data
Group www-data
ServerName 127.0.0.1
Listen 127.0.0.1:${port}
PidFile ${dir}/apache2.pid
Mutex file:${dir} default
ErrorLog ${dir}/error.log
CacheRoot ${dir}/cache
CacheEnable disk /
ProxyPass / http://127.0.0.1:${origin}/
ProxyPassReverse / http://127.0.0.1:${origin}/
`);
		return service(x, 'apache2', this.program, ['-D', 'FOREGROUND', '-d', dir, '-f', conf]);
	},
};

const haproxy = {
	program: '/usr/sbin/haproxy', package: 'haproxy',
	start(x, port, origin) {
		const dir = folder(x, 'haproxy');
		const conf = file(dir, 'haproxy.cfg', `
global
	maxconn 512
defaults
	mode http
	timeout connect 5s
	timeout client 30s
	timeout server 30s
cache suite
	total-max-size 64
	process-vary on
frontend panel
	bind 127.0.0.1:${port}
	default_backend origin
backend origin
	http-request cache-use suite
	http-response cache-store suite
	server origin 127.0.0.1:${origin}
`);
		return service(x, 'haproxy', this.program, ['-db', '-f', conf]);
	},
};

const trafficserver = {
	program: '/usr/bin/traffic_server', package: 'trafficserver',
	start(x, port, origin) {
		const dir = folder(x, 'trafficserver');
		for (const name of ['etc', 'log', 'run', 'cache'])
			chmodSync((mkdirSync(join(dir, name)), join(dir, name)), 0o777);
		const etc = join(dir, 'etc');
		file(etc, 'remap.config', `map / http://127.0.0.1:${origin}/\n`);
		file(etc, 'storage.config', `${dir}/cache 64M\n`);
		file(etc, 'ip_allow.yaml', 'ip_allow:\n  - apply: in\n    ip_addrs: 0/0\n    action: allow\n    methods: ALL\n');
		for (const name of ['plugin.config', 'cache.config', 'hosting.config', 'volume.config', 'parent.config'])
			file(etc, name, '');
		const settings = {
			'admin.user_id': 'STRING #-1',
			'http.server_ports': `STRING ${port}:ip-in=127.0.0.1`,
			'url_remap.remap_required': 'INT 1', 'url_remap.pristine_host_hdr': 'INT 0',
		};
		file(etc, 'records.config', Object.entries(settings)
			.map(([name, value]) => `CONFIG proxy.config.${name} ${value}\n`).join(''));
		return service(x, 'trafficserver', this.program, [], { env: { ...process.env,
			PROXY_CONFIG_CONFIG_DIR: etc, PROXY_CONFIG_LOG_LOGFILE_DIR: join(dir, 'log'),
			PROXY_CONFIG_LOCAL_STATE_DIR: join(dir, 'run'), PROXY_CONFIG_BIN_PATH: '/usr/bin' } });
	},
};

/* A machine whose clock nobody sets (a container) would be one without a clock. */
const CLOCK = join(binDir, '../tests/integration/clock_shift.so');

const holdfast = {
	async start(x, port, origin) {
		const d = await Daemon.create(x, { manifest: null, listen: `127.0.0.1:${port}`, start: false,
			origins: { url: `http://127.0.0.1:${origin}` }, env: existsSync(CLOCK) ? { LD_PRELOAD: CLOCK } : {} });
		d.port = port;
		await d.start();
	},
};

export const products = { holdfast, nginx, varnish, squid, apache2, haproxy, trafficserver };

/* As the package system says it; holdfast is of this build. */
export function versionOf(name) {
	if (!products[name].package)
		return '';
	const { stdout } = spawnSync('dpkg-query', ['-W', '-f', '${Version}', products[name].package]);
	return String(stdout).replace(/^\d+:/, '').replace(/[-+].*/, '');
}
