#!/usr/bin/env python3
"""cuts.py IMAGE FOLDER [COUNT] [SEED]: the power of a panel goes while it accepts orders, again and again.

After each cut the data partition is checked by e2fsck, the panel starts by itself, and has every order that it acknowledged; in
the end the origin has each of them once in effect. A run that was broken off goes on in its folder; the start that it was in is
one of the panel's too, and its orders count, but it is not counted as a cut."""
import os
import random
import sys
import time

from card import Card, check_data, copy_card
from guest import Guest
from load import Load
from origin import Origin
from panel import make_key, tell
from trail import Trail


class Trial:
    def __init__(self, image, folder, seed):
        self.folder, self.seed = folder, seed
        self.trail = Trail(os.path.join(folder, "trail"))
        self.origin = Origin(self.trail.tell)
        self.promised = {}   # id: number, of which the panel has not been asked yet
        self.all = set()
        self.next = 0
        self.faults, self.boots, self.acknowledged = [], [], 0
        for event in self.trail.told:
            self.remember(**event)
        self.key, public_key = make_key(folder)
        path = os.path.join(folder, "card.img")
        self.card = Card(path) if self.trail.told else copy_card(image, path, 512)
        tell(self.card, self.origin.port, public_key)
        if self.trail.told:
            print(f"goes on after {len(self.boots)} cuts", flush=True)
            self.check()
        self.trail.tell("begin")

    def remember(self, what, **values):
        """An event of the trail, of this run or an earlier one."""
        if what == "effect":
            self.origin.effects.setdefault(values["number"], set()).add(values["key"])
        elif what in ("acknowledged", "delivered"):
            self.all.add(values["number"])
            if what == "acknowledged":
                self.promised[values["request"]] = values["number"]
                self.acknowledged += 1
        elif what == "first":
            self.next = values["number"] + 100000  # more than one start takes
        elif what == "looked":
            self.promised.clear()
        elif what == "cut":
            self.boots.append(values["boot"])
        elif what == "fault":
            self.faults.append(values["text"])

    def note(self, what, **values):
        self.trail.tell(what, **values)
        self.remember(what, **values)

    def fault(self, text):
        self.note("fault", text=text)
        print(f"FAULT {text}", flush=True)

    def look(self, guest):
        """Every order that was acknowledged and not seen since is there."""
        known = guest.requests()
        missing = [number for request, number in self.promised.items()
                   if request not in known and guest.state_of(request) is None]
        if missing:
            self.fault(f"{len(missing)} acknowledged orders are missing: {missing[:10]}")
        seen = len(self.promised)
        self.note("looked", count=seen)
        return seen

    def settle(self, limit=600):
        """The origin is there until it has all."""
        self.origin.reachable.set()
        end = time.monotonic() + limit
        while time.monotonic() < end and not self.all <= self.origin.effects.keys():
            time.sleep(0.5)
        self.origin.reachable.clear()
        lost = self.all - self.origin.effects.keys()
        if lost:
            self.fault(f"{len(lost)} acknowledged orders did not reach the origin: {sorted(lost)[:10]}")
        twice = [number for number, keys in self.origin.effects.items() if len(keys) > 1]
        if twice:
            self.fault(f"orders with two keys: {twice[:10]}")

    def load(self, guest, index):
        """Orders, until the power goes; how long, and how many were acknowledged."""
        if index % 3 == 2:
            self.origin.reachable.set()  # the cut falls into the replay
        self.trail.tell("first", number=self.next)
        load = Load(guest, self.next, tell=self.trail.tell)
        load.start()
        end = time.monotonic() + 120
        while not (load.acknowledged or load.delivered) and time.monotonic() < end:
            time.sleep(0.01)
        delay = random.Random(f"{self.seed} {index}").uniform(0.05, 4.0)
        time.sleep(delay)
        guest.cut()
        self.origin.reachable.clear()
        load.stop()
        self.next = load.next
        for number, request, _ in load.acknowledged:
            self.remember("acknowledged", number=number, request=request)
        for number in load.delivered:
            self.remember("delivered", number=number)
        if not (load.acknowledged or load.delivered):
            self.fault("no order was taken")
        return delay, len(load.acknowledged)

    def start(self, index, last):
        guest = Guest(self.card, self.folder)
        guest.start()
        try:
            boot = guest.wait_for_agent()
            effort = guest.processor_seconds()
            seen = self.look(guest)
            if last or index % 10 == 9:
                self.settle()
            said = f"agent after {boot:.0f} s ({effort:.0f} s of processor time), {seen} orders looked for"
            if not last:
                delay, more = self.load(guest, index)
                said += f", cut after {delay:.2f} s of load, {more} acknowledged"
                self.note("cut", boot=boot)
            print(f"start {index}: {said}", flush=True)
        except RuntimeError as fault:
            self.fault(str(fault))
            raise
        finally:
            guest.cut()
        self.check()

    def check(self):
        path = os.path.join(self.folder, "data.ext4")
        self.card.copy_data(path)
        fault = check_data(path)
        if fault:
            self.fault(fault)

    def report(self):
        boots = sorted(self.boots)
        print(f"{len(boots)} cuts, {self.acknowledged} orders acknowledged, {len(self.faults)} faults; "
              f"agent after {boots[len(boots) // 2]:.0f} s (median), {boots[-1]:.0f} s at most")


def main():
    image, folder = sys.argv[1], sys.argv[2]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 50
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    os.makedirs(folder, exist_ok=True)
    trial = Trial(image, folder, seed)
    for index in range(len(trial.boots), count):
        trial.start(index, False)
    trial.start(count, True)
    trial.report()
    os.rename(os.path.join(folder, "trail"), os.path.join(folder, "trail.done"))
    sys.exit(1 if trial.faults else 0)


main()
