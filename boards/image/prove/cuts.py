#!/usr/bin/env python3
"""cuts.py IMAGE FOLDER [COUNT] [SEED]: the power of a panel goes while it accepts orders, again and again.

After each cut the data partition is checked by e2fsck, the panel starts by itself, and has every order that it acknowledged; in
the end the origin has each of them once in effect."""
import os
import random
import sys
import time

from card import check_data, copy_card
from guest import Guest
from load import Load
from origin import Origin
from panel import make_key, tell


class Trial:
    def __init__(self, image, folder, seed):
        self.folder = folder
        self.random = random.Random(seed)
        self.origin = Origin()
        self.key, public_key = make_key(folder)
        self.card = copy_card(image, os.path.join(folder, "card.img"), 512)
        tell(self.card, self.origin.port, public_key)
        self.promised = {}   # id: number, of which the origin has not been asked yet
        self.all = set()
        self.next = 0
        self.faults = []

    def fault(self, text):
        self.faults.append(text)
        print(f"FAULT {text}", flush=True)

    def look(self, guest):
        """Every order that was acknowledged and not seen since is there."""
        missing = [number for request, number in self.promised.items() if guest.state_of(request) is None]
        if missing:
            self.fault(f"{len(missing)} acknowledged orders are missing: {missing[:10]}")
        seen = len(self.promised)
        self.promised.clear()
        return seen

    def settle(self, guest, limit=600):
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

    def round(self, index, count):
        guest = Guest(self.card, self.folder)
        guest.start()
        try:
            boot = guest.wait_for_agent()
            seen = self.look(guest)
            if index == count or index % 10 == 9:
                self.settle(guest)
            if index == count:
                return boot, seen, 0, 0
            if index % 3 == 2:
                self.origin.reachable.set()  # the cut falls into the replay
            load = Load(guest, self.next)
            load.start()
            while not load.acknowledged and not load.delivered:
                time.sleep(0.01)
            delay = self.random.uniform(0.05, 4.0)
            time.sleep(delay)
        finally:
            guest.cut()
        self.origin.reachable.clear()
        load.stop()
        self.next = load.next
        for number, request, _ in load.acknowledged:
            self.promised[request] = number
            self.all.add(number)
        self.all.update(load.delivered)
        return boot, seen, delay, len(load.acknowledged)

    def check(self):
        path = os.path.join(self.folder, "data.ext4")
        self.card.copy_data(path)
        fault = check_data(path)
        if fault:
            self.fault(fault)


def main():
    image, folder = sys.argv[1], sys.argv[2]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 50
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    os.makedirs(folder, exist_ok=True)
    trial = Trial(image, folder, seed)
    boots, acknowledged = [], 0
    for index in range(count + 1):
        boot, seen, delay, more = trial.round(index, count)
        boots.append(boot)
        acknowledged += more
        print(f"start {index}: agent after {boot:.0f} s, {seen} orders looked for, cut after {delay:.2f} s of load, "
              f"{more} acknowledged", flush=True)
        trial.check()
    boots.sort()
    print(f"{count} cuts, {acknowledged} orders acknowledged, {len(trial.faults)} faults; "
          f"agent after {boots[len(boots) // 2]:.0f} s (median), {boots[-1]:.0f} s at most")
    sys.exit(1 if trial.faults else 0)


main()
