/* SPDX-License-Identifier: Apache-2.0 */
/* What holdfastd says about its configuration, its state folder and its options. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test, suite, sanitized, until } from './lib/harness.mjs';
import { Daemon, holdfastd, holdfast, run } from './lib/daemon.mjs';
import { freePort } from './lib/ports.mjs';

const port = await freePort();

const GOOD = `[agent]
listen    = 127.0.0.1:${port}            ; panel side
control   = /run/holdfast/control.sock
state-dir = /var/lib/holdfast
log-level = info

[origin shop]
url       = http://shop.example
host      = shop.localhost
probe     = /healthz

[worker kiosk]
origin    = shop
scope     = /
manifest  = kiosk.worker.json

[probe]
url       = http://connectivity.example/generate_204
status    = 204
`;

const MANIFEST = `{
  "name": "kiosk",
  "version": "1.4.0",
  "routes": [
    { "condition": { "urlPattern": "/api/orders", "requestMethod": "POST" },
      "source": "network",
      "queue": { "tag": "orders", "lane": "orders", "order": "block",
                 "idempotency": "keyed", "keyHeader": "Idempotency-Key", "keyValiditySeconds": 86400,
                 "maxAgeSeconds": 604800, "maxEntries": 10000, "expect": [200, 201] } },
    { "condition": { "urlPattern": "/*", "requestMethod": "GET" }, "source": "network" }
  ]
}
`;

const origins = [{ name: 'shop', url: 'http://127.0.0.1:9' }];

async function check(x, conf, manifest = MANIFEST) {
	/* its folders where any user may make them */
	writeFileSync(join(x.dir, 'holdfast.conf'), conf
		.replace('/run/holdfast/', `${x.dir}/run/`).replace('/var/lib/holdfast', `${x.dir}/lib`));
	if (manifest !== null)
		writeFileSync(join(x.dir, 'kiosk.worker.json'), manifest);
	return run(holdfastd, ['--config', join(x.dir, 'holdfast.conf'), '--check']);
}

/* GOOD with line @n (from 1) replaced. */
const line = (n, text) => GOOD.split('\n').map((l, i) => (i + 1 === n ? text : l)).join('\n');
const manifestLine = (n, text) => MANIFEST.split('\n').map((l, i) => (i + 1 === n ? text : l)).join('\n');

const good = [
	['the example', GOOD, MANIFEST],
	['the least there can be', '[agent]\ncontrol = c.sock\nstate-dir = s\n[origin shop]\nurl = http://127.0.0.1:8080\n', null],
	['CRLF line ends', GOOD.replaceAll('\n', '\r\n'), MANIFEST],
	['a byte order mark', `\ufeff${GOOD}`, MANIFEST],
	['IPv6 and a list of addresses', line(2, `listen = 127.0.0.1:${port}, [::1]:${port}`), MANIFEST],
	['remote panels', line(2, 'listen = 0.0.0.0:80\nallow-remote = yes'), MANIFEST],
	['an empty list of routes', GOOD, '{"name":"k","version":"1","routes":[]}'],
];

