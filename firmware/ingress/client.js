// Holdfast's library for pages: import { holdfast } from '/.holdfast/client.js'
// SPDX-License-Identifier: Apache-2.0
const TYPES = ['queued', 'settled', 'held', 'dead', 'cancelled'];
const OTHER_TYPES = ['connectivity', 'sync', 'periodicsync', 'gap'];
const LOOK_MS = 30000; // the event stream is open: in case it told nothing
const BLIND_MS = 2000; // there is none
const LATE_MS = 20000; // for Holdfast, a process of this device, to say something
const CANCELS_MAX = 20; // more, of what is being sent
const CANCEL_MS = 250; // between two
const STATE = 'Holdfast-State'; // says that an answer is Holdfast's own, not the origin's
const SYNCS = { sync: 'sync', periodicsync: 'periodicSync' }; // an event's type -> its manager
const ERRORS = { 404: 'InvalidState', 409: 'InvalidState', 501: 'NotSupported', 507: 'QuotaExceeded' };
const NOT_TAKEN = [502, 503, 504, 507]; // refused, and a later attempt may do better
const idIn = (url) => /\/requests\/([0-9A-Z]{26})(?:\/|$)/.exec(url ?? '')?.[1];

export class HoldfastError extends Error {
  constructor(message, { id = null, state, reason = null, status = null, cause } = {}) {
    super(message, cause ? { cause } : undefined);
    Object.assign(this, { name: 'HoldfastError', id, state, reason, status });
  }
}

// What Holdfast said instead of an answer of the origin.
async function refusal(response, id) {
  const body = await response.json().catch(() => ({}));
  return new HoldfastError(body.detail ?? `Holdfast answered ${response.status}`, {
    id, state: response.headers.get(STATE) ?? 'refused', reason: body.reason, status: response.status,
  });
}

const unavailable = (cause) =>
  new HoldfastError('Holdfast does not answer', { state: 'unavailable', cause });

// As SyncEvent and PeriodicSyncEvent, for who listens here.
class HoldfastSyncEvent extends Event {
  #promises = [];
  #over = false;

  constructor(type, { tag, lastChance = false }) {
    super(type);
    Object.assign(this, type === 'sync' ? { tag, lastChance } : { tag });
  }

  waitUntil(promise) {
    if (this.#over) throw new DOMException('The event is over', 'InvalidStateError');
    this.#promises.push(Promise.resolve(promise));
  }

  get waits() {
    return this.#promises.length > 0;
  }

  // Whether all went well.
  async end() {
    let good = true;
    for (const promise of this.#promises) await promise.catch(() => (good = false));
    this.#over = true;
    return good;
  }
}

class HoldfastRequest {
  #holdfast;
  #response;

  constructor(holdfast, { response, ...record }) {
    this.#holdfast = holdfast;
    Object.assign(this, record);
  }

  get response() {
    return (this.#response ??= this.#holdfast.answer(this.id));
  }

  cancel() {
    return this.#holdfast.cancel(this.id);
  }
}

export class Holdfast {
  #base;
  #fetch;
  #EventSource;
  #waiting = new Map(); // id -> the callers that wait for its answer
  #dirty = new Set(); // ids to look at
  #looking = false;
  #blind = true; // nobody would tell
  #listeners = new Map();
  #timer;
  #stop = null; // ends listening
  #source = null; // the event stream, in one tab for all
  #worker = null; // 'ours': a service worker may take sync events; 'self': this is one
  #attributes = []; // onsync, onperiodicsync: types whose attribute the browser does not know
  #taken = new Set(); // sync events

  // Elsewhere than in a page: { base: 'http://127.0.0.1:8480/.holdfast/' }.
  constructor({ base = '/.holdfast/', fetch, EventSource } = {}) {
    this.#base = base;
    this.#fetch = fetch ?? ((...args) => globalThis.fetch(...args));
    this.#EventSource = EventSource ?? globalThis.EventSource;
    this.sync = this.#manager('sync');
    this.periodicSync = this.#manager('periodicsync');
    this.ready = Promise.resolve(this);
  }

  async fetch(input, { onqueued, after, values, ...init } = {}) {
    if (after) {
      init.headers = new Headers(init.headers ?? input.headers);
      init.headers.set('Holdfast-After', Object.entries(values ?? {}).reduce(
        (field, [name, from]) => `${field};${name}=${/^[^/]/.test(from) ? from : JSON.stringify(from)}`,
        `"${after.id ?? idIn(after.headers?.get('Location')) ?? after}"`));
    }
    const signal = init.signal ?? input?.signal;
    if (globalThis.ReadableStream && init.body instanceof ReadableStream) {
      // Browsers stream uploads over HTTP/2 only; Holdfast takes a body in whole anyway.
      const { duplex, ...rest } = init;
      const body = init.body.pipeThrough(new TransformStream(), { signal: signal ?? undefined });
      init = { ...rest, body: await new Response(body).blob() };
    }
    const response = await this.#fetch(input, init);
    if (!response.headers.has(STATE)) return response;
    const id = idIn(response.headers.get('Location'));
    if (response.status !== 202 || !id) throw await refusal(response, null);
    const { state, tag, idempotencyKey } = await response.json().catch(() => ({}));
    onqueued?.(id, new HoldfastRequest(this, { id, state, tag, idempotencyKey }));
    return this.answer(id, { signal });
  }

  answer(id, { signal } = {}) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const end = (settle) => (value) => {
        signal?.removeEventListener('abort', aborted);
        settle(value);
      };
      const caller = { id, resolve: end(resolve), reject: end(reject) };
      const aborted = () => {
        this.#leave(caller);
        caller.reject(signal.reason);
      };
      signal?.addEventListener('abort', aborted);
      this.#enter(caller);
      this.#listen();
      this.#look(id);
    });
  }

