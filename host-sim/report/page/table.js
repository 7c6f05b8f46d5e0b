// SPDX-License-Identifier: Apache-2.0
// The requests as a table: only the rows that are to be seen exist.
class Table {
	#rows = [];
	#first = -1;

	constructor(app, choose) {
		this.app = app;
		this.choose = choose;
		this.box = $('requests-box');
		this.table = $('requests');
		this.body = this.table.tBodies[0];
		this.box.addEventListener('scroll', () => this.draw());
		this.body.addEventListener('click', (e) => this.#pick(e));
		$('in-view').addEventListener('change', () => this.filter());
		const names = [['all', 'all'], ...Object.entries(KINDS).map(([k, v]) => [k, v.name]), ['again', 'tried again']];
		for (const [value, name] of names) {
			const n = this.app.model.requests.filter((r) => this.#fits(r, value)).length;
			if (n || value === 'all')
				$('kind').append(new Option(`${name} (${grouped(n)})`, value));
		}
		$('kind').addEventListener('change', () => this.filter());
	}

	#fits(r, kind) {
		return kind === 'all' || r.kind === kind || (kind === 'again' && r.attempts.length > 1);
	}

	/* The visible time has changed. */
	moved() {
		if ($('in-view').checked)
			this.filter();
	}

	filter() {
		const { model, view } = this.app;
		const kind = $('kind').value;
		const near = $('in-view').checked;
		this.#rows = model.requests.filter((r) => this.#fits(r, kind) &&
			(!near || (r.to >= view.from && r.from <= view.to)));
		$('requests-count').textContent = this.#rows.length === model.requests.length ?
			grouped(this.#rows.length) : `${grouped(this.#rows.length)} of ${grouped(model.requests.length)}`;
		this.table.hidden = this.#rows.length === 0;
		$('requests-none').hidden = this.#rows.length > 0;
		$('requests-none').textContent = model.requests.length ? 'None of the requests is like that.' : 'No request was sent.';
		this.table.setAttribute('aria-rowcount', this.#rows.length + 1);
		this.draw(true);
	}

	draw(anew = false) {
		const h = parseFloat(getComputedStyle(this.table).getPropertyValue('--row'));
		const first = Math.max(0, Math.min(this.#rows.length - 1, Math.floor(this.box.scrollTop / h)) - 8);
		const even = first - first % 2;
		const last = Math.min(this.#rows.length, even + Math.ceil(this.box.clientHeight / h) + 18);
		if (!anew && even === this.#first)
			return;
		const held = this.body.contains(document.activeElement) ? document.activeElement.dataset.number : null;
		this.#first = even;
		this.body.replaceChildren(this.#gap(even * h),
			...this.#rows.slice(even, last).map((r, i) => this.#row(r, even + i)), this.#gap((this.#rows.length - last) * h));
		if (held)
			this.body.querySelector(`[data-number="${held}"]`)?.focus();
	}

	#gap(height) {
		const gap = el('tr', 'gap', el('td'));
		gap.setAttribute('aria-hidden', 'true');
		gap.firstChild.colSpan = 7;
		gap.style.height = `${height}px`;
		gap.hidden = height <= 0;
		return gap;
	}

	#row(r, i) {
		const { clock, grain } = this.app.model;
		const button = el('button', 'link', String(r.number));
		button.type = 'button';
		button.dataset.number = r.number;
		button.setAttribute('aria-label', `Show request ${r.number} in the timeline`);
		const end = endText(r) || clock.full(r.effect?.[0] ?? r.end, grain);
		const sign = { live: 'done', late: 'done', waiting: 'lost', refused: 'refused' }[r.kind] ?? 'unanswered';
		const tr = el('tr', r.kind, el('td', 'num', button), el('td', 'wide path', `${r.method} ${r.path}`),
			el('td', '', clock.full(r.sent, grain)),
			el('td', 'wide', r.status ? `${r.status}${r.kept ? ', kept' : ''}` : `none: ${r.error ?? 'still open'}`),
			el('td', 'num', String(r.attempts.length)),
			el('td', 'with', signPicture(sign), end),
			el('td', 'num', r.waited ? spanText(r.waited) : '–'));
		tr.setAttribute('aria-rowindex', i + 2);
		tr.dataset.number = r.number;
		return tr;
	}

	#pick(e) {
		const number = e.target.closest('tr')?.dataset.number;
		if (number)
			this.choose(this.app.model.requests[number - 1]);
	}
}
