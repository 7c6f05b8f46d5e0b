#!/usr/bin/env python3
"""screen.py IMAGE FOLDER: the demo panel on the screen of a kiosk image, through Holdfast.

Pictures: why the panel waits before its page has ever come, with a fault of its holdfast.conf; the page when the origin is there;
and, after a cut of the power, with the origin away and the screen turned, the page again. A browser that hangs and a compositor
that ends are started anew, and a screen that nobody touches gets dark."""
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

from card import copy_card
from guest import Guest
from panel import make_key

PANEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../host-sim/live/panel")
FILES = ("index.html", "panel.css", "panel.mjs", "orders.mjs", "icons.svg")
TYPES = {".html": "text/html", ".css": "text/css", ".mjs": "text/javascript", ".svg": "image/svg+xml"}
MENU = [{"id": name, "name": name.title(), "words": words, "icon": name, "cents": cents} for name, words, cents in (
    ("coffee", "Filter, large", 280), ("tea", "Black or mint", 240), ("roll", "With cheese", 390), ("soup", "Of the day", 620))]
MANIFEST = {
    "name": "demo", "version": "1.0.0",
    "routes": [
        {"condition": {"urlPattern": "/api/orders", "requestMethod": "POST"}, "source": "network", "queue": {"tag": "orders"}},
        {"condition": {"urlPattern": "/api/menu"}, "source": "network-first", "networkTimeoutSeconds": 5},
    ],
    "precache": [{"url": f"/{name}", "revision": "1"} for name in FILES],
}


class Shop:
    """The demo panel's origin, which is there or not."""

    def __init__(self):
        self.reachable, self.asked = Event(), []
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if not shop.reachable.is_set():
                    return
                path = self.path.split("?")[0]
                shop.asked.append(path)
                name = "index.html" if path == "/" else path[1:]
                if path == "/api/menu":
                    self.answer("application/json", json.dumps(MENU).encode())
                elif name in FILES:
                    with open(os.path.join(PANEL, name), "rb") as file:
                        self.answer(TYPES[os.path.splitext(name)[1]], file.read())
                else:
                    self.send_error(404)

            def answer(self, kind, body):
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        Thread(target=self.server.serve_forever, daemon=True).start()


FAULTS = b"\xff\xc4\x6b"   # their colour on the page that waits
OFFLINE = b"\xfb\xed\xd2"  # what the demo panel has behind its word for a shop that is away


def picture(guest, path):
    """A picture of the screen, as bytes of red, green and blue."""
    plain = f"{path}.ppm"
    guest.tell_monitor(f"screendump {plain}")
    with open(plain, "rb") as file:
        data = file.read().split(b"\n", 3)[3]
    guest.tell_monitor(f"screendump {path}.png -f png")
    os.remove(plain)
    return data


def colours(data):
    return len({data[at:at + 3] for at in range(0, len(data) - 2, 3 * 7)})


class Proof:
    def __init__(self, image, folder):
        self.folder, self.shop, self.faults = folder, Shop(), 0
        self.key, self.public_key = make_key(folder)
        self.card = copy_card(image, os.path.join(folder, "card.img"), 2048)
        self.card.put("demo.json", json.dumps(MANIFEST))
        self.guest = None

    def start(self, lines):
        self.card.put("holdfast.conf", f"""[panel]
hostname = demo
url = http://10.0.2.2:{self.shop.port}/
manifest = demo.json
ssh-key = {self.public_key}
{lines}
[agent]
listen = 127.0.0.1:8480, 0.0.0.0:8481
allow-remote = yes
""")
        self.guest = Guest(self.card, self.folder, display=True)
        self.guest.start()
        print(f"the agent answers after {self.guest.wait_for_agent(900):.0f} s", flush=True)
        self.guest.wait_for_shell(self.key)

    def holds(self, what, good):
        print(f"{'holds' if good else 'DOES NOT HOLD'}: {what}, {self.guest.seconds():.0f} s after the start", flush=True)
        self.faults += not good

    def until(self, what, ask, limit=900):
        """Asked until it holds."""
        end = time.monotonic() + limit
        good = ask()
        while not good and time.monotonic() < end:
            time.sleep(3)
            good = ask()
        self.holds(what, good)

    def shell(self, command):
        return self.guest.shell(self.key, command)

    def output(self):
        """What the compositor says of the screen."""
        return self.shell("cd /run/user/$(id -u kiosk) && runuser -u kiosk -- env XDG_RUNTIME_DIR=$PWD WAYLAND_DISPLAY=wayland-0 wlr-randr")

    def shown(self):
        """Which page the browser has: wait or page."""
        return self.shell("cat /run/kiosk/shown")

    def touch(self):
        self.guest.tell_monitor("sendkey shift")

    def picture(self, name, *needed):
        """A picture with something in it, and with pixels of these colours."""
        def drawn():
            self.touch()
            data = picture(self.guest, os.path.join(self.folder, name))
            return colours(data) >= 16 and all(data.count(colour) >= 50 for colour in needed)
        self.until(f"{name}.png has something to show", drawn, 600)

    def waits(self):
        self.until("the page that waits is shown", lambda: self.shown() == "wait")
        self.picture("waiting", FAULTS)
        self.holds("the fault of holdfast.conf has its line",
                   self.shell("cat /run/holdfast-panel/faults") == "holdfast.conf, line 6: there is no key rotat in [panel]")

    def shows(self):
        asked = {"/panel.css", "/panel.mjs", "/api/menu"}
        self.shop.reachable.set()
        self.until("the origin's page is shown", lambda: self.shown() == "page")
        self.until("the origin was asked for what the page needs", lambda: asked <= set(self.shop.asked))
        time.sleep(20)
        self.picture("page")
        print(self.shell("free -m | head -2; systemctl --failed --no-legend; holdfast cache list"), flush=True)

    def mends(self):
        """A browser that hangs, a compositor that ends."""
        for what, command in (("a browser that hangs", "pkill -STOP chromium"), ("a compositor that ends", "pkill -KILL cage")):
            before = self.shell(f"systemctl show -P NRestarts holdfast-kiosk; rm -f /run/kiosk/shown; {command}").split("\n")[0]
            self.until(f"{what} is started anew", lambda n=before: self.shell("systemctl show -P NRestarts holdfast-kiosk") > n)
            self.until("the page is there again", lambda: self.shown() == "page")

    def offline(self):
        self.until("without the origin the page is shown", lambda: self.shown() == "page")
        self.until("the screen is turned", lambda: "Transform: 90" in self.output(), 60)
        time.sleep(20)
        self.picture("offline", OFFLINE)

    def darkens(self):
        self.until("a screen that nobody touches gets dark", lambda: "Enabled: no" in self.output(), 300)
        self.touch()
        self.until("it is lit when it is touched", lambda: "Enabled: yes" in self.output(), 60)


def main():
    image, folder = sys.argv[1], sys.argv[2]
    os.makedirs(folder, exist_ok=True)
    proof = Proof(image, folder)
    try:
        proof.start("rotat = 90")
        proof.waits()
        proof.shows()
        proof.mends()
        proof.guest.cut()
        proof.shop.reachable.clear()
        proof.start("rotate = 90\nblank = 60")
        proof.offline()
        proof.darkens()
    finally:
        if proof.guest:
            proof.guest.cut()
    sys.exit(1 if proof.faults else 0)


main()