  async pending({ tag } = {}) {
    const found = [];
    let after = '';
    do {
      const page = await this.#json(`requests?state=queued,held&limit=64${after}`);
      found.push(...page.requests.filter((r) => tag === undefined || r.tag === tag));
      after = page.next && `&after=${page.next}`;
    } while (after);
    return found.map((r) => new HoldfastRequest(this, r));
  }

  // What is being sent at this moment mostly comes back soon: an outage is tried out again and again.
  async cancel(id) {
    const path = `requests/${encodeURIComponent(id)}`;
    let response;
    for (let n = 0; !(response = await this.#ask(path, { method: 'DELETE' })).ok; n++) {
      const error = await refusal(response, id);
      if (response.status !== 409) throw error;
      const { state, reason } = await this.#json(path);
      if (n === CANCELS_MAX || !['queued', 'inflight', 'held'].includes(state))
        throw Object.assign(error, { state, reason });
      await new Promise((done) => { setTimeout(done, CANCEL_MS); });
    }
    await response.body?.cancel();
    this.#look(id);
    this.#look(idIn(response.url));
  }

  // Returns what ends it.
  on(type, listener) {
    if (!['change', ...TYPES, ...OTHER_TYPES].includes(type))
      throw new TypeError(`There is no event "${type}"`);
    return this.#add(type, listener);
  }

  // For sync and periodicsync: an event with waitUntil(), as a service worker has it.
  addEventListener(type, listener) {
    this.removeEventListener(type, listener);
    if (SYNCS[type]) this.#add(`${type}()`, listener);
    this.#catchUp();
  }

  removeEventListener(type, listener) {
    for (const entry of this.#listeners.get(`${type}()`) ?? []) if (entry.listener === listener) entry.end();
  }

  // Background sync by Holdfast behind the standards' own names, where the browser has none (or all the same: force).
  install({ force = false } = {}) {
    const { ServiceWorkerRegistration: Registration, navigator } = globalThis;
    const define = (object, name, what) => Object.defineProperty(object, name, { configurable: true, ...what });
    const missing = Object.values(SYNCS).filter((name) => force || !(name in (Registration?.prototype ?? {})));
    for (const name of missing) {
      define(globalThis, `${name[0].toUpperCase()}${name.slice(1)}Manager`, { value: class {} });
      if (Registration) define(Registration.prototype, name, { get: () => this[name] });
    }
    if (!missing.length || this.#worker) return;
    this.#grant(navigator.permissions);
    if (globalThis.registration) {
      this.#serve();
      return;
    }
    if (!navigator.serviceWorker) {
      const { ready } = this;
      const register = async () => { throw new DOMException('There are no service workers here', 'NotSupportedError'); };
      define(navigator, 'serviceWorker', { value: Object.assign(new EventTarget(),
        { ready, controller: null, getRegistration: () => ready, register }) });
    }
    this.#worker = 'ours';
    this.#listen();
    this.#catchUp();
  }

  #add(type, listener) {
    const set = this.#listeners.get(type) ?? new Set();
    const end = () => {
      set.delete(entry);
      if (!set.size && this.#listeners.get(type) === set) this.#listeners.delete(type);
      this.#rest();
    };
    const entry = { listener, end };
    this.#listeners.set(type, set.add(entry));
    this.#listen();
    return end;
  }

  #emit(type, event) {
    for (const { listener } of this.#listeners.get(type) ?? [])
      try {
        listener(event);
      } catch (error) {
        (globalThis.reportError ?? console.error)(error);
      }
  }

  // ---- background sync ----

  #manager(type) {
    const say = async (method, args, more) => {
      if (!args.length) throw new TypeError('A tag is needed');
      await this.#call(type, method, { tag: args[0], ...more });
    };
    const getTags = async () => (await this.#registrations(type)).map((r) => r.tag);
    const register = async (...args) => {
      const minInterval = Math.trunc(args[1]?.minInterval ?? 0);
      if (!(minInterval >= 0 && minInterval <= Number.MAX_SAFE_INTEGER))
        throw new TypeError('minInterval is out of range');
      try {
        void globalThis.top?.document;
      } catch {
        throw new DOMException('This is a frame in a page of another site', 'InvalidAccessError');
      }
      return say('POST', args, type === 'sync' ? {} : { minInterval });
    };
    const unregister = (...args) => say('DELETE', args).catch((error) => { if (error.status !== 404) throw error; });
    return type === 'sync' ? { register, getTags } : { register, getTags, unregister };
  }

  async #call(type, method, parameters) {
    const response = await this.#ask(`${type}?${new URLSearchParams(parameters)}`, {
      method, referrerPolicy: 'same-origin', referrer: globalThis.registration?.scope ?? 'about:client',
    }).catch((error) => { throw new DOMException(error.message, 'UnknownError'); });
    if (response.ok) return response.json();
    const { message, status } = await refusal(response, null);
    const name = ERRORS[status] ?? (status < 500 ? 'NotAllowed' : 'Unknown');
    throw Object.assign(new DOMException(message, `${name}Error`), { status });
  }

