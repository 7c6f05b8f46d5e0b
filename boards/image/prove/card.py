"""A card with an image on it: what stands on its first partition, and its third."""
import os
import shutil
import struct
import subprocess

SECTOR = 512


class Card:
    def __init__(self, path):
        self.path = path

    def partition(self, number):
        """Where it begins and how long it is, in bytes."""
        with open(self.path, "rb") as file:
            table = file.read(SECTOR)[446:510]
        start, length = struct.unpack_from("<II", table, (number - 1) * 16 + 8)
        return start * SECTOR, length * SECTOR

    def _boot(self):
        return f"{self.path}@@{self.partition(1)[0]}"

    def put(self, name, text):
        """A file onto the first partition, as a person's computer does."""
        subprocess.run(["mcopy", "-o", "-i", self._boot(), "-", f"::{name}"], input=text.encode(), check=True)

    def get(self, name, path):
        subprocess.run(["mcopy", "-n", "-o", "-i", self._boot(), f"::{name}", path], check=True)
        return path

    def copy_data(self, path):
        """The third partition as a file."""
        start, length = self.partition(3)
        copy_range(self.path, start, length, path)


def copy_card(image, path, mebibytes=0):
    """A card of so many MiB, at least as many as the image has, with the image on it."""
    shutil.copyfile(image, path)
    if mebibytes << 20 > os.path.getsize(path):
        os.truncate(path, mebibytes << 20)
    return Card(path)


def copy_range(source, start, length, path):
    with open(source, "rb") as reader, open(path, "wb") as writer:
        reader.seek(start)
        writer.truncate(length)
        at = 0
        while at < length:
            block = reader.read(min(1 << 20, length - at))
            if not block:
                break
            if block.strip(b"\0"):
                writer.seek(at)
                writer.write(block)
            at += len(block)


def check_data(path):
    """e2fsck as the panel runs it at its start, then what it leaves: the fault, or nothing."""
    first = subprocess.run(["e2fsck", "-p", path], capture_output=True, text=True, check=False)
    if first.returncode > 1:
        return f"e2fsck -p ends with {first.returncode}: {first.stdout}"
    second = subprocess.run(["e2fsck", "-f", "-n", path], capture_output=True, text=True, check=False)
    return "" if second.returncode == 0 else f"e2fsck -fn ends with {second.returncode}: {second.stdout}"
