#!/usr/bin/env python3
"""screen.py IMAGE FOLDER: the demo panel on the screen of a kiosk image, through Holdfast.

Three pictures: why the panel waits before its page has ever come; the page when the origin is there; and, after a cut of the power
and with the origin away, the page again."""
import json
import os
import subprocess
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


def picture(guest, path):
    """A picture of the screen, and how many colours are in it."""
    plain = f"{path}.ppm"
    guest.tell_monitor(f"screendump {plain}")
    with open(plain, "rb") as file:
        data = file.read()
    start = len(b"\n".join(data.split(b"\n", 3)[:3])) + 1
    colours = len({data[at:at + 3] for at in range(start, len(data) - 3, 3 * 7)})
    guest.tell_monitor(f"screendump {path}.png -f png")
    os.remove(plain)
    return colours


def drawn(guest, path, limit=600):
    """A picture of a screen that is not of one colour."""
    end = time.monotonic() + limit
    colours = picture(guest, path)
    while colours < 16 and time.monotonic() < end:
        time.sleep(5)
        colours = picture(guest, path)
    if colours < 16:
        raise RuntimeError(f"the screen is empty after {limit} s")
    return colours


def wait_for_url(guest, key, part, limit):
    """The browser's page, as its process tells on the panel: the journal of the watch."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if part in guest.shell(key, "cat /run/kiosk/shown 2>/dev/null"):
            return guest.seconds()
        time.sleep(3)
    raise RuntimeError(f"the screen does not show {part} after {limit} s")


def main():
    image, folder = sys.argv[1], sys.argv[2]
    os.makedirs(folder, exist_ok=True)
    shop = Shop()
    key, public_key = make_key(folder)
    card = copy_card(image, os.path.join(folder, "card.img"), 2048)
    card.put("demo.json", json.dumps(MANIFEST))
    card.put("holdfast.conf", f"""[panel]
hostname = demo
url = http://10.0.2.2:{shop.port}/
manifest = demo.json
ssh-key = {public_key}
[agent]
listen = 127.0.0.1:8480, 0.0.0.0:8481
allow-remote = yes
""")
    guest = Guest(card, folder, display=True)
    try:
        guest.start()
        print(f"the agent answers after {guest.wait_for_agent(900):.0f} s", flush=True)
        guest.wait_for_shell(key)
        print(f"the waiting page after {wait_for_url(guest, key, 'wait', 900):.0f} s", flush=True)
        time.sleep(15)
        print(f"waiting.png: {drawn(guest, os.path.join(folder, 'waiting'))} colours", flush=True)
        shop.reachable.set()
        wait_for_url(guest, key, "page", 900)
        end = time.monotonic() + 300
        while time.monotonic() < end and not {"/panel.css", "/panel.mjs", "/api/menu"} <= set(shop.asked):
            time.sleep(2)
        time.sleep(20)
        print(f"page.png: {drawn(guest, os.path.join(folder, 'page'))} colours; the origin was asked for {sorted(set(shop.asked))}",
              flush=True)
        print(guest.shell(key, "free -m | head -2; systemctl --failed --no-legend; cat /run/holdfast-panel/faults;"
                               "holdfast cache list | head; journalctl -b -u holdfast-kiosk --no-pager | tail -n 5"), flush=True)
        guest.cut()
        shop.reachable.clear()
        guest.start()
        guest.wait_for_agent(900)
        guest.wait_for_shell(key)
        print(f"after the cut, without the origin: the page after {wait_for_url(guest, key, 'page', 900):.0f} s", flush=True)
        time.sleep(40)
        print(f"offline.png: {drawn(guest, os.path.join(folder, 'offline'))} colours")
    finally:
        guest.cut()


main()
