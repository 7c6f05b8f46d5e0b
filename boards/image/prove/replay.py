#!/usr/bin/env python3
"""replay.py IMAGE FOLDER HOLDFASTD [COUNT] [SEED]: cuts of the power at COUNT points of one recorded log of a disk.

A panel starts and accepts orders while QEMU logs what its disk is told. At each point the data partition becomes what a disk may
hold then: all that was written before the last flush, and of what came after it a part, in any order, some torn. It is checked by
e2fsck, holdfastd of this machine opens the store, and every order that was acknowledged until then must be in it. The control does
the same with a disk that answers flushes and does not heed them: it must lose some."""
import http.client
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

from blocklog import FLUSH, BlockLog
from card import Card, check_data, copy_card
from guest import Guest, free_port
from load import Load
from origin import Origin
from panel import make_key, tell

SECTOR = 512


def record(image, folder, seconds):
    """The log of one start and some seconds of orders; those that were acknowledged, with how long the log was then."""
    path = os.path.join(folder, "blocks.log")
    open(path, "wb").close()
    card = copy_card(image, os.path.join(folder, "card.img"))
    tell(card, Origin().port, make_key(folder)[1])
    card.copy_data(os.path.join(folder, "before.ext4"))
    guest = Guest(card, folder, drive=[
        "-blockdev", f"driver=file,filename={card.path},node-name=plain",
        "-blockdev", f"driver=file,filename={path},node-name=log",
        "-blockdev", "driver=blklogwrites,file=plain,log=log,node-name=card"])
    guest.start()
    try:
        boot = guest.wait_for_agent()
        print(f"the agent answers after {boot:.0f} s", flush=True)
        load = Load(guest, 0, mark=lambda: os.path.getsize(path))
        load.start()
        time.sleep(seconds)
    finally:
        guest.cut()
    load.stop()
    return load.acknowledged


def recorded(image, folder):
    """A recording that is in the folder, or a new one."""
    told = os.path.join(folder, "acknowledged.json")
    if not os.path.exists(told):
        acknowledged = record(image, folder, 20)
        with open(told, "w", encoding="ascii") as file:
            json.dump(acknowledged, file)
    with open(told, encoding="ascii") as file:
        return Card(os.path.join(folder, "card.img")), os.path.join(folder, "blocks.log"), json.load(file)


