/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of the app as Vite builds it, with the list of workbox-build. */
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const APP = fileURLToPath(new URL('./app', import.meta.url));
const FONTS = fileURLToPath(new URL('./node_modules/@fontsource', import.meta.url));
const vite = await import('vite').catch(() => null);
const workbox = await import('workbox-build').catch(() => null);

export const noBuild = vite && workbox ? false : 'npm ci has not been run in tests/integration/spa';

function stamp(dir, version) {
	for (const name of readdirSync(dir, { recursive: true })) {
		const file = join(dir, name);
		if (statSync(file).isFile())
			writeFileSync(file, readFileSync(file, 'utf8').replaceAll('v0000', version));
	}
}

/* Builds @version ("v0001") below @dir: { version, root, manifestEntries }; names of
 * assets have a hash of the content and no revision. */
export async function buildApp(dir, version) {
	const from = join(dir, `${version}-src`), root = join(dir, version);
	cpSync(APP, from, { recursive: true });
	stamp(from, version);
	await vite.build({ root: from, configFile: false, logLevel: 'error',
		resolve: { alias: { '@fontsource': FONTS } },
		build: { outDir: root, assetsInlineLimit: 0, minify: false, target: 'esnext' } });
	const { manifestEntries, warnings } = await workbox.getManifest({ globDirectory: root,
		globPatterns: ['**/*'], dontCacheBustURLsMatching: /^assets\// });
	if (warnings.length > 0)
		throw new Error(warnings.join('\n'));
	return { version, root, manifestEntries };
}
