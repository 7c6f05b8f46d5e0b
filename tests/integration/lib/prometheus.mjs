/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text format of Prometheus, version 0.0.4, read strictly: each family has HELP
 * and TYPE before its samples and stands in one piece, counters end in _total and
 * others do not, labels are escaped, no series stands twice.
 */
import assert from 'node:assert/strict';

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/;
const VALUE = /^(?:[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)$/i;

function readLabels(text, line) {
	const labels = {};
	while (text) {
		const m = LABEL.exec(text);
		assert.ok(m, `labels: ${line}`);
		assert.ok(!(m[1] in labels), `label ${m[1]} twice: ${line}`);
		assert.ok(!m[1].startsWith('__'), `label ${m[1]} is reserved: ${line}`);
		labels[m[1]] = m[2];
		text = text.slice(m[0].length);
	}
	return labels;
}

function readSample(line) {
	const m = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`).exec(line);
	assert.ok(m, `no sample: ${line}`);
	assert.match(m[3], VALUE, line);
	return { name: m[1], labels: readLabels(m[2] ?? '', line), value: Number(m[3]) };
}

/* -> Map of name to { help, type, samples: [{ labels, value }] } */
export function checkMetrics(text) {
	const families = new Map();
	const series = new Set();
	let current = null;

	assert.ok(text.endsWith('\n'), 'the last line has its end');
	for (const line of text.slice(0, -1).split('\n')) {
		const head = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`).exec(line);
		if (head?.[1] === 'HELP') {
			assert.ok(!families.has(head[2]), `${head[2]} begins twice`);
			assert.ok(!/\\(?![\\n])/.test(head[3]), `escapes: ${line}`);
			current = { name: head[2], help: head[3], type: null, samples: [] };
			families.set(head[2], current);
		} else if (head) {
			assert.equal(head[2], current?.name, `TYPE follows its HELP: ${line}`);
			assert.equal(current.type, null, `TYPE twice: ${line}`);
			assert.ok(['counter', 'gauge'].includes(head[3]), line);
			assert.equal(head[3] === 'counter', head[2].endsWith('_total'), `counters end in _total: ${line}`);
			current.type = head[3];
		} else {
			const sample = readSample(line);
			assert.equal(sample.name, current?.name, `in the middle of ${current?.name}: ${line}`);
			assert.ok(current.type, `before its TYPE: ${line}`);
			assert.ok(current.type !== 'counter' || sample.value >= 0, line);
			const key = sample.name + JSON.stringify(Object.entries(sample.labels).sort());
			assert.ok(!series.has(key), `twice: ${line}`);
			series.add(key);
			current.samples.push(sample);
		}
	}
	for (const [name, family] of families)
		assert.ok(family.type && family.samples.length > 0, `${name} is empty`);
	return families;
}
