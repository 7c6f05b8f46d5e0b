/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public suite for HTTP caches against holdfastd of this build (HF_BIN_DIR):
 *
 *   node tests/cache_suite/run.mjs CHECKOUT [--json FILE]
 *
 * holdfastd has one origin and otherwise its defaults. Exit code 0: every required
 * test passes and at least OPTIMAL_MIN optimal ones; 1; 64: usage.
 */
import { writeFileSync } from 'node:fs';
import { Checkout, kindOf } from './checkout.mjs';
import { products } from './products.mjs';
import { Context } from '../integration/lib/harness.mjs';
import { freePort } from '../integration/lib/ports.mjs';

const OPTIMAL_MIN = 85;

const show = ({ passed, total }) => (total ? `${passed}/${total}` : '-').padStart(9);

function print(suite, verdicts, results) {
	const width = Math.max(...suite.groups.map((g) => g.id.length)) + 1;
	const line = (name, figures) => console.log(name.padEnd(width) +
		['required', 'optimal', 'check'].map((kind) => show(figures[kind])).join(''));
	console.log(`${' '.repeat(width)} required  optimal    check`);
	for (const group of suite.groups)
		line(group.id, Checkout.count(group.tests, verdicts));
	const sum = Checkout.count(suite.all(), verdicts);
	line('all', sum);
	console.log();
	for (const test of suite.all()) {
		const became = verdicts.get(test.id);
		if (became !== 'passed')
			console.log(`${kindOf(test).padEnd(9)} ${became.padEnd(11)} ${test.id}: ${results[test.id]?.[1] ?? ''}`);
	}
	return sum;
}

async function main(path, json) {
	const x = new Context('cache suite');
	try {
		const suite = await Checkout.open(path);
		const port = await freePort();
		await products.holdfast.start(x, port, await suite.serve(x));
		const results = await suite.ask(`http://127.0.0.1:${port}`);
		if (json)
			writeFileSync(json, JSON.stringify(results, null, 2));
		const { required, optimal } = print(suite, suite.judge(results), results);
		return required.total > 0 && required.passed === required.total && optimal.passed >= OPTIMAL_MIN ? 0 : 1;
	} catch (e) {
		console.error(`${e.message}\n${x.explanation()}`);
		return 1;
	} finally {
		await x.finish();
	}
}

const [path, option, json] = process.argv.slice(2);
if (!path || path.startsWith('-') || (option !== undefined && (option !== '--json' || !json))) {
	console.error('usage: run.mjs CHECKOUT [--json FILE]');
	process.exit(64);
}
process.exit(await main(path, json));