/* [what, conf, manifest, file and line, words] */
const bad = [
	['unknown key', line(5, 'log-levle = info'), MANIFEST, 'holdfast.conf:5', /log-level/],
	['unknown section', line(7, '[orgin shop]'), MANIFEST, 'holdfast.conf:7', /origin/],
	['key of another section', line(5, 'probe = /x'), MANIFEST, 'holdfast.conf:5', /origin/],
	['bad level', line(5, 'log-level = loud'), MANIFEST, 'holdfast.conf:5', /error, warning, info, debug/],
	['no url', line(8, ''), MANIFEST, 'holdfast.conf:7', /url/],
	['url that is none', line(8, 'url = shop'), MANIFEST, 'holdfast.conf:8', /http:\/\//],
	['url with a path', line(8, 'url = http://shop.example/app'), MANIFEST, 'holdfast.conf:8', /path/],
	['url with a query', line(8, 'url = http://shop.example?x'), MANIFEST, 'holdfast.conf:8', /query/],
	['url with userinfo', line(8, 'url = http://me:pw@shop.example'), MANIFEST, 'holdfast.conf:8', /URL/],
	['unknown scheme', line(8, 'url = ftp://shop.example'), MANIFEST, 'holdfast.conf:8', /http/],
	['https without trust', line(8, 'url = https://shop.example'), MANIFEST, 'holdfast.conf:8', /ca-file/],
	['missing ca-file', line(8, 'url = https://shop.example\nca-file = nowhere.pem'), MANIFEST, 'holdfast.conf:9', /does not exist/],
	['bad pin', line(8, 'url = https://shop.example\npin = abc'), MANIFEST, 'holdfast.conf:9', /SHA-256/],
	['pin on http', line(8, 'url = http://shop.example\npin = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='), MANIFEST, 'holdfast.conf:9', /not https/],
	['key stands twice', line(9, 'url = http://b.example'), MANIFEST, 'holdfast.conf:9', /twice/],
	['section stands twice', `${GOOD}\n[origin shop]\nurl = http://b.example\n`, MANIFEST, 'holdfast.conf:21', /twice/],
	['remote address without leave', line(2, 'listen = 0.0.0.0:8480'), MANIFEST, 'holdfast.conf:2', /allow-remote/],
	['listen without port', line(2, 'listen = 127.0.0.1'), MANIFEST, 'holdfast.conf:2', /port/],
	['listen with a bad port', line(2, 'listen = 127.0.0.1:99999'), MANIFEST, 'holdfast.conf:2', /port/],
	['worker of no origin', line(13, 'origin = shopp'), MANIFEST, 'holdfast.conf:13', /shop/],
	['scope without slash', line(14, 'scope = app'), MANIFEST, 'holdfast.conf:14', /\//],
	['probe by https', line(18, 'url = https://connectivity.example/'), MANIFEST, 'holdfast.conf:18', /http:/],
	['probe status', line(19, 'status = 99'), MANIFEST, 'holdfast.conf:19', /200/],
	['neither key nor section', line(5, 'nonsense'), MANIFEST, 'holdfast.conf:5', /key = value/],
	['key before any section', `x = 1\n${GOOD}`, MANIFEST, 'holdfast.conf:1', /section/],
	['open bracket', line(7, '[origin shop'), MANIFEST, 'holdfast.conf:7', /\]/],
	['no origin at all', '[agent]\nlog-level = info\n', null, 'holdfast.conf', /origin/],
	['empty file', '', null, 'holdfast.conf', /origin/],
	['no manifest', GOOD, null, 'holdfast.conf:15', /does not exist/],
	['manifest that is no JSON', GOOD, manifestLine(5, '    { "condition": { "urlPattern" "/api/orders" },'), 'kiosk.worker.json:5', /./],
	['unknown manifest key', GOOD, manifestLine(6, '      "soruce": "network",'), 'kiosk.worker.json:6', /source/],
	['unknown source', GOOD, manifestLine(6, '      "source": "netwrok",'), 'kiosk.worker.json:6', /network/],
	['unknown idempotency', GOOD, manifestLine(8, '                 "idempotency": "maybe", "keyHeader": "Idempotency-Key", "keyValiditySeconds": 86400,'), 'kiosk.worker.json:8', /never/],
	['key header with a meaning', GOOD, manifestLine(8, '                 "idempotency": "keyed", "keyHeader": "Content-Length", "keyValiditySeconds": 86400,'), 'kiosk.worker.json:8', /Content-Length/],
	['negative age', GOOD, manifestLine(9, '                 "maxAgeSeconds": -1, "maxEntries": 10000, "expect": [200, 201] } },'), 'kiosk.worker.json:9', /maxAgeSeconds|whole number/],
	['expect of nothing', GOOD, manifestLine(9, '                 "maxAgeSeconds": 1, "maxEntries": 10000, "expect": [] } },'), 'kiosk.worker.json:9', /empty/],
	['pattern with a regular expression', GOOD, manifestLine(5, '    { "condition": { "urlPattern": "/api/(\\\\d+)", "requestMethod": "POST" },'), 'kiosk.worker.json:5', /regular expression/],
	['manifest key twice', GOOD, manifestLine(2, '  "name": "a", "name": "kiosk",'), 'kiosk.worker.json:2', /twice/],
];

/* Without listen it is the default port, which may be another program's. */
async function isTaken(port) {
	const server = createServer();
	server.listen(port, '127.0.0.1');
	const free = await once(server, 'listening').then(() => true, () => false);
	server.close();
	return !free;
}

for (const [what, conf, manifest] of good) {
	test(`--check takes ${what}`, async (x) => {
		const r = await check(x, conf, manifest);
		if (r.code === 69 && await isTaken(8480)) {
			assert.match(r.stderr, /^[^\n]* 127\.0\.0\.1:8480 is in use by another program[^\n]*\n$/);
			return;
		}
		assert.equal(r.stderr, '');
		assert.equal(r.code, 0);
		assert.match(r.stdout, /holdfast\.conf: ok/);
	});
}

for (const [what, conf, manifest, where, words] of bad) {
	test(`--check finds: ${what}`, async (x) => {
		const r = await check(x, conf, manifest);
		assert.equal(r.code, 78, r.stderr);
		const lines = r.stderr.trim().split('\n');
		const found = lines.find((l) => l.startsWith(`${join(x.dir, where)}:`));
		assert.ok(found, `expected ${where}: in\n${r.stderr}`);
		assert.match(found, words);
		if (!/empty file|no origin/.test(what))
			assert.match(lines[0], /:\d+: /);
	});
}

test('--check finds several faults in one run', async (x) => {
	const r = await check(x, line(5, 'log-levle = info').replace('probe     = /healthz', 'probe = healthz'),
		manifestLine(6, '      "soruce": "network",'));
	assert.equal(r.code, 78);
	for (const where of ['holdfast.conf:5:', 'holdfast.conf:10:', 'kiosk.worker.json:6:'])
		assert.ok(r.stderr.includes(where), r.stderr);
});

test('--check starts nothing and leaves nothing', async (x) => {
	const r = await check(x, GOOD);
	assert.equal(r.code, 0);
	assert.throws(() => statSync(join(x.dir, 'lib')));
	assert.throws(() => statSync(join(x.dir, 'run')));
});

async function taken(x) {
	const server = createServer();
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	x.defer(() => new Promise((resolve) => server.close(resolve)));
	return `127.0.0.1:${server.address().port}`;
}

test('--check finds folders and addresses that cannot be had, with line and remedy', async (x) => {
	const address = await taken(x);
	writeFileSync(join(x.dir, 'file'), '');
	const cases = [
		[2, `listen = ${address}`, `${address} is in use by another program; stop that, or change`],
		[2, `listen = 127.0.0.1:0\nmetrics-listen = ${address}`, `${address} is in use by another program`, 3],
		[3, `control = ${x.dir}/no/such/control.sock`, `because ${x.dir}/no does not exist; make that first`],
		[3, `control = ${x.dir}/file`, `${x.dir}/file exists and is not a socket`],
		[4, `state-dir = ${x.dir}/no/such`, `because ${x.dir}/no does not exist; make that first`],
		[4, `state-dir = ${x.dir}/file`, `${x.dir}/file is not a folder`],
		[4, `state-dir = ${x.dir}/file/below`, `${x.dir}/file/below cannot be reached`],
	];
	for (const [n, text, words, at = n] of cases) {
		const r = await check(x, line(n, text));
		const key = text.split('\n')[at - n].split(' ')[0];
		assert.equal(r.code, 69, r.stderr);
		assert.ok(r.stderr.startsWith(`${join(x.dir, 'holdfast.conf')}:${at}: [agent] ${key}: `), r.stderr);
		assert.ok(r.stderr.includes(words), r.stderr);
		assert.equal(r.stdout, '');
	}
	const r = await check(x, line(2, `listen = ${address}`).replace('/var/lib', '/no/such'));
	assert.equal(r.stderr.trim().split('\n').length, 2, r.stderr);
});

test('an address that the device does not have yet is told, and keeps nobody waiting', async (x) => {
	const late = '192.0.2.7:8480';
	const daemon = await Daemon.create(x, { origins, start: false });
	daemon.configure({ agent: { listen: `127.0.0.1:${daemon.port}, ${late}`, 'allow-remote': 'yes' } });
	const r = await run(holdfastd, ['--config', daemon.conf, '--check']);
	assert.equal(r.code, 0, r.stderr);
	assert.match(r.stderr, /holdfast\.conf:\d+: \[agent\] listen: 192\.0\.2\.7:8480 is no address of this device now/);
	await daemon.start();
	assert.ok(daemon.log.includes(`${late} is no address of this device now`), daemon.log);
	assert.equal((await daemon.get('/.holdfast/status')).status, 200);
});

test('--check and a start name a file of the store that cannot be used', async (x) => {
	const state = join(x.dir, 'state');
	const file = join(state, 'queue-1.db');
	const cases = [
		['the folder', () => mkdirSync(file, { recursive: true }), 'is a folder where the store has a file; move it away'],
	];
	if (process.getuid() !== 0)
		cases.push(['the mode', () => writeFileSync(file, '', { mode: 0 }), 'give the file to that user']);
	for (const [name, make, words] of cases) {
		rmSync(state, { recursive: true, force: true });
		mkdirSync(state);
		make();
		const r = await check(x, line(4, `state-dir = ${state}`));
		const started = await run(holdfastd, ['--config', join(x.dir, 'holdfast.conf')]);
		for (const got of [r, started]) {
			assert.equal(got.code, 69, `${name}: ${got.stderr}`);
			assert.ok(got.stderr.includes(`:4: [agent] state-dir: `), got.stderr);
			assert.ok(got.stderr.includes(file) && got.stderr.includes(words), got.stderr);
		}
	}
});

test('--check of the settings of a daemon that runs is ok', async (x) => {
	const daemon = await Daemon.create(x, { origins });
	const r = await run(holdfastd, ['--config', daemon.conf, '--check']);
	assert.equal(r.code, 0, r.stderr);
	assert.match(r.stdout, /: ok; a holdfastd is running with it$/m);
});

test('a configuration that is missing or unreadable: 78', async (x) => {
	const missing = await run(holdfastd, ['--config', join(x.dir, 'nowhere.conf'), '--check']);
	assert.equal(missing.code, 78);
	assert.match(missing.stderr, /nowhere\.conf.*does not exist/);
	const folder = await run(holdfastd, ['--config', x.dir, '--check']);
	assert.equal(folder.code, 78);
	assert.match(folder.stderr, /folder/);
});

test('options: unknown 64, none 64, --version 0, --help 0', async () => {
	for (const args of [['--frobnicate'], [], ['--config'], ['--config', 'a', 'b']]) {
		const r = await run(holdfastd, args);
		assert.equal(r.code, 64, `${args}`);
		assert.match(r.stderr, /usage: holdfastd/);
	}
	const version = await run(holdfastd, ['--version']);
	assert.equal(version.code, 0);
	assert.match(version.stdout, /^holdfastd \d+\.\d+/);
	const help = await run(holdfastd, ['--help']);
	assert.equal(help.code, 0);
	assert.match(help.stdout, /usage: holdfastd --config FILE/);
	const command = await run(holdfast, ['--help']);
	assert.equal(command.code, 0);
});

test('a bad configuration does not start: 78', async (x) => {
	writeFileSync(join(x.dir, 'holdfast.conf'), line(5, 'log-levle = info'));
	writeFileSync(join(x.dir, 'kiosk.worker.json'), MANIFEST);
	const r = await run(holdfastd, ['--config', join(x.dir, 'holdfast.conf')]);
	assert.equal(r.code, 78);
	assert.match(r.stderr, /holdfast\.conf:5:/);
});

test('a second daemon on the same state folder: 69', async (x) => {
	const first = await Daemon.create(x, { origins });
	const second = await Daemon.create(x, { origins, start: false, agent: { 'state-dir': first.stateDir } });
	await second.start({ wait: false });
	assert.equal((await second.exit).code, 69);
	assert.match(second.log, /another holdfastd holds it/);
	assert.equal((await first.get('/.holdfast/status')).status, 200);
	await first.restart(); /* the lock ends with its process */
});

test('a listen address that is taken: 69, before a store is made', async (x) => {
	const address = await taken(x);
	const daemon = await Daemon.create(x, { origins, start: false, listen: address });
	await daemon.start({ wait: false });
	assert.equal((await daemon.exit).code, 69);
	assert.ok(daemon.log.includes(`:2: [agent] listen: ${address} is in use by another program`), daemon.log);
	assert.throws(() => statSync(daemon.stateDir));
});

test('a state folder that cannot be written: an error that names it', async (x) => {
	/* Also for root, who may write anywhere: a file where the folder should be. */
	const file = join(x.dir, 'file');
	writeFileSync(file, '');
	for (const dir of [file, join(file, 'below'), join(x.dir, 'no', 'such')]) {
		const daemon = await Daemon.create(x, { origins, start: false, agent: { 'state-dir': dir } });
		await daemon.start({ wait: false });
		const { code } = await daemon.exit;
		assert.ok([69, 71, 73].includes(code), `${dir}: ${code}`);
		assert.ok(daemon.log.includes(dir), daemon.log);
	}
});

test('a state folder that may not be written: an error that names it',
	{ skip: process.getuid() === 0 && 'root may write anywhere' }, async (x) => {
		const dir = join(x.dir, 'locked');
		mkdirSync(dir);
		chmodSync(dir, 0o500);
		const daemon = await Daemon.create(x, { origins, start: false, agent: { 'state-dir': join(dir, 's') } });
		await daemon.start({ wait: false });
		assert.notEqual((await daemon.exit).code, 0);
		assert.match(daemon.log, /may not write in/);
	});

test('the control socket is 0660, and one that a killed daemon left is replaced', async (x) => {
	const daemon = await Daemon.create(x, { origins });
	assert.equal(statSync(daemon.control).mode & 0o777, 0o660);
	await daemon.restart('SIGKILL');
	assert.equal((await daemon.cli('status')).code, 0);
	await daemon.kill('SIGTERM');
	assert.throws(() => statSync(daemon.control), 'it is gone after an orderly end');
});

test('a control path that is no socket is not removed', async (x) => {
	const daemon = await Daemon.create(x, { origins, start: false });
	writeFileSync(daemon.control, 'precious');
	await daemon.start({ wait: false });
	assert.equal((await daemon.exit).code, 69);
	assert.ok(statSync(daemon.control).isFile());
});

test('a store of a newer version is named, and left alone', async (x) => {
	const daemon = await Daemon.create(x, { origins });
	await daemon.kill('SIGTERM');
	const file = join(daemon.stateDir, 'queue-1.db');
	const bytes = readFileSync(file);
	bytes.writeUInt32BE(99, 60); /* the user version in the header of an SQLite database */
	writeFileSync(file, bytes);
	await daemon.start({ wait: false });
	assert.notEqual((await daemon.exit).code, 0);
	assert.ok(daemon.log.includes(`the store in ${daemon.stateDir} was written by a newer version`), daemon.log);
	assert.ok(readFileSync(file).equals(bytes));
});

test('a state folder behind a symbolic link works', async (x) => {
	mkdirSync(join(x.dir, 'real'));
	symlinkSync(join(x.dir, 'real'), join(x.dir, 'link'));
	const daemon = await Daemon.create(x, { origins, agent: { 'state-dir': join(x.dir, 'link') } });
	assert.equal((await daemon.get('/.holdfast/status')).status, 200);
});

test('it serves soon after its start', async (x) => {
	const daemon = await Daemon.create(x, { origins });
	const times = [];
	for (let i = 0; i < 5; i++) {
		await daemon.kill();
		await daemon.start({ wait: false });
		times.push(await daemon.serves());
	}
	times.sort((a, b) => a - b);
	x.say(`from start to the first connection: ${times[2].toFixed(0)} ms (median of 5)`);
	assert.ok(times[2] < (sanitized ? 3000 : 500));
});

suite('config', 4);
