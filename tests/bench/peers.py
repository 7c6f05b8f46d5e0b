# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks start and ask: Holdfast, its peers, the load generators."""
import http.client
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RELAY = ROOT / "tests/bench/relay"
RELEASE = ROOT / "build/release/bin"
LOAD = ROOT / "build/host/bin/bench_load"
BODY = 512


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port, process):
    for _ in range(2000):
        if process.poll() is not None:
            raise SystemExit(f"bench: {process.args[0]} ended with {process.returncode}")
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.005)
    raise SystemExit(f"bench: {process.args[0]} does not listen on {port}")


class Server:
    """A process under test; strace -c around it when asked for."""

    def __init__(self, args, port, strace=None):
        self.strace = strace
        if strace:
            args = ["strace", "-f", "-c", "-S", "calls", "-o", str(strace),
                    "-e", "trace=fsync,fdatasync,sync_file_range,msync", *args]
        self.process = subprocess.Popen(args, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_port(port, self.process)
        self.pid = self.process.pid
        if strace:
            children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
            self.pid = int(children[0])

    def start_again(self):
        """After stop."""
        self.process = subprocess.Popen(self.process.args, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        self.pid = self.process.pid

    def io(self):
        text = Path(f"/proc/{self.pid}/io").read_text()
        return {k: int(v) for k, v in re.findall(r"(\w+): (\d+)", text)}

    def status(self, key):
        text = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"^{key}:\s+(\d+)", text, re.M).group(1))

    def pss_kib(self):
        """Of the process and its children."""
        pids = [self.pid, *Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]
        return sum(int(re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{p}/smaps_rollup").read_text(),
                                 re.M).group(1)) for p in pids)

    def wakeups(self):
        return sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", p.read_text(), re.M)
                       .group(1)) for p in Path(f"/proc/{self.pid}/task").glob("*/status"))

    def cpu_ticks(self):
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def stop(self, sig=signal.SIGTERM):
        if self.process.poll() is None:
            os.kill(self.pid, sig)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def syncs(self):
        total = 0
        for line in Path(self.strace).read_text().splitlines():
            cols = line.split()
            if cols and cols[-1] in ("fsync", "fdatasync", "sync_file_range", "msync"):
                total += int(cols[3])
        return total


class Holdfast(Server):
    """holdfastd of the release build before an origin on @origin_port."""

    def __init__(self, where, origin_port, strace=None, port=None, lanes=1, policy=None):
        self.dir = Path(where)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        most = {"maxEntries": 10000000, **(policy or {})}
        manifest = {"name": "bench", "version": "1", "routes": [
            {"condition": {"urlPattern": "/api/orders/*" if policy else f"/api/orders/{lane}",
                           "requestMethod": "POST"},
             "source": "network", "queue": {"tag": f"orders-{lane}", **most}}
            for lane in range(lanes)]}
        (self.dir / "worker.json").write_text(json.dumps(manifest))
        (self.dir / "holdfast.conf").write_text(
            f"[agent]\nlisten = 127.0.0.1:{self.port}\ncontrol = {self.dir}/control.sock\n"
            f"state-dir = {self.dir}/state\nlog-level = error\n"
            f"[origin shop]\nurl = http://127.0.0.1:{origin_port}\n"
            f"[worker bench]\norigin = shop\nscope = /\nmanifest = worker.json\n")
        super().__init__([str(RELEASE / "holdfastd"), "--config",
                          str(self.dir / "holdfast.conf")], self.port, strace)

    def status_document(self):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        c.request("GET", "/.holdfast/status")
        return json.loads(c.getresponse().read())


class Beanstalkd(Server):
    def __init__(self, where, strace=None):
        self.dir = Path(where)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        super().__init__(["beanstalkd", "-l", "127.0.0.1", "-p", str(self.port),
                          "-b", str(self.dir), "-f0"], self.port, strace)


class Relay(Server):
    def __init__(self, port, to_port, rtt_ms):
        self.port = port
        super().__init__([str(RELAY), *map(str, (port, to_port, rtt_ms / 2))], port)


