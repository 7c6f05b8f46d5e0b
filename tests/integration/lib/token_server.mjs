/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An OAuth 2.0 token endpoint: client credentials and refresh tokens that rotate.
 * It is a handler for an Origin, on a server of its own or beside an API.
 *
 *   requests    what was asked: { form, authorization, at }
 *   answers     what the next requests get in place of a token: as Origin's, or a
 *               function (req, res, arrival)
 *   life        seconds of a token
 *   rotate      'strict': the refresh token that was used is void at once;
 *               'lenient': when the one in its place is used first; '' never
 *   accepts(h)  whether the Authorization field @h of a request to the API is good
 */
import assert from 'node:assert/strict';

export const SECRET = 'geheim+von/der:Kasse';
export const SEED = 'refresh-seed-0';

export class TokenServer {
	requests = [];
	answers = [];
	issued = [];		/* access tokens, all that were ever given */
	good = new Set();	/* that the API takes */
	refresh = { current: SEED, previous: null };
	refreshes = [SEED];	/* refresh tokens, all that were ever given */
	life = 3600;
	rotate = '';
	clientId = 'panel 7';
	secret = SECRET;

	constructor({ path = '/oauth/token' } = {}) {
		this.path = path;
		this.handler = (req, res, arrival, origin) => this.serve(req, res, arrival, origin);
	}

	accepts(field) {
		const [, token] = /^Bearer (.+)$/.exec(field ?? '') ?? [];
		return this.good.has(token);
	}

	/* Every token of the API is void. */
	revoke() {
		this.good.clear();
	}

	#client(arrival, form) {
		const basic = /^Basic (.+)$/.exec(arrival.headers.authorization ?? '');
		if (!basic)
			return { id: form.get('client_id'), secret: form.get('client_secret') };
		const [id, secret] = Buffer.from(basic[1], 'base64').toString().split(':')
			.map((part) => new URLSearchParams(`v=${part}`).get('v'));
		return { id, secret };
	}

	#grant(form) {
		if (form.get('grant_type') === 'client_credentials')
			return {};
		assert.equal(form.get('grant_type'), 'refresh_token');
		const used = form.get('refresh_token');
		if (used === this.refresh.current)
			this.refresh.previous = this.rotate === 'strict' ? null : used;
		else if (used !== this.refresh.previous)
			return null;
		if (!this.rotate)
			return {};
		if (this.rotate === 'lenient' && used === this.refresh.current)
			this.refresh.previous = used;
		this.refresh.current = `refresh-${this.refreshes.length}-${Math.random()}`;
		this.refreshes.push(this.refresh.current);
		return { refresh_token: this.refresh.current };
	}

	token() {
		const access = `access-${this.issued.length + 1}-${Math.random()}`;
		this.issued.push(access);
		this.good.add(access);
		return access;
	}

	/* The answer to @form: [status, document]. */
	answer(arrival, form) {
		const { id, secret } = this.#client(arrival, form);
		if (id !== this.clientId || (secret ?? null) !== this.secret)
			return [401, { error: 'invalid_client' }];
		const grant = this.#grant(form);
		if (!grant)
			return [400, { error: 'invalid_grant', error_description: 'it is void' }];
		return [200, { access_token: this.token(), token_type: 'bearer', expires_in: this.life, ...grant }];
	}

	async serve(req, res, arrival, origin) {
		if (req.url !== this.path)
			return origin.reply(req, res, arrival,
				this.accepts(req.headers.authorization) ? {} : { status: 401 });
		assert.equal(req.method, 'POST');
		assert.equal(req.headers['content-type'], 'application/x-www-form-urlencoded');
		const form = new URLSearchParams(arrival.body.toString());
		this.requests.push({ form, authorization: req.headers.authorization });
		const next = this.answers.shift();
		if (typeof next === 'function')
			return next(req, res, arrival, form);
		if (next)
			return origin.reply(req, res, arrival, { body: '{}', ...next });
		const [status, document] = this.answer(arrival, form);
		res.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
		res.end(JSON.stringify(document));
	}

	/* Everything that nobody but the server and the daemon may see. */
	secrets() {
		const basic = Buffer.from(`${encodeURIComponent(this.clientId).replace('%20', '+')}:` +
			`${encodeURIComponent(this.secret ?? '')}`).toString('base64');
		return [this.secret, basic, ...this.issued, ...this.refreshes].filter(Boolean);
	}
}
