const $ = (id) => document.getElementById(id);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function show(state, words, { id = '', key = '', answer = '' } = {}) {
	$('result').dataset.state = state;
	$('state').textContent = words;
	$('id').textContent = id;
	$('key').textContent = key;
	$('answer').textContent = answer;
}

/* Asks for the origin's answer until it is there; the device may be booting. */
async function follow(id, key) {
	for (;;) {
		try {
			const answer = await fetch(`/.holdfast/requests/${id}/response`);
			if (answer.status !== 202) {
				const text = await answer.text();
				show(answer.ok ? 'done' : 'failed',
					answer.ok ? 'Order accepted' : `Order refused (${answer.status})`, { id, key, answer: text });
				return;
			}
		} catch {
			/* asked again below */
		}
		await pause(200);
	}
}

$('form').addEventListener('submit', async (event) => {
	event.preventDefault();
	const order = Object.fromEntries(new FormData(event.target));
	show('sending', 'Sending');
	try {
		const answer = await fetch('/api/orders', { method: 'POST', body: JSON.stringify(order),
			headers: { 'Content-Type': 'application/json' } });
		if (answer.status !== 202) {
			show(answer.ok ? 'done' : 'failed', answer.ok ? 'Order accepted' : `Order refused (${answer.status})`,
				{ answer: await answer.text() });
			return;
		}
		const { id, idempotencyKey: key } = await answer.json();
		location.hash = id;
		show('queued', 'Order queued: it is sent as soon as the shop can be reached', { id, key });
		await follow(id, key);
	} catch (error) {
		show('failed', `No answer: ${error.message}`);
	}
});

if (location.hash.length > 1) {
	const id = location.hash.slice(1);
	const record = await (await fetch(`/.holdfast/requests/${id}`)).json();
	show('queued', 'Order queued', { id, key: record.idempotencyKey });
	await follow(id, record.idempotencyKey);
}
