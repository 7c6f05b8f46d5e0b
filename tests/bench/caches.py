# SPDX-License-Identifier: Apache-2.0
"""The benchmarks of many entries in the caches: what they cost in memory, at the start, and when
one of them is looked up."""
import http.client
import re
import signal
import subprocess
import time

from peers import Holdfast, Nginx, median, table

FEW, MANY = 1000, 100000

FILL = """
local n = 0
request = function()
  n = n + 1
  if n > {count} + 100 then wrk.thread:stop() end  -- some calls are not sent
  return wrk.format("GET", "/e/" .. (n % {count} + 1))
end
"""

RANDOM = """
math.randomseed({seed})
request = function() return wrk.format("GET", "/e/" .. math.random({count}) * {step}) end
"""


def run_wrk(port, script, text, seconds, connections=16):
    script.write_text(text)
    out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script),
                          f"http://127.0.0.1:{port}/"], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out:
        raise SystemExit("bench: not every entry is there:\n" + out)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))


def first_answer_ms(daemon, sig):
    """From the start of the process to an answer out of the cache."""
    daemon.stop(sig)
    begin = time.perf_counter()
    daemon.start_again()
    while True:
        try:
            c = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=5)
            c.request("GET", "/e/17")
            if c.getresponse().status == 200:
                return (time.perf_counter() - begin) * 1000
            raise SystemExit("bench: an entry is gone after a start")
        except OSError:
            time.sleep(0.0005)


def bench_entries(args, where):
    where.mkdir(parents=True)
    script = where / "wrk.lua"
    origin = Nginx(where / "origin", "add_header Cache-Control max-age=86400; "
                   f"return 200 '{'x' * 1024}';")
    daemons = {n: Holdfast(where / str(n), origin.port) for n in (FEW, MANY)}
    for n, d in daemons.items():
        run_wrk(d.port, script, FILL.format(count=n), 120)
    time.sleep(2)
    origin.stop()  # what answers from now on is a cache
    asked = {"100 of them": 100, "1,000 of them": FEW, "all of them": MANY}  # spread over all there are
    rates = {(n, kind): [] for n in daemons for kind in asked}
    for seed in range(args.rounds):
        for n in (FEW, MANY) if seed % 2 == 0 else (MANY, FEW):
            for kind, count in asked.items():
                count = min(count, n)
                rates[n, kind].append(run_wrk(daemons[n].port, script, RANDOM.format(
                    count=count, step=n // count, seed=seed), args.seconds))
    rows = []
    for n, d in daemons.items():
        rss = d.status("VmRSS")
        starts = [first_answer_ms(d, sig) for sig in (signal.SIGTERM, signal.SIGKILL)]
        rows.append((f"{n:,}", f"{rss:,} KiB", *(f"{t:.0f} ms" for t in starts),
                     *(f"{median(rates[n, kind]):.0f}" for kind in asked)))
        d.stop()
    table(f"Entries of 1 kB in the HTTP cache (median of {args.rounds} rounds)",
          ("entries", "RSS", "first answer after SIGTERM", "after SIGKILL",
           *(f"{kind}, req/s" for kind in asked)), rows)
    for kind in asked:
        ratio = [a / b for a, b in zip(rates[FEW, kind], rates[MANY, kind])]
        print(f"  {kind}: {median(ratio):.2f} times the cost at {FEW:,} (of {min(ratio):.2f} to "
              f"{max(ratio):.2f})")
