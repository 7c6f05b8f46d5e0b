/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network namespace with a wire to ours: ns.address is the other end's, ns.near this end's,
 * ns.command(program, args) runs there. Only root makes them; Netns.create gives { why } where
 * they cannot be made.
 */
import { spawnSync } from 'node:child_process';

function ip(...args) {
	const done = spawnSync('ip', args, { encoding: 'utf8' });
	if (done.error || done.status !== 0)
		throw new Error(`ip ${args.join(' ')}: ${done.error?.message ?? done.stderr.trim()}`);
}

export class Netns {
	/* remove() takes it away. */
	static create() {
		const ns = new Netns(), id = process.pid % 16000;
		Object.assign(ns, { name: `hf-${process.pid}`, link: `hfn${process.pid % 1000000}` });
		/* four addresses of 198.18.0.0/15, which are for measuring networks (RFC 2544) */
		const at = (n) => `198.18.${id >> 6}.${(id & 63) * 4 + n}`;
		Object.assign(ns, { near: at(1), address: at(2) });
		try {
			ip('netns', 'add', ns.name);
			ip('link', 'add', ns.link, 'type', 'veth', 'peer', 'name', 'wire', 'netns', ns.name);
			ip('addr', 'add', `${ns.near}/30`, 'dev', ns.link);
			ip('link', 'set', ns.link, 'up');
			ip('-n', ns.name, 'addr', 'add', `${ns.address}/30`, 'dev', 'wire');
			ip('-n', ns.name, 'link', 'set', 'wire', 'up');
			ip('-n', ns.name, 'link', 'set', 'lo', 'up');
		} catch (e) {
			ns.remove();
			return { why: `no network namespace can be made (root can): ${e.message}`, remove() {} };
		}
		return ns;
	}

	command(program, args) {
		return ['ip', ['netns', 'exec', this.name, program, ...args]];
	}

	remove() {
		spawnSync('ip', ['link', 'del', this.link]);
		spawnSync('ip', ['netns', 'del', this.name]);
	}
}
