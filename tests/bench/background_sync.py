# SPDX-License-Identifier: Apache-2.0
"""The benchmarks of what waits for an origin: how fast it drains, what much of it costs, how soon
the first of it is sent when the origin is back."""
import asyncio
import http.client
import random
import shutil
import subprocess
import threading
import time

from peers import (ROOT, Holdfast, Mosquitto, Nginx, Relay, count_of, free_port, load, median,
                   table)

ACCEPTED = "return 201 '{\"accepted\":true}';"


# --- draining ---------------------------------------------------------------

DRAIN_BODY = 1024
RTT_MS = 100
LOG_FORMAT = "log_format drain '$msec $uri $http_x_n $connection'; access_log {log} drain;"


def order(n):
    return f"{n:06} ".encode().ljust(DRAIN_BODY, b"x")


def in_threads(n, work):
    """Calls @work with 0 to @n - 1 side by side."""
    threads = [threading.Thread(target=work, args=(c,)) for c in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def queue_orders(port, count, lanes, clients=16):
    """Posts 0 to count - 1, lane by lane in rising order, as fast as they are
    acknowledged."""
    def one(c):
        conn = http.client.HTTPConnection("127.0.0.1", port)
        for n in range(count // lanes):
            for lane in range(c, lanes, clients):
                conn.request("POST", f"/api/orders/{lane}", order(n), {"X-N": str(n)})
                answer = conn.getresponse()
                answer.read()
                if answer.status != 202:
                    raise SystemExit(f"bench: {answer.status} instead of 202")

    in_threads(min(clients, lanes), one)


def await_arrivals(log, count):
    """Lines of an origin's log: seconds since the epoch, then words."""
    deadline = time.time() + 600
    while time.time() < deadline:
        lines = log.read_text().splitlines() if log.exists() else []
        if len(lines) >= count:
            return [line.split() for line in lines]
        time.sleep(0.2)
    raise SystemExit(f"bench: {len(lines)} of {count} arrived in 600 s")


def rate_of(arrived):
    return (len(arrived) - 1) / (float(arrived[-1][0]) - float(arrived[0][0]))


def assert_in_order(arrived):
    seen = {}
    for _, uri, n, *_ in arrived:
        if int(n) != seen.get(uri, -1) + 1:
            raise SystemExit(f"bench: {uri} got {n} after {seen.get(uri)}")
        seen[uri] = int(n)


def drain_holdfast(where, count, lanes, policy=None):
    """Requests a second, and over how many connections."""
    port = free_port()
    h = Holdfast(where, port, policy=policy or {"laneBy": {"segment": 3}})
    queue_orders(h.port, count, lanes)
    log = where / "origin.log"
    origin = Nginx(where / "origin", ACCEPTED, log=LOG_FORMAT.format(log=log))
    relay = Relay(port, origin.port, RTT_MS)
    arrived = await_arrivals(log, count)
    for s in (h, relay, origin):
        s.stop()
    if not policy:
        assert_in_order(arrived)
    return rate_of(arrived), len({words[3] for words in arrived})


def drain_mosquitto(where, count):
    """A bridge, as it is set up by default, but without a limit of its queue."""
    there, port = free_port(), free_port()
    a = Mosquitto(where / "a", ["connection up", f"address 127.0.0.1:{port}",
                                "topic orders/# out 1", "cleansession false",
                                "restart_timeout 1"])
    subprocess.run(["mosquitto_pub", "-p", str(a.port), "-q", "1", "-t", "orders/1", "-l"],
                   input=b"\n".join(order(n) for n in range(count)), check=True)
    b = Mosquitto(where / "b", [], there)
    log = where / "arrived"
    with log.open("w") as out:
        sub = subprocess.Popen(["mosquitto_sub", "-p", str(there), "-q", "1", "-t", "orders/#",
                                "-F", "%U %t"], stdout=out)
        time.sleep(0.5)
        relay = Relay(port, there, RTT_MS)
        arrived = await_arrivals(log, count)
        sub.terminate()
        sub.wait()
    for s in (relay, a, b):
        s.stop()
    return rate_of(arrived)


WORKBOX = ("workbox-core", "workbox-background-sync")


def drain_workbox(where, count):
    """Queue.replayRequests() of npm's workbox-background-sync in a service worker of Chromium."""
    bench = ROOT / "tests/bench/workbox"
    www = where / "www/page"
    www.mkdir(parents=True)
    for name in WORKBOX:
        shutil.copy(ROOT / f"tests/integration/node_modules/{name}/build/{name}.prod.js",
                    www / f"{name}.js")
    for name in ("index.html", "worker.js"):
        shutil.copy(bench / name, www)
    log = where / "origin.log"
    origin = Nginx(where / "origin", f"location /page/ {{ root {where}/www; access_log off; types {{ "
                   f"text/html html; text/javascript js; }} }} {ACCEPTED}",
                   log=LOG_FORMAT.format(log=log))
    relay = Relay(free_port(), origin.port, RTT_MS)
    subprocess.run(["node", str(bench / "drive.mjs"), f"http://localhost:{relay.port}/page/index.html",
                    str(count), str(DRAIN_BODY)], check=True)
    arrived = await_arrivals(log, count)
    relay.stop()
    origin.stop()
    assert_in_order(arrived)
    return rate_of(arrived)


def bench_drain(args, where):
    many, single, spread, bridge, workbox = [], [], [], [], []
    unordered = {"laneBy": {"spread": 64}, "idempotency": "idempotent"}
    for r in range(args.rounds):
        many.append(drain_holdfast(where / f"m{r}", 10000, 100)[0])
        bridge.append(drain_mosquitto(where / f"q{r}", 10000))
        workbox.append(drain_workbox(where / f"w{r}", 100))
        single.append(drain_holdfast(where / f"s{r}", 100, 1)[0])
        rate, connections = drain_holdfast(where / f"p{r}", 10000, 1, unordered)
        spread.append(rate)
    rows = [("holdfastd, 10,000 over 100 lanes", f"{median(many):.0f}"),
            (f"holdfastd, 10,000 of one URL, spread, over {connections} connections",
             f"{median(spread):.0f}"),
            ("mosquitto bridge, 10,000, QoS 1", f"{median(bridge):.0f}"),
            ("holdfastd, 100 of one lane, strictly in order", f"{median(single):.2f}"),
            ("Workbox in Chromium, 100, Queue.replayRequests()", f"{median(workbox):.2f}")]
    table(f"Drain of {DRAIN_BODY} B requests over {RTT_MS} ms round trips (median of "
          f"{args.rounds} rounds)", ("", "req/s"), rows)
    print(f"  one lane against the round trip: {median(single) * RTT_MS / 1000:.3f}, against "
          f"Workbox: {median(single) / median(workbox):.2f}")
    print(f"  many lanes against Workbox: {median(many) / median(workbox):.0f}, against the bridge: "
          f"{median(many) / median(bridge):.2f}; spread against Workbox: "
          f"{median(spread) / median(workbox):.0f}")


# --- scale ------------------------------------------------------------------

TAGS = 10000
MANY = 1000000
FEW = 1000
ENQUEUES = 5000
LANES = 32
SMALL = 256  # the store holds a million of them: HF_STORE_BYTES_MAX is 1 GiB


def register_tags(port, count, clients=16):
    def one(c):
        conn = http.client.HTTPConnection("127.0.0.1", port)
        for n in range(c, count, clients):
            conn.request("POST", f"/.holdfast/sync/tag-{n}", b"")
            answer = conn.getresponse()
            answer.read()
            if answer.status != 200:
                raise SystemExit(f"bench: tag {n}: {answer.status}")

    in_threads(clients, one)


class Depths:
    """Two daemons with the same tags, many and few queued; the one with few is a copy of its
    first state for each use, so that it does not become one with many."""

    def __init__(self, where):
        self.where = where
        self.uses = 0
        few = Holdfast(where / "few", free_port(), lanes=LANES)
        register_tags(few.port, TAGS)
        load("http", few.port, 1, FEW, SMALL, LANES)
        few.stop()
        self.many = Holdfast(where / "many", free_port(), lanes=LANES)
        register_tags(self.many.port, TAGS)
        load("http", self.many.port, 64, MANY, SMALL, LANES)

    def few(self):
        self.uses += 1
        copy = self.where / f"few-{self.uses}"
        shutil.copytree(self.where / "few/state", copy / "state")
        return Holdfast(copy, free_port(), lanes=LANES)

    def measure(self, clients, many_first):
        """Microseconds of one durable enqueue of each: many, few."""
        few = self.few()
        both = [self.many, few] if many_first else [few, self.many]
        for s in both:
            load("http", s.port, clients, 200, SMALL, clients)
        took = [1e6 / load("http", s.port, clients, ENQUEUES, SMALL, clients)["rate"] for s in both]
        few.stop()
        shutil.rmtree(few.dir)
        return took if many_first else took[::-1]


def bench_scale(args, where):
    depths = Depths(where)
    filled = depths.many.status("VmRSS")
    took = {1: [], 32: []}
    for r in range(max(args.rounds, 5)):
        for clients, runs in took.items():
            runs.append(depths.measure(clients, r % 2 == 0))
    rows = []
    for clients, runs in took.items():
        many, few = (median([r[i] for r in runs]) for i in (0, 1))
        ratios = [r[0] / r[1] for r in runs]
        rows.append((count_of(clients, "client"), f"{few:.0f}", f"{many:.0f}", f"{many / few:.2f}",
                     f"{min(ratios):.2f} to {max(ratios):.2f}"))
    table(f"A durable enqueue of {SMALL} B with much waiting, us (median of {len(took[1])} rounds of "
          f"{ENQUEUES:,}; {TAGS:,} tags registered)",
          ("", f"{FEW:,} queued", f"{MANY:,} queued", "ratio", "of the rounds"), rows)
    queued = depths.many.status_document()["totals"]["waiting"]
    rss = [("when they were queued", f"{filled:,}"),
           (f"after the rounds, {queued:,} queued", f"{depths.many.status('VmRSS'):,}"),
           ("peak", f"{depths.many.status('VmHWM'):,}")]
    depths.many.stop()
    again = Holdfast(where / "many", free_port(), lanes=LANES)
    time.sleep(1)
    rss.append(("after a restart", f"{again.status('VmRSS'):,}"))
    again.stop()
    table(f"Resident memory with {MANY:,} queued and {TAGS:,} tags registered", ("", "KiB"), rss)


# --- outages ----------------------------------------------------------------

OUTAGES = 50
SIDE_BY_SIDE = 10
SHORTEST_S, LONGEST_S = 1, 15


class Shop:
    """An origin in this process that comes and goes, and knows when the first POST came."""

    def __init__(self):
        self.port = free_port()
        self.server = None
        self.writers = set()
        self.first = None

    async def answer(self, reader, writer):
        self.writers.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                post = head.startswith(b"POST ")
                if post and not self.first.done():
                    self.first.set_result(time.monotonic())
                lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n")
                           if line.lower().startswith(b"content-length:")]
                await reader.readexactly(sum(lengths))
                reply = b"201 Created\r\nContent-Length: 0" if post else b"204 No Content"
                writer.write(b"HTTP/1.1 " + reply + b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    async def up(self):
        self.first = asyncio.get_running_loop().create_future()
        self.server = await asyncio.start_server(self.answer, "127.0.0.1", self.port)
        return time.monotonic()

    async def down(self):
        self.server.close()
        for writer in list(self.writers):
            writer.transport.abort()
        await self.server.wait_closed()


def post_order(port):
    conn = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    conn.request("POST", "/api/orders/0", b"{}")
    answer = conn.getresponse()
    answer.read()
    conn.close()
    return answer.status


async def outage(shop, h, length):
    """One: three orders are kept, the shop comes back. Seconds until the first is there."""
    await shop.down()
    begin = time.monotonic()
    for _ in range(3):
        status = await asyncio.to_thread(post_order, h.port)
        if status != 202:
            raise SystemExit(f"bench: {status} instead of 202 during an outage")
    await asyncio.sleep(max(0, begin + length - time.monotonic()))
    back = await shop.up()
    took = await asyncio.wait_for(shop.first, 60) - back
    while (await asyncio.to_thread(h.status_document))["totals"]["waiting"]:
        await asyncio.sleep(0.1)
    return took


async def device(where, lengths, n):
    shop = Shop()
    await shop.up()
    h = await asyncio.to_thread(Holdfast, where / f"d{n}", shop.port)
    took = []
    for length in lengths[n::SIDE_BY_SIDE]:
        await asyncio.sleep(1)
        if await asyncio.to_thread(post_order, h.port) != 201:
            raise SystemExit("bench: the shop is up and did not answer an order")
        took.append(await outage(shop, h, length))
    await asyncio.to_thread(h.stop)
    await shop.down()
    return took


async def devices(where, lengths):
    return sum(await asyncio.gather(*(device(where, lengths, n) for n in range(SIDE_BY_SIDE))), [])


def bench_outages(_args, where):
    lengths = [SHORTEST_S * (LONGEST_S / SHORTEST_S) ** (n / (OUTAGES - 1)) for n in range(OUTAGES)]
    random.Random(1).shuffle(lengths)
    took = sorted(asyncio.run(devices(where, lengths)))
    p95 = took[(len(took) * 95 + 99) // 100 - 1]
    table(f"From the origin's return to the first request that was kept: {OUTAGES} outages of "
          f"{SHORTEST_S} to {LONGEST_S} s, {SIDE_BY_SIDE} daemons side by side", ("", "ms"),
          [("median", f"{median(took) * 1000:.0f}"), ("p95", f"{p95 * 1000:.0f}"),
           ("longest", f"{took[-1] * 1000:.0f}")])
    print(f"  median against a second: {median(took):.2f}")
