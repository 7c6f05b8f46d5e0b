/* SPDX-License-Identifier: Apache-2.0 */
/* A database that is damaged while the device is off: what the operator is shown. */
import assert from 'node:assert/strict';
import { closeSync, openSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test, suite, until } from './lib/harness.mjs';
import { Origin } from './lib/origin.mjs';
import { Daemon } from './lib/daemon.mjs';

test('a damaged database is shown over restarts until its file is removed', async (x) => {
	const origin = await Origin.create(x, { start: false });
	const daemon = await Daemon.create(x, { origin });
	for (let n = 0; n < 20; n++)
		assert.equal((await daemon.post('/api/orders', `{"n":${n}}`)).status, 202);
	await daemon.kill('SIGTERM');
	const path = join(daemon.stateDir, 'queue-1.db');
	rmSync(`${path}-wal`, { force: true });
	const file = openSync(path, 'r+');
	writeSync(file, Buffer.alloc(512), 0, 512, 0);
	closeSync(file);

	await daemon.start();
	const { store, totals } = await daemon.status();
	assert.equal(totals.waiting, 20);
	assert.equal(store.salvaged, true);
	assert.ok(store.rowsSaved >= 20);
	for (const signal of ['SIGTERM', 'SIGKILL']) {
		await daemon.restart(signal);
		assert.deepEqual((await daemon.status()).store.quarantined, ['queue-1.db']);
		assert.equal((await daemon.status()).store.rowsSaved, store.rowsSaved);
		assert.match((await daemon.cli('status')).stdout, /Put aside: queue-1\.db/);
	}
	unlinkSync(path);
	await until(async () => {
		await daemon.post('/api/orders', '{}');
		return !(await daemon.status()).store.salvaged;
	}, { ms: 25000, what: 'the status is clean', every: 1000 });
});

suite('a damaged database');
