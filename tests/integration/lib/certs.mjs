/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates for one test run, made by the openssl command. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash, X509Certificate } from 'node:crypto';
import { join } from 'node:path';

const CONFIG = `
[ca]
default_ca = c
[c]
dir = .
database = index.txt
new_certs_dir = .
serial = serial
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = dn
prompt = no
[dn]
CN = unused
[ca_ext]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
`;

function stamp(days) {
	const d = new Date(Date.now() + days * 86400000);
	return d.toISOString().replace(/[-:T]/g, '').slice(0, 14) + 'Z';
}

export class Authority {
	constructor(dir, name = 'Test CA') {
		this.dir = dir;
		mkdirSync(dir, { recursive: true });
		writeFileSync(join(dir, 'openssl.cnf'), CONFIG);
		writeFileSync(join(dir, 'index.txt'), '');
		writeFileSync(join(dir, 'serial'), '1000\n');
		this.#openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'ca.key');
		this.#openssl('req', '-x509', '-new', '-key', 'ca.key', '-subj', `/CN=${name}`, '-days', '30',
			'-config', 'openssl.cnf', '-extensions', 'ca_ext', '-out', 'ca.pem');
		this.file = join(dir, 'ca.pem');
	}

	#openssl(...args) {
		execFileSync('openssl', args, { cwd: this.dir, stdio: ['ignore', 'pipe', 'pipe'] });
	}

	/* { names: ['shop.test', '127.0.0.1'], from, to (days from now), client }
	 * -> { key, cert (PEM), keyFile, certFile, pin } */
	issue(id, { names = ['127.0.0.1', 'localhost'], from = -1, to = 30, client = false } = {}) {
		const alt = names.map((n) => (/^[\d.]+$|:/.test(n) ? `IP:${n}` : `DNS:${n}`)).join(',');
		writeFileSync(join(this.dir, `${id}.ext`), `basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = ${client ? 'clientAuth' : 'serverAuth'}
${client ? '' : `subjectAltName = ${alt}`}
`);
		this.#openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${id}.key`);
		this.#openssl('req', '-new', '-key', `${id}.key`, '-subj', `/CN=${names[0]}`,
			'-config', 'openssl.cnf', '-out', `${id}.csr`);
		this.#openssl('ca', '-batch', '-notext', '-config', 'openssl.cnf', '-cert', 'ca.pem',
			'-keyfile', 'ca.key', '-startdate', stamp(from), '-enddate', stamp(to),
			'-extfile', `${id}.ext`, '-in', `${id}.csr`, '-out', `${id}.pem`);
		const keyFile = join(this.dir, `${id}.key`), certFile = join(this.dir, `${id}.pem`);
		const cert = readFileSync(certFile);
		const spki = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' });
		return { key: readFileSync(keyFile), cert, keyFile, certFile,
			pin: createHash('sha256').update(spki).digest('base64') };
	}
}
