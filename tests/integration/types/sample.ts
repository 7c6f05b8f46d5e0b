/* A page's program as the types let it be written, and what they refuse. */
import library, { holdfast, Holdfast, HoldfastError } from '/.holdfast/client.js';
import type { AcceptedRequest, ConnectivityEvent, HoldfastSyncEvent, PendingRequest, RequestEvent } from '/.holdfast/client.js';

export async function order(body: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<number> {
  try {
    const response: Response = await holdfast.fetch(new URL('/api/orders', location.href), {
      method: 'POST', body, duplex: 'half', signal,
      onqueued(id: string, request: AcceptedRequest) {
        document.title = `${id} ${request.state} ${request.tag.toUpperCase()}`;
      },
    });
    return response.status;
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    const id: string | null = error.id;
    const reason: string | null = error.reason;
    // @ts-expect-error: the id may be missing
    error.id.length;
    // @ts-expect-error: there is no such state
    if (error.state === 'lost') return 0;
    return error.state === 'dead' && reason === 'expired' && id ? 1 : 2;
  }
}

export async function line(first: AcceptedRequest, accepted: Response): Promise<void> {
  await holdfast.fetch('/api/orders/{holdfast:order}/lines', { after: first, values: { order: '/id' } });
  await holdfast.fetch('/api/lines', { after: accepted });
  await holdfast.fetch('/api/lines', { after: first.id, values: { place: 'location' } });
  // @ts-expect-error: where a value comes from is text
  await holdfast.fetch('/api/lines', { after: first.id, values: { order: 1 } });
  // @ts-expect-error: a number is no request
  await holdfast.fetch('/api/lines', { after: 7 });
}

export async function again(): Promise<string[]> {
  const found: PendingRequest[] = await holdfast.pending({ tag: 'orders' });
  await Promise.all(found.map((r) => r.response.then((answer: Response) => answer.text())));
  await found[0]?.cancel();
  await holdfast.cancel('01J');
  await library.answer('01J', { signal: AbortSignal.timeout(5) });
  // @ts-expect-error: a tag is text
  await holdfast.pending({ tag: 7 });
  // @ts-expect-error: an id is needed
  await holdfast.answer();
  // @ts-expect-error: it may be absent
  found[0].cancel();
  // @ts-expect-error: a request is not changed
  if (found.length > 0) found[0]!.id = '01K';
  return found.map((r) => r.url);
}

export function watch(): () => void {
  holdfast.on('connectivity', (e: ConnectivityEvent) => e.origins['shop'] === 'up');
  holdfast.on('gap', () => {});
  // @ts-expect-error: there is no such event
  holdfast.on('settle', () => {});
  // @ts-expect-error: a gap has no id
  holdfast.on('gap', (e) => e.id);
  return holdfast.on('change', (e: RequestEvent) => (e.type === 'dead' ? e.reason ?? '' : e.id));
}

export async function background(): Promise<void> {
  holdfast.install();
  holdfast.install({ force: true });
  const { sync, periodicSync } = await holdfast.ready;
  await sync.register('orders');
  await periodicSync.register('menu', { minInterval: 3600000 });
  const tags: string[] = [...await sync.getTags(), ...await periodicSync.getTags()];
  await periodicSync.unregister(tags[0] ?? '');
  const work = (event: HoldfastSyncEvent): void => {
    const last: boolean | undefined = event.lastChance;
    event.waitUntil(fetch(`/api/${event.tag}?${last}`));
  };
  holdfast.addEventListener('sync', work);
  holdfast.removeEventListener('periodicsync', work);
  // @ts-expect-error: a one-off registration is not taken back
  await sync.unregister('orders');
  // @ts-expect-error: milliseconds are a number
  await periodicSync.register('menu', { minInterval: '1 h' });
  // @ts-expect-error: work is a promise
  holdfast.addEventListener('sync', (event) => event.waitUntil(7));
  // @ts-expect-error: on() has the others
  holdfast.addEventListener('queued', work);
}

export const elsewhere: Holdfast = new Holdfast({ base: 'http://127.0.0.1:8480/.holdfast/', fetch });
// @ts-expect-error: a base is text
new Holdfast({ base: new URL('http://127.0.0.1/') });
// @ts-expect-error: it is called with an address
void holdfast.fetch();
// @ts-expect-error: onqueued is a function
void holdfast.fetch('/api/orders', { onqueued: true });
