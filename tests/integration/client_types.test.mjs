/* SPDX-License-Identifier: Apache-2.0 */
/* client.d.ts under the TypeScript compiler, and against what client.js has. */
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { test, suite } from './lib/harness.mjs';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const TYPES = at('../../firmware/ingress/client.d.ts');
const SAMPLE = at('./types/sample.ts');
const typescript = await import('typescript').catch(() => null);
const ts = typescript?.default;
const skip = ts ? false : 'npm ci has not been run';

function program(options = {}) {
	return ts.createProgram([SAMPLE], { strict: true, noEmit: true, noUncheckedIndexedAccess: true,
		exactOptionalPropertyTypes: false, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext,
		moduleResolution: ts.ModuleResolutionKind.Bundler, types: [], lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
		paths: { '/.holdfast/client.js': [TYPES] }, ...options });
}

const faults = (p) => ts.getPreEmitDiagnostics(p).map((d) => {
	const line = d.file ? d.file.getLineAndCharacterOfPosition(d.start).line + 1 : 0;
	return `${d.file?.fileName ?? ''}:${line}: ${ts.flattenDiagnosticMessageText(d.messageText, '\n')}`;
});

test('a sample program compiles, and what is wrong in it does not', { skip, seconds: 60 }, async () => {
	assert.deepEqual(faults(program()), []);
});

test('the sample says something about the types', { skip, seconds: 60 }, async (x) => {
	const file = join(x.dir, 'client.d.ts');
	const text = ts.sys.readFile(TYPES).replace('readonly id: string | null', 'readonly id: string');
	ts.sys.writeFile(file, text);
	assert.match(faults(program({ paths: { '/.holdfast/client.js': [file] } })).join('\n'), /Unused '@ts-expect-error'/);
});

test('the types name what the module has', { skip, seconds: 60 }, async (x) => {
	const file = join(x.dir, 'client.mjs');
	copyFileSync(at('../../firmware/ingress/client.js'), file);
	const module = await import(pathToFileURL(file));
	const p = program();
	const checker = p.getTypeChecker();
	const names = (symbols) => symbols.map((s) => s.name).sort();
	const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(p.getSourceFile(TYPES)));
	const values = exported.filter((s) => s.flags & (ts.SymbolFlags.Value | ts.SymbolFlags.Alias));
	assert.deepEqual(names(values), Object.keys(module).sort());
	const type = (name) => checker.getDeclaredTypeOfSymbol(exported.find((s) => s.name === name));
	const own = [module.Holdfast.prototype, new module.Holdfast()].flatMap((o) => Object.getOwnPropertyNames(o));
	assert.deepEqual(names(type('Holdfast').getProperties()), own.filter((n) => n !== 'constructor').sort());
});

suite('client_types', 1);
