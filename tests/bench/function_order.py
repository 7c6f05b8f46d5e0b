# SPDX-License-Identifier: Apache-2.0
"""Writes firmware/port/linux/functions.order: the functions that a panel's day needs, in the order
in which they were first run.

    ./dev order

The release's daemon does its work in QEMU's user mode, which names every piece of code before it
runs it; the linker's map says which function that is.
"""
import argparse
import bisect
import http.client
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True

from peers import RELEASE, ROOT, Nginx, Server, free_port

ORDER = ROOT / "firmware/port/linux/functions.order"
HEAD = """\
# Functions of the daemon and its libraries in the order in which a panel's day first runs them:
# a start, pages out of the cache and past it, an outage with its queue, an origin over TLS.
# Linked side by side they fill fewer pages of memory. Object file and function; the file alone
# where it is one piece. Written by ./dev order.
"""
CONF = """
[agent]
listen = 127.0.0.1:{port}
control = control.sock
state-dir = state
log-level = info
[origin shop]
url = {url}
{trust}
[worker shop]
origin = shop
scope = /
manifest = worker.json
"""
WORKER = """{ "name": "panel", "version": "1", "routes": [
  { "condition": { "urlPattern": "/api/*", "requestMethod": "POST" },
    "source": "network", "queue": { "tag": "orders", "maxEntries": 1000, "maxAgeSeconds": 86400, "idempotency": "keyed" } },
  { "condition": { "urlPattern": "/menu" }, "source": "network-first", "networkTimeoutSeconds": 3 },
  { "condition": { "urlPattern": "/picture/*" }, "source": "cache-first",
    "expiration": { "maxEntries": 100, "maxAgeSeconds": 86400 } } ],
  "precache": [ "/index.html" ] }
"""
PAGES = ("if ($request_method = POST) {{ return 201 made; }} root {www}; add_header Cache-Control $kept; "
         "try_files $uri /page.txt; location ~ stream {{ ssi on; ssi_types *; try_files /big.txt =404; }}")
KEPT = ("map $request_uri $kept {{ ~live|stream no-store; ~^/short max-age=1; default max-age=86400; }} ")
TLS = ("server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {dir}/cert.pem; "
       "ssl_certificate_key {dir}/key.pem; location / {{ " + PAGES + " }} }}")
# What QEMU's user mode lacks and a device has: io_uring, Landlock, threads that run at once.
NOT_EMULATED = re.compile(r".* (uv__(iou_|io_uring_|use_io_uring|epoll_ctl|statx)\w*|hf_confine\w*|prctl|__wait)$")


def ask(port, target, body=None, headers=None):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    c.request("POST" if body else "GET", target, body, headers or {})
    r = c.getresponse()
    r.read()
    return r.status


def crowd(port, target):
    subprocess.run(["wrk", "-t1", "-c16", "-d3s", f"http://127.0.0.1:{port}{target}"], check=True,
                   stdout=subprocess.DEVNULL)


def leave(port, target):
    """Asks and does not wait for the answer."""
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())


def certificate(where):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", where / "key.pem", "-out", where / "cert.pem", "-days", "3650",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"], check=True,
                   stderr=subprocess.DEVNULL)


def origins(where):
    """A server of pages in plain HTTP, and its port over TLS."""
    www = where / "www"
    www.mkdir()
    (www / "page.txt").write_text("x" * 1024)
    (www / "big.txt").write_text(os.urandom(150000).hex())
    certificate(where)
    port = free_port()
    # what goes into a template of peers.py is one itself
    http = (KEPT + TLS).format(port=port, dir=where, www=www)
    return Nginx(where / "origin", PAGES.format(www=www), http=http.replace("{", "{{").replace("}", "}}")), port


