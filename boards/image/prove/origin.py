"""The origin behind a panel that is proven: counts orders by number and key, and is there or not."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Origin:
    def __init__(self, tell=None):
        self.effects = {}  # number of the order: its keys
        self.tell = tell   # is told of each, before it is answered
        self.lock = threading.Lock()
        self.reachable = threading.Event()
        origin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if not origin.reachable.is_set():
                    self.close_connection = True
                    return
                origin.take(json.loads(body)["n"], self.headers.get("Idempotency-Key"))
                self.send_response(201)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def do_GET(self):
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, number, key):
        with self.lock:
            self.effects.setdefault(number, set()).add(key)
        if self.tell:
            self.tell("effect", number=number, key=key)