class Disk:
    """The data partition after a cut at an entry of the log; points are asked for in rising order."""

    def __init__(self, log, card, before, dice):
        self.log, self.dice = log, dice
        self.start, self.length = card.partition(3)
        with open(before, "rb") as file:
            self.flushed = bytearray(file.read())
        self.done = 0     # entries in self.flushed

    def _apply(self, image, entry, keep=None):
        at = entry.offset - self.start
        if entry.flags & FLUSH and not entry.length or not 0 <= at < self.length:
            return
        data = self.log.data(entry)
        if keep is not None:
            data = data[:keep]
        image[at:at + len(data)] = data

    def after(self, point, heeds_flushes=True):
        entries = self.log.entries
        last = point
        if heeds_flushes:
            while last > self.done and not entries[last - 1].flags & FLUSH:
                last -= 1
        else:
            last = max(self.done, point - 100)
        for entry in entries[self.done:last]:
            self._apply(self.flushed, entry)
        self.done = last
        image = bytearray(self.flushed)
        loose = [entry for entry in entries[last:point] if entry.length]
        for entry in loose:
            chance = self.dice.random()
            if chance < 0.45:
                self._apply(image, entry)
            elif chance < 0.55:
                self._apply(image, entry, self.dice.randrange(entry.length // SECTOR + 1) * SECTOR)
        return image, len(loose)


class Store:
    """holdfastd of this machine on what was in the data partition."""

    def __init__(self, holdfastd, folder):
        self.holdfastd, self.folder = holdfastd, folder
        self.port = free_port()
        self.settings = os.path.join(folder, "check.conf")
        with open(self.settings, "w", encoding="ascii") as file:
            file.write(f"[agent]\nlisten = 127.0.0.1:{self.port}\ncontrol = {folder}/check.sock\n"
                       f"state-dir = {folder}/out/holdfast\n[origin proof]\nurl = http://127.0.0.1:9\n")

    def requests(self, partition):
        """The ids of all that it knows, or None when it does not open the store."""
        out = os.path.join(self.folder, "out")
        shutil.rmtree(out, ignore_errors=True)
        os.mkdir(out)
        subprocess.run(["debugfs", "-R", f"rdump /holdfast {out}", partition], capture_output=True, check=True)
        with open(os.path.join(self.folder, "check.log"), "wb") as log:
            daemon = subprocess.Popen([self.holdfastd, "--config", self.settings], stdout=log, stderr=log)
        try:
            return self._list(daemon)
        finally:
            daemon.kill()
            daemon.wait()

    def _list(self, daemon):
        found, after = set(), ""
        connection = None
        end = time.monotonic() + 60
        while time.monotonic() < end and daemon.poll() is None:
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                connection.request("GET", f"/.holdfast/requests?limit=64{after}", headers={"Host": f"localhost:{self.port}"})
                page = json.loads(connection.getresponse().read())
            except OSError:
                connection = None
                time.sleep(0.02)
                continue
            found.update(request["id"] for request in page["requests"])
            if not page["next"]:
                return found
            after = f"&after={page['next']}"
        return None


def trial(log, card, folder, store, acknowledged, points, dice, heeds_flushes):
    disk = Disk(log, card, os.path.join(folder, "before.ext4"), dice)
    result = {"points": 0, "loose": 0, "unclean": 0, "unopened": 0, "lost": 0, "looked for": 0}
    partition = os.path.join(store.folder, "data.ext4")
    for point in points:
        image, loose = disk.after(point, heeds_flushes)
        with open(partition, "wb") as file:
            file.write(image)
        reached = log.entries[point - 1].end
        expected = {request for _, request, mark in acknowledged if mark <= reached}
        result["points"] += 1
        result["loose"] += loose
        result["looked for"] += len(expected)
        fault = check_data(partition)
        if fault:
            result["unclean"] += 1
            if heeds_flushes:
                print(f"FAULT at {point}: {fault}", flush=True)
                continue
            subprocess.run(["e2fsck", "-f", "-y", partition], capture_output=True, check=False)
        try:
            found = store.requests(partition)
        except (OSError, subprocess.CalledProcessError):
            found = None
        if found is None:
            result["unopened"] += 1
            result["lost"] += len(expected)
        else:
            result["lost"] += len(expected - found)
            if heeds_flushes and expected - found:
                print(f"FAULT at {point}: {len(expected - found)} of {len(expected)} are lost", flush=True)
    return result


def main():
    image, folder, holdfastd = map(os.path.abspath, sys.argv[1:4])
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 500
    dice = random.Random(int(sys.argv[5]) if len(sys.argv) > 5 else 1)
    os.makedirs(folder, exist_ok=True)
    card, path, acknowledged = recorded(image, folder)
    log = BlockLog(path)
    first = min(mark for _, _, mark in acknowledged)
    busy = [index + 1 for index, entry in enumerate(log.entries) if entry.end >= first]
    print(f"{len(log.entries)} entries, {len(busy)} of them under load, "
          f"{sum(1 for entry in log.entries if entry.flags & FLUSH)} flushes, {len(acknowledged)} orders acknowledged", flush=True)
    # in RAM: what is tried is the log, not this machine's disk
    memory = tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else folder)
    store = Store(holdfastd, memory.name)
    points = sorted(dice.sample(busy, min(count, len(busy))))
    real = trial(log, card, folder, store, acknowledged, points, dice, True)
    print(f"flushes heeded: {real}", flush=True)
    control = trial(log, card, folder, store, acknowledged, points[::max(1, len(points) // 50)], dice, False)
    print(f"control, flushes not heeded: {control}")
    good = not (real["unclean"] or real["unopened"] or real["lost"]) and control["lost"] > 0
    sys.exit(0 if good and real["points"] >= count else 1)


main()
