/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same suite for other caches of this machine, one after the other, as a table:
 *
 *   node tests/cache_suite/compare.mjs CHECKOUT [--json FOLDER] [PRODUCT...]
 *
 * Those that are not installed are left out (./dev bench cache-tests CHECKOUT installs
 * them). Exit code 0: there is a table; 1; 64: usage.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Checkout } from './checkout.mjs';
import { products, versionOf } from './products.mjs';
import { Context } from '../integration/lib/harness.mjs';
import { freePort } from '../integration/lib/ports.mjs';

async function measure(suite, name, json) {
	const x = new Context(name);
	try {
		const origin = await suite.serve(x), port = await freePort();
		const running = await products[name].start(x, port, origin);
		await running?.listens(port);
		const results = await suite.ask(`http://127.0.0.1:${port}`);
		if (json)
			writeFileSync(join(json, `${name}.json`), JSON.stringify(results, null, 2));
		return Checkout.count(suite.all(), suite.judge(results));
	} catch (e) {
		console.error(`${name}: ${e.message}\n${x.explanation()}`);
		return null;
	} finally {
		await x.finish();
	}
}

async function main(path, json, names) {
	const suite = await Checkout.open(path);
	const rows = [];
	for (const name of names.length ? names : Object.keys(products)) {
		const { program } = products[name];
		if (program && !existsSync(program)) {
			console.error(`${name}: not installed`);
			continue;
		}
		console.error(`${name} ...`);
		const figures = await measure(suite, name, json);
		if (figures)
			rows.push([name, figures]);
	}
	if (!rows.length)
		return 1;
	const { required, optimal } = rows[0][1];
	console.log(`| | required, of ${required.total} | optimal, of ${optimal.total} |\n|---|---|---|`);
	rows.sort((a, b) => b[1].required.passed - a[1].required.passed || b[1].optimal.passed - a[1].optimal.passed);
	for (const [name, f] of rows)
		console.log(`| ${`${name} ${versionOf(name)}`.trim()} | ${f.required.passed} | ${f.optimal.passed} |`);
	return 0;
}

const args = process.argv.slice(2);
const at = args.indexOf('--json');
const [, json] = at < 0 ? [] : args.splice(at, 2);
const [path, ...names] = args;
if (!path || path.startsWith('-') || (at >= 0 && !json) || names.some((n) => !products[n])) {
	console.error(`usage: compare.mjs CHECKOUT [--json FOLDER] [${Object.keys(products).join(' | ')}]...`);
	process.exit(64);
}
process.exit(await main(path, json, names));