  // Those that are not over.
  async #registrations(type) {
    const found = [];
    for (let after = 0; after !== null;) {
      const page = await this.#call(type, 'GET', { limit: 1000, after });
      found.push(...page.registrations.filter((r) => r.state !== 'exhausted'));
      after = page.next;
    }
    return found;
  }

  // Events that began before anybody listened.
  #catchUp() {
    for (const type in SYNCS)
      if (this.#wants(type))
        this.#registrations(type).then((all) => all.forEach((r) => this.#take(type, r)), () => {});
  }

  #wants(type) {
    return this.#worker !== null || this.#listeners.has(`${type}()`);
  }

  // One page, or the service worker, works on an event; another goes on if that page ends.
  async #take(type, told) {
    const { tag, event } = told;
    if (!event || !this.#wants(type) || this.#taken.has(event)) return;
    this.#taken.add(event);
    const run = async () => {
      const now = await this.#call(type, 'GET', { tag });
      if (now.event !== event) return;
      const good = await this.#work(type, told);
      if (good !== undefined)
        await this.#ask(`sync-events/${event}/${good ? 'success' : 'failure'}`, { method: 'POST' });
    };
    const { locks } = globalThis.navigator ?? {};
    await (locks ? locks.request(`holdfast ${event}`, run) : run()).catch(() => {});
    this.#taken.delete(event);
  }

  // undefined: not done here.
  async #work(type, told) {
    const event = new HoldfastSyncEvent(type, told);
    if (this.#worker === 'self') {
      globalThis.dispatchEvent(event);
      if (this.#attributes.includes(type)) globalThis[`on${type}`]?.(event);
      return event.end();
    }
    this.#emit(`${type}()`, event);
    if (this.#worker && !event.waits) {
      const active = (await globalThis.navigator.serviceWorker.getRegistration())?.active;
      active?.postMessage({ holdfast: type, ...told });
      if (active) return undefined;
    }
    return this.#listeners.has(`${type}()`) ? event.end() : undefined;
  }

  // In a service worker.
  #serve() {
    this.#worker = 'self';
    this.#attributes = Object.keys(SYNCS).filter((type) => !(`on${type}` in globalThis));
    globalThis.addEventListener('message', (message) => {
      const { holdfast: type, ...told } = message.data ?? {};
      if (!SYNCS[type]) return;
      message.stopImmediatePropagation();
      message.waitUntil(this.#take(type, told));
    });
    // An origin that cannot be reached is what it is without Holdfast between: an error, not an answer.
    const { fetch } = globalThis;
    globalThis.fetch = async (...args) => {
      const response = await fetch(...args);
      if (response.headers.get(STATE) === 'refused' && NOT_TAKEN.includes(response.status))
        throw new TypeError('Failed to fetch');
      return response;
    };
  }

  #grant(permissions) {
    const query = permissions?.query;
    if (query)
      permissions.query = async (wanted) => (/^(periodic-)?background-sync$/.test(wanted?.name) ?
        Object.assign(new EventTarget(), { name: wanted.name, state: 'granted', onchange: null }) :
        query.call(permissions, wanted));
  }

  // ---- asking ----

  #ask(path, init) {
    return this.#fetch(this.#base + path, { cache: 'no-store', ...init })
      .catch((error) => { throw init?.signal ? error : unavailable(error); });
  }

  async #json(path) {
    const response = await this.#ask(path);
    if (!response.ok) throw await refusal(response, null);
    return response.json().catch((error) => { throw unavailable(error); });
  }

  // ---- who waits ----

  #enter(caller) {
    const callers = this.#waiting.get(caller.id) ?? new Set();
    this.#waiting.set(caller.id, callers.add(caller));
  }

  #leave(caller) {
    const callers = this.#waiting.get(caller.id);
    callers?.delete(caller);
    if (callers?.size === 0) this.#waiting.delete(caller.id);
    this.#rest();
  }

  #callers(id) {
    return [...(this.#waiting.get(id) ?? [])];
  }

  // ---- looking: one request at a time, whatever the number that waits ----

  async #look(...ids) {
    for (const id of ids) if (this.#waiting.has(id)) this.#dirty.add(id);
    if (this.#looking) return;
    this.#looking = true;
    let reached = true;
    for (const id of this.#dirty) {
      this.#dirty.delete(id);
      if (this.#waiting.has(id) && !(reached = await this.#lookAt(id))) this.#dirty.clear();
    }
    this.#looking = false;
    this.#tickIn(reached && !this.#blind ? LOOK_MS : BLIND_MS);
  }

  // False: Holdfast did not say how it stands.
  async #lookAt(id) {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), LATE_MS);
    try {
      const response = await this.#ask(`requests/${encodeURIComponent(id)}/response`, { signal: late.signal });
      clearTimeout(timer); // not over the body
      return await this.#heardOf(id, response);
    } catch {
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  async #heardOf(old, response) {
    const id = (response.redirected && idIn(response.url)) || old;
    if (id !== old) this.#replaced(old, id);
    if (!response.headers.has(STATE)) {
      const [first] = this.#callers(id);
      if (first) {
        this.#leave(first);
        first.resolve(response);
      } else {
        response.body?.cancel();
      }
      if (this.#waiting.has(id)) this.#dirty.add(id); // each gets an answer of its own
      return true;
    }
    if (response.status >= 400 && response.status < 500) {
      const error = await refusal(response, id);
      for (const caller of this.#callers(id)) {
        this.#leave(caller);
        caller.reject(error);
      }
      return true;
    }
    response.body?.cancel();
    return response.status === 202;
  }

  #replaced(old, id) {
    for (const caller of this.#callers(old)) {
      this.#leave(caller);
      this.#enter(Object.assign(caller, { id }));
    }
  }

  // ---- listening: one event stream and one timer ----

  get #wanted() {
    return this.#waiting.size > 0 || this.#listeners.size > 0 || this.#worker === 'ours';
  }

  #tickIn(ms) {
    clearTimeout(this.#timer);
    if (!this.#stop) return;
    this.#timer = setTimeout(() => this.#tick(), this.#wanted ? ms : BLIND_MS);
    if (!this.#wanted) this.#timer.unref?.();
  }

  // Soon, when nobody waits or listens any more.
  #rest() {
    if (!this.#wanted) this.#tickIn(BLIND_MS);
  }

  #tick() {
    if (!this.#wanted) {
      this.#stop?.();
      return;
    }
    if (this.#source?.readyState === 2) this.#open(true);
    if (this.#blind) this.#catchUp();
    this.#look(...this.#waiting.keys());
  }

  #listen() {
    if (this.#stop) return;
    const over = new AbortController();
    const { navigator, BroadcastChannel } = globalThis;
    const name = `holdfast ${this.#base}`;
    let channel = null;
    const lead = (late) => new Promise((done) => {
      if (over.signal.aborted) return done();
      over.signal.addEventListener('abort', done);
      this.#tell = (message) => {
        this.#hear(message);
        channel?.postMessage(message);
      };
      this.#open(late);
    });

    this.#stop = () => {
      this.#stop = null;
      over.abort();
      this.#source?.close();
      this.#source = null;
      this.#blind = true;
      channel?.close();
    };
    this.#tickIn(BLIND_MS);
    if (!this.#EventSource) return;
    if (!navigator?.locks || !BroadcastChannel) {
      lead(false);
      return;
    }
    // A browser gives few connections to all its tabs: one of them listens for all.
    channel = new BroadcastChannel(name);
    channel.onmessage = (event) => this.#hear(event.data);
    channel.unref?.();
    this.#blind = false;
    const take = (options, late) => navigator.locks.request(name, options, (lock) =>
      (lock ? lead(late) : take({ signal: over.signal }, true)));
    take({ ifAvailable: true }, false).catch(() => over.signal.aborted || lead(false));
  }

  #tell = () => {};

  // late: behind another stream, which cannot be resumed.
  #open(late) {
    let last = '';
    let opened = late;
    const source = new this.#EventSource(this.#base + 'events');
    this.#source?.close();
    this.#source = source;
    source.onopen = () => {
      this.#tell({ type: 'open' });
      if (opened && !last) this.#tell({ type: 'gap' });
      opened = true;
    };
    source.onerror = () => this.#tell({ type: 'blind' });
    for (const type of [...TYPES, ...OTHER_TYPES])
      source.addEventListener(type, (event) => {
        last = event.lastEventId;
        try {
          this.#tell({ ...JSON.parse(event.data), type });
        } catch { /* not one of ours */ }
      });
  }

  #hear(message) {
    const { type, id, replaces } = message;
    if (type === 'blind' && !this.#blind) this.#tickIn(BLIND_MS);
    if (type === 'open' || type === 'blind') this.#blind = type === 'blind';
    if (type === 'open' || type === 'gap') {
      this.#look(...this.#waiting.keys());
      this.#catchUp();
    }
    if (SYNCS[type]) this.#take(type, message);
    if (id && type !== 'queued' && type !== 'held') this.#look(id);
    if (replaces) this.#look(replaces);
    for (const kind of TYPES.includes(type) ? [type, 'change'] : [type]) this.#emit(kind, message);
  }
}

export const holdfast = new Holdfast();
export default holdfast;