class Mosquitto(Server):
    def __init__(self, where, lines, port=None):
        self.dir = Path(where)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        conf = self.dir / "mosquitto.conf"
        conf.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
                        f"persistence true\npersistence_location {self.dir}/\n"
                        "max_queued_messages 0\n" + "\n".join(lines) + "\n")
        os.chmod(self.dir, 0o777)
        super().__init__(["mosquitto", "-c", str(conf)], self.port)


NGINX = """
daemon off; {user} worker_processes 1; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 1024; }}
http {{
  {log} {http} keepalive_requests 100000000; client_body_temp_path {dir}/b;
  proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u;
  scgi_temp_path {dir}/s;
  upstream origin {{ server 127.0.0.1:{upstream}; keepalive 32; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ {what} }}
  }}
}}
"""


class Nginx(Server):
    """nginx whose only location says @what."""

    def __init__(self, where, what, port=None, upstream=9, log="access_log off;", http=""):
        self.dir = Path(where)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        conf = self.dir / "nginx.conf"
        conf.write_text(NGINX.format(dir=self.dir, port=self.port, upstream=upstream, what=what,
                                     log=log, http=http.format(dir=self.dir),
                                     user="user root;" if os.geteuid() == 0 else ""))
        super().__init__(["nginx", "-e", str(self.dir / "error.log"), "-c", str(conf)], self.port)


class Varnish(Server):
    def __init__(self, where, upstream):
        self.dir = Path(where)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        super().__init__(["varnishd", "-F", "-j", "none", "-n", str(self.dir / "n"),
                          "-a", f"127.0.0.1:{self.port}", "-b", f"127.0.0.1:{upstream}",
                          "-s", "malloc,16m", "-p", "thread_pools=1", "-p", "thread_pool_min=20"],
                         self.port)


def load(kind, port, clients, count, body, lanes=1):
    out = subprocess.run([LOAD, kind, *map(str, (port, clients, count, body, lanes))],
                         capture_output=True, text=True, check=False)
    if out.returncode:
        raise SystemExit(f"bench: {out.stderr.strip()}")
    words = out.stdout.split()
    return dict(zip(words[0::2], map(float, words[1::2])))


def version(args, pattern=r"[\d.]+"):
    out = subprocess.run(args, capture_output=True, text=True, check=False)
    found = re.search(pattern, out.stdout + out.stderr)
    return found.group(0) if found else "?"


def versions():
    rows = [("holdfastd", version([RELEASE / "holdfastd", "--version"], r"\d+\.\d+\.\d+")),
            ("beanstalkd", version(["beanstalkd", "-v"])),
            ("nginx", version(["nginx", "-v"], r"(?<=nginx/)[\d.]+")),
            ("mosquitto", version(["mosquitto", "-h"], r"(?<=version )[\d.]+")),
            ("wrk", version(["wrk", "-v"], r"(?<=wrk )\S+"))]
    print("versions: " + ", ".join(f"{n} {v}" for n, v in rows))


def count_of(n, what):
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def table(title, head, rows):
    print(f"\n{title}")
    widths = [max(len(str(r[i])) for r in [head, *rows]) for i in range(len(head))]
    for n, row in enumerate([head, *rows]):
        print("  " + "  ".join(str(c).ljust(w) if i == 0 else str(c).rjust(w)
                               for i, (c, w) in enumerate(zip(row, widths))))
        if n == 0:
            print("  " + "  ".join("-" * w for w in widths))


def load_average():
    """Of the last minute: how busy the machine is, with this and with other work."""
    return f"{os.getloadavg()[0]:.1f}, of {os.cpu_count()} processors"


def median(values):
    return statistics.median(values)


def wrk(port, seconds, connections=16):
    out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency",
                          f"http://127.0.0.1:{port}/page"], capture_output=True, text=True,
                         check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        c.request("GET", "/page")
        r = c.getresponse()
        raise SystemExit(f"bench: wrk reports errors of {r.getheader('server') or 'holdfastd'}: "
                         f"{r.status} {r.read(300)}\n{out}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
