#!/usr/bin/env python3
"""boot.py IMAGE FOLDER [MACHINE]: one start to the agent, and what the panel says of itself."""
import os
import sys

from card import copy_card
from guest import Guest
from origin import Origin
from panel import make_key, tell

COMMANDS = (
    "hostname; cat /proc/uptime /run/holdfast-panel/faults; date",
    "systemctl show holdfast -p ActiveEnterTimestampMonotonic; systemctl --failed --no-legend",
    "holdfast status | head -5",
    "findmnt -rn -o TARGET,FSTYPE,OPTIONS | grep -E '^/( |data|var|boot|tmp)'",
    "systemd-analyze; systemd-analyze blame | head -12",
    "journalctl -b -p warning --no-pager --no-hostname | tail -n 25",
    "free -m | head -2; df -h /data | tail -n 1",
)


def main():
    image, folder = sys.argv[1], sys.argv[2]
    machine = sys.argv[3] if len(sys.argv) > 3 else "virt"
    os.makedirs(folder, exist_ok=True)
    origin = Origin()
    key, public_key = make_key(folder)
    card = copy_card(image, os.path.join(folder, "card.img"), 2048 if machine != "virt" else 1024)
    tell(card, origin.port, public_key)
    guest = Guest(card, folder, machine)
    guest.start()
    try:
        print(f"the agent answers after {guest.wait_for_agent(1800):.0f} s, {guest.processor_seconds():.0f} s of processor time", flush=True)
        guest.wait_for_shell(key)
        for command in COMMANDS:
            print(f"$ {command}\n{guest.shell(key, command)}", flush=True)
    finally:
        guest.cut()


main()
