// Types of /.holdfast/client.js.
// SPDX-License-Identifier: Apache-2.0

/** How a request stands. `inflight`: it is being sent at this moment. */
export type RequestState = 'queued' | 'inflight' | 'held' | 'settled' | 'dead' | 'cancelled';

/**
 * `dead`, `cancelled`: there will be no answer. `settled`: there was one, and it is kept no more. `unknown`: there is no
 * such request. `refused`: nothing was accepted. `unavailable`: Holdfast does not answer. A cancel that came too late has
 * the state the request is in.
 */
export type ErrorState = RequestState | 'unknown' | 'refused' | 'unavailable';

export class HoldfastError extends Error {
  constructor(message: string, options: {
    id?: string | null; state: ErrorState; reason?: string | null; status?: number | null; cause?: unknown;
  });
  readonly name: 'HoldfastError';
  readonly state: ErrorState;
  /** `expired`, `operator`, `connection_refused`, ...: PROTOCOL.md, sections 3 and 7. */
  readonly reason: string | null;
  /** null: it never became a request of Holdfast's. */
  readonly id: string | null;
  /** Of Holdfast's own answer. */
  readonly status: number | null;
}

/** What the 202 said. */
export interface AcceptedRequest {
  readonly id: string;
  readonly state: RequestState;
  /** The tag of the route that queued it. */
  readonly tag: string;
  readonly idempotencyKey: string;
  /** The origin's answer; waiting begins when this is read first. */
  readonly response: Promise<Response>;
  /** Rejects when it is too late. */
  cancel(): Promise<void>;
}

/** As it stood when pending() was called. */
export interface PendingRequest extends AcceptedRequest {
  readonly reason: string | null;
  readonly attempts: number;
  readonly lane: string;
  readonly origin: string;
  readonly method: string;
  readonly url: string;
  /** The request that it waits for. */
  readonly after: string | null;
  readonly createdAt: string | null;
  readonly ageSeconds: number;
  readonly nextAttemptInMs: number | null;
}

export interface HoldfastInit extends RequestInit {
  /** Waits for this request to be delivered: its id, what onqueued() was given, or its 202. */
  after?: string | Response | { readonly id: string };
  /** `{holdfast:name}` in URL and body becomes this of its answer: a JSON Pointer, or the name of a field. */
  values?: Readonly<Record<string, string>>;
  /** The request is on disk, and the answer comes later. */
  onqueued?(id: string, request: AcceptedRequest): void;
  /** Of a streamed body, where the types of fetch() do not know it. */
  duplex?: 'half';
}

export interface RequestEvent {
  readonly type: 'queued' | 'settled' | 'held' | 'dead' | 'cancelled';
  readonly at: string | null;
  readonly id: string;
  readonly state: RequestState;
  readonly attempts: number;
  readonly tag: string;
  readonly lane: string;
  readonly method: string;
  readonly url: string;
  readonly idempotencyKey: string;
  readonly reason?: string;
  readonly status?: number;
  /** The id of the one that goes again as this one. */
  readonly replaces?: string;
}

export interface ConnectivityEvent {
  readonly type: 'connectivity';
  readonly at: string | null;
  readonly link: 'up' | 'down';
  readonly address: 'assigned' | 'none';
  readonly clock: 'unset' | 'rtc' | 'synced';
  readonly net: 'unknown' | 'online' | 'captive' | 'offline';
  readonly portal: 'none' | 'unknown' | 'open' | 'captive';
  /** Where a person logs in. */
  readonly portalUrl?: string;
  readonly origins: Readonly<Record<string, 'unknown' | 'up' | 'down'>>;
}

export interface HoldfastEvents {
  change: RequestEvent;
  queued: RequestEvent;
  settled: RequestEvent;
  held: RequestEvent;
  dead: RequestEvent;
  cancelled: RequestEvent;
  connectivity: ConnectivityEvent;
  /** Events were missed. */
  gap: { readonly type: 'gap' };
  sync: { readonly type: 'sync'; readonly [member: string]: unknown };
  periodicsync: { readonly type: 'periodicsync'; readonly [member: string]: unknown };
}

/** An event of background sync, as SyncEvent and PeriodicSyncEvent. */
export interface HoldfastSyncEvent extends Event {
  readonly type: 'sync' | 'periodicsync';
  readonly tag: string;
  /** Of `sync`: no other attempt follows when this one fails. */
  readonly lastChance?: boolean;
  /** Done when the promise is fulfilled, tried again when it is rejected. */
  waitUntil(promise: Promise<unknown>): void;
}

/** As SyncManager. Rejects with a DOMException: section 6 of PROTOCOL.md has the names. */
export interface HoldfastSyncManager {
  register(tag: string): Promise<void>;
  getTags(): Promise<string[]>;
}

/** As PeriodicSyncManager. */
export interface HoldfastPeriodicSyncManager {
  /** minInterval: milliseconds. */
  register(tag: string, options?: { minInterval?: number }): Promise<void>;
  getTags(): Promise<string[]>;
  unregister(tag: string): Promise<void>;
}

export class Holdfast {
  constructor(options?: { base?: string; fetch?: typeof fetch; EventSource?: typeof EventSource });
  /** As fetch(), but the promise waits for the origin's final answer. */
  fetch(input: RequestInfo | URL, init?: HoldfastInit): Promise<Response>;
  /** The same for an id that was kept. */
  answer(id: string, options?: { signal?: AbortSignal }): Promise<Response>;
  /** The requests of this origin, or those with a tag, that have no answer yet. */
  pending(options?: { tag?: string }): Promise<PendingRequest[]>;
  /** What is being sent at this moment is tried again for some 5 s. */
  cancel(id: string): Promise<void>;
  /** Returns what ends it. */
  on<K extends keyof HoldfastEvents>(type: K, listener: (event: HoldfastEvents[K]) => void): () => void;

  readonly sync: HoldfastSyncManager;
  readonly periodicSync: HoldfastPeriodicSyncManager;
  /** As navigator.serviceWorker.ready: what has `sync` and `periodicSync`. */
  readonly ready: Promise<Holdfast>;
  /** The events whose work a page does. One page of a browser gets each. */
  addEventListener(type: 'sync' | 'periodicsync', listener: (event: HoldfastSyncEvent) => void): void;
  removeEventListener(type: 'sync' | 'periodicsync', listener: (event: HoldfastSyncEvent) => void): void;
  /**
   * Puts `sync` and `periodicSync` where a page or a service worker looks for them. `force`: also where the browser has
   * its own.
   */
  install(options?: { force?: boolean }): void;
}

export const holdfast: Holdfast;
export default holdfast;