def look_around(port):
    for i in range(20):
        for target in ("/menu", "/short", f"/picture/{i}", f"/live?{i}", f"/page?{i}", f"/big.txt?{i}", "/.holdfast/status"):
            ask(port, target)
        ask(port, "/page", headers={"If-None-Match": '"x"', "Range": "bytes=0-9"})
        ask(port, f"/stream/{i}")  # of no known length
        leave(port, f"/big.txt?leaves={i}")
        time.sleep(0.1)  # what is short-lived is validated
    for target in ("/page", "/live", "/menu", "/short", "/stream/x"):
        crowd(port, target)
    for i in range(2000):
        ask(port, f"/page/{i}")


def outage(port, origin):
    ask(port, "/api/orders", "one")
    origin.stop()
    for i in range(20):
        if ask(port, "/api/orders", f"order {i}") != 202:
            raise SystemExit("order: an order was not queued")
    for target in ("/menu", "/short", "/nowhere?else"):
        ask(port, target)
    origin.start_again()
    while ask(port, "/menu") != 200:
        time.sleep(0.1)
    time.sleep(5)


def over_tls(port):
    for i in range(20):
        if ask(port, f"/page?{i}") != 200 or ask(port, "/api/orders", "one") != 201:
            raise SystemExit("order: the origin over TLS does not answer")


class Daemon(Server):
    """The release's, which writes down what it runs."""

    def __init__(self, where, trace, url, trust=""):
        self.port = free_port()
        conf = where / "holdfast.conf"
        conf.write_text(CONF.format(port=self.port, url=url, trust=trust))
        super().__init__(["qemu-x86_64-static", "-d", "in_asm", "-D", str(trace), str(RELEASE / "holdfastd"),
                          "--config", os.path.relpath(conf)], self.port)


def days(where):
    """The first one, one that finds what the first left, one with TLS; returns what each ran."""
    (where / "worker.json").write_text(WORKER)
    origin, tls = origins(where)
    traces = [where / f"trace-{i}" for i in range(3)]
    plain = f"http://127.0.0.1:{origin.port}"
    running = [origin]
    try:
        running.append(Daemon(where, traces[0], plain))
        look_around(running[1].port)
        outage(running[1].port, origin)
        running.pop().stop()
        running.append(Daemon(where, traces[1], plain))
        look_around(running[1].port)
        running.pop().stop()
        running.append(Daemon(where, traces[2], f"https://127.0.0.1:{tls}", f"ca-file = {where}/cert.pem"))
        over_tls(running[1].port)
    finally:
        for server in reversed(running):
            server.stop()
    return traces


def sections(path):
    """Of the linker's map: (address, bytes, object file, function; none where a file is one piece)."""
    found = []
    for m in re.finditer(r"^ \.text(?:\.(\S+))?\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S+)$", path.read_text(), re.M):
        address, size = int(m[2], 16), int(m[3], 16)
        file = re.search(r"([^/()]+)\)?$", m[4])[1]
        function = (m[1] or "").split(".")[0]
        if size and address:
            found.append((address, size, f"{file} {function}".strip()))
    return sorted(found)


def first_runs(traces, code):
    starts = [s[0] for s in code]
    names = {}
    for trace in traces:
        lines = trace.read_text(errors="replace").splitlines()
        for line in lines:
            if not line.startswith("0x"):
                continue
            address = int(line.split(":")[0], 16)
            i = bisect.bisect_right(starts, address) - 1
            if i >= 0 and address < code[i][0] + code[i][1]:
                names.setdefault(code[i][2], code[i][1])
    for _, size, name in code:
        if NOT_EMULATED.match(name):
            names.setdefault(name, size)
    return names


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    code = sections(RELEASE / "holdfastd.map")
    with tempfile.TemporaryDirectory(prefix="hf-order-") as folder:
        where = Path(folder)
        names = first_runs(days(where), code)
    ORDER.write_text(HEAD + "".join(f"{n}\n" for n in names))
    print(f"{len(names)} functions, {sum(names.values())} of {sum(s[1] for s in code)} bytes: "
          f"{ORDER.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
