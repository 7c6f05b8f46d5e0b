/* SPDX-License-Identifier: Apache-2.0 */
/* Several origins behind one holdfastd: what pages of one see of another, and what the operator sees. */
import assert from 'node:assert/strict';
import { test, suite, until } from './lib/harness.mjs';
import { Daemon, queuedRoute } from './lib/daemon.mjs';
import { Origin } from './lib/origin.mjs';

const worker = (name) => ({ name, origin: name, manifest: { name, version: '1',
	routes: [queuedRoute('/api/orders', name)], sync: [{ tag: '*', page: true }] } });

/* shop, which the first name leads to, and bank; both are down. */
async function mall(x) {
	const shop = await Origin.create(x, { start: false }), bank = await Origin.create(x, { start: false });
	const daemon = await Daemon.create(x, { workers: [worker('shop'), worker('bank')],
		origins: [{ name: 'shop', url: shop.url }, { name: 'bank', url: bank.url }] });
	const of = { shop: { Host: `localhost:${daemon.port}` }, bank: { Host: `bank.localhost:${daemon.port}` } };
	return { daemon, of, shop, bank };
}

/* A reader of the stream: said() is all that it has heard. */
function reader(daemon, headers) {
	let text = '';
	const opened = new Promise((resolve) => {
		daemon.request({ path: '/.holdfast/events', headers, timeout: 60000, onResponse: (res) => {
			res.on('data', (d) => (text += d));
			resolve();
		} }).catch(() => {});
	});
	return { opened, said: () => text };
}

test('the status of a page is of its own origin', async (x) => {
	const { daemon, of } = await mall(x);
	await daemon.post('/api/orders', '1', of.shop);
	await daemon.post('/api/orders', '2', of.bank);
	await daemon.post('/api/orders', '3', of.bank);
	await daemon.post('/.holdfast/sync/till', '', of.bank);
	const seen = async (name) => (await daemon.get('/.holdfast/status', of[name])).json();
	const shop = await seen('shop'), bank = await seen('bank');
	assert.deepEqual([shop.origins, bank.origins].map((o) => o.map((v) => v.name)), [['shop'], ['bank']]);
	assert.deepEqual([shop.lanes, bank.lanes].map((l) => l.map((v) => [v.origin, v.depth])),
		[[['shop', 1]], [['bank', 2]]]);
	assert.deepEqual([shop.totals.accepted, shop.totals.waiting], [1, 1]);
	assert.deepEqual([bank.totals.accepted, bank.totals.waiting], [2, 2]);
	assert.deepEqual(shop.sync.registrations, []);
	assert.deepEqual(bank.sync.registrations.map((r) => r.tag), ['till']);
	assert.equal(shop.sync.pending + shop.sync.waiting + shop.sync.firing, 0);
	assert.equal(bank.sync.pending + bank.sync.waiting + bank.sync.firing, 1);
	const all = JSON.parse((await daemon.cli('--json', 'status')).stdout);
	assert.deepEqual(all.origins.map((o) => o.name), ['shop', 'bank']);
	assert.deepEqual(all.lanes.map((l) => l.origin).sort(), ['bank', 'shop']);
	assert.deepEqual([all.totals.accepted, all.totals.waiting], [3, 3]);
	assert.deepEqual(all.sync.registrations.map((r) => r.tag), ['till']);
});

test('a page hears of its own origin', async (x) => {
	const { daemon, of, bank } = await mall(x);
	const shopSide = reader(daemon, of.shop), bankSide = reader(daemon, of.bank);
	await Promise.all([shopSide.opened, bankSide.opened]);
	const ids = {};
	for (const name of ['shop', 'bank', 'bank', 'bank'])
		ids[name] = (await daemon.post('/api/orders', '1', of[name])).json().id;
	await daemon.post('/.holdfast/sync/till', '', of.bank);
	await bank.start();
	await until(() => /"bank":"up"/.test(bankSide.said()) && bankSide.said().includes(`${ids.bank}","state":"settled`),
		{ ms: 40000, what: 'the bank is told to be up' });
	const last = (await daemon.post('/api/orders', '1', of.shop)).json().id;
	await until(() => shopSide.said().includes(last), { what: 'the last order is told' });
	assert.ok(shopSide.said().includes(ids.shop));
	for (const strange of [ids.bank, 'bank', 'till'])
		assert.ok(!shopSide.said().includes(strange), `${strange} in ${shopSide.said()}`);
	assert.ok(!bankSide.said().includes(ids.shop));
	assert.doesNotMatch(bankSide.said(), /"shop"/);
});

test('metrics are for the operator, in the format of Prometheus', async (x) => {
	const { daemon, of } = await mall(x);
	await daemon.post('/api/orders', '1', of.bank);
	assert.equal((await daemon.get('/.holdfast/metrics', of.shop)).status, 403);
	const said = await daemon.cli('metrics');
	assert.equal(said.code, 0, said.stderr);
	for (const line of said.stdout.trimEnd().split('\n'))
		assert.match(line, /^# (HELP|TYPE) holdfast_\w+ \S|^holdfast_\w+({\w+="[^"]*"(,\w+="[^"]*")*})? \d+$/);
	assert.match(said.stdout, /^holdfast_requests_waiting{origin="bank"} 1$/m);
	assert.match(said.stdout, /^holdfast_requests_waiting{origin="shop"} 0$/m);
	assert.match(said.stdout, /^holdfast_requests_accepted_total{origin="bank"} 1$/m);
	assert.match(said.stdout, /^holdfast_origin_up{origin="bank"} 0$/m);
	assert.match(said.stdout, /^# TYPE holdfast_store_bytes gauge$/m);
});

test('each rung of the ladder is in the status, the metrics, the command and the stream', async (x) => {
	const { daemon, of } = await mall(x);
	const rungs = { link: /^(up|down)$/, address: /^(assigned|none)$/, clock: /^(unset|rtc|synced)$/,
		net: /^unknown$/ };
	const { connectivity } = await daemon.status();
	for (const [rung, word] of Object.entries(rungs))
		assert.match(connectivity[rung], word, rung);
	const words = `link ${connectivity.link}, address ${connectivity.address}, clock ${connectivity.clock}, net unknown`;
	assert.ok((await daemon.cli('status')).stdout.includes(`\n${words}\n`), words);
	const { stdout } = await daemon.cli('metrics');
	assert.match(stdout, new RegExp(`^holdfast_link_up ${+(connectivity.link === 'up')}$`, 'm'));
	assert.match(stdout, new RegExp(`^holdfast_address_up ${+(connectivity.address === 'assigned')}$`, 'm'));
	assert.match(stdout, new RegExp(`^holdfast_clock_state{state="${connectivity.clock}"} 1$`, 'm'));
	assert.match(stdout, /^holdfast_net_state{state="unknown"} 1$/m);
	const bankSide = reader(daemon, of.bank);
	await bankSide.opened;
	await daemon.post('/api/orders', '1', of.bank);
	const told = await until(() => /^data: (.*"origins":{"bank":"down"}.*)$/m.exec(bankSide.said()),
		{ ms: 20000, what: 'the bank is told to be down' });
	const event = JSON.parse(told[1]);
	for (const rung of Object.keys(rungs))
		assert.equal(event[rung], connectivity[rung], rung);
});

suite('origins', 2);
