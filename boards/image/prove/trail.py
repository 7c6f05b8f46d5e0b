"""A proof's trail: what happened, a line of JSON each, so that a run that was broken off goes on where it was."""
import json
import os
import threading


class Trail:
    def __init__(self, path):
        self.path = path
        self.lock = threading.Lock()
        self.told = list(self._read()) if os.path.exists(path) else []
        self.file = open(path, "a", encoding="ascii")
        self.file.write("\n")  # the end of a line that was broken off

    def _read(self):
        with open(self.path, encoding="ascii") as file:
            for line in file:
                try:
                    yield json.loads(line)
                except ValueError:
                    pass

    def tell(self, what, **values):
        with self.lock:
            self.file.write(json.dumps({"what": what, **values}) + "\n")
            self.file.flush()
