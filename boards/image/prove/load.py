"""Orders that are posted to a panel by several clients until its power goes: those that got a 202, and when."""
import http.client
import json
import threading
import time


class Load:
    def __init__(self, guest, first, clients=6, mark=None, tell=None):
        self.guest, self.mark = guest, mark
        self.tell = tell or (lambda what, **values: None)  # is told of each answer
        self.acknowledged = []  # number, id, what mark() said when the answer was there
        self.delivered = []     # numbers that the origin answered itself
        self.refused = []
        self.next = first
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self._post, args=(lane,), daemon=True) for lane in range(clients)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def _number(self):
        with self.lock:
            self.next += 1
            return self.next - 1

    def _post(self, lane):
        connection = None
        while not self.stopped.is_set():
            number = self._number()
            body = json.dumps({"n": number, "order": "x" * (number % 700)})
            try:
                connection = connection or self.guest.connect(5)
                connection.request("POST", f"/api/orders/{lane}", body,
                                   {"Host": "localhost:8480", "Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                connection = None
                time.sleep(0.05)
                continue
            mark = self.mark() if self.mark else 0
            with self.lock:
                if answer.status == 202:
                    request = answer.headers["Location"].rsplit("/", 1)[1]
                    self.acknowledged.append((number, request, mark))
                    self.tell("acknowledged", number=number, request=request)
                elif answer.status == 201:
                    self.delivered.append(number)
                    self.tell("delivered", number=number)
                else:
                    self.refused.append((number, answer.status))
