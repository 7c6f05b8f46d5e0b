#!/usr/bin/env python3
"""boot.py IMAGE FOLDER [MACHINE]: one start to the agent, what must hold of the panel then, and what it does when it hangs."""
import os
import re
import sys
import time

from card import copy_card
from guest import NO_NETWORK, Guest
from origin import Origin
from panel import make_key, tell

TOLD = """timezone = Asia/Tokyo
time-servers = 10.0.2.2
log-server = 10.0.2.2
url = nonsense
[wifi]
country = DE
ssid = proof
password = proofproof"""

# what holds, what the panel is asked, and what its answer has to be
CHECKS = (
    ("nothing failed", "systemctl --failed --no-legend", r""),
    ("what has to run does", "systemctl is-active holdfast systemd-timesyncd systemd-networkd systemd-resolved ssh "
     "holdfast-guard.timer holdfast-log.timer holdfast-remote-log | sort -u", r"active"),
    ("each driver has what it needs", "journalctl -b -k --no-pager -o cat | grep 'Unknown symbol'; true", r""),
    ("the root is read-only", "touch /proof 2>&1; findmnt -n -o FSTYPE,OPTIONS /", r"(?s).*Read-only file system.*squashfs +ro\b.*"),
    ("the FAT partition is read-only", "touch /boot/firmware/proof 2>&1; true", r".*Read-only file system"),
    ("what lasts is on the data partition", "stat -c %m /var/lib/holdfast /var/lib/systemd/timesync; "
     "stat -L -c %d /var/lib/holdfast /var/lib/systemd/timesync /data | sort -u | wc -l",
     r"/var/lib/holdfast\n/var/lib/systemd/timesync\n1"),
    ("nothing there is run", "findmnt -n -o OPTIONS /data", r"(?=.*noexec)(?=.*nosuid)(?=.*nodev)(?=.*noatime).*"),
    ("the data partition has the rest of the card", "test $(df -m --output=size /data | tail -n 1) -gt 300 && echo yes", r"yes"),
    ("the panel's name, place and time servers", "hostname; date +%Z; timedatectl show-timesync -P SystemNTPServers",
     r"proof\nJST\n10\.0\.2\.2"),
    ("the network knows it again, by its hardware address", "grep -h ^CLIENTID= /run/systemd/netif/leases/*; cat /sys/class/net/[!lw]*/address",
     r"CLIENTID=01(..)(..)(..)(..)(..)(..)\n\1:\2:\3:\4:\5:\6"),
    ("it answers for its name in .local", "ss -Hlun | grep -c :5353; resolvectl mdns | sed -n 's/^Global: //p'", r"[1-9][0-9]*\nyes"),
    ("the clock's floor is on the data partition", "stat -c %U /data/timesync/clock; test $(date +%s) -ge "
     "$(stat -c %Y /usr/lib/clock-epoch) && echo later", r"systemd-timesync\nlater"),
    ("a fault of holdfast.conf has its line", "cat /run/holdfast-panel/faults", r"holdfast.conf, line 7: url is not .*"),
    ("the journal is in RAM and bounded", "test ! -e /var/log/journal && ls -d /run/log/journal; "
     "systemd-analyze cat-config systemd/journald.conf | grep -x RuntimeMaxUse=16M; journalctl --header | grep -c '^File path'",
     r"/run/log/journal\nRuntimeMaxUse=16M\n[1-9]"),
    ("its warnings are kept, in two files of 512 KiB", "truncate -s 524280 /data/log/warnings; logger -p user.warning proof-warning; "
     "journalctl --sync; systemctl start holdfast-log; grep -o proof-warning /data/log/warnings; stat -c %s /data/log/warnings.old",
     r"proof-warning\n524280"),
    ("systemd feeds the board's watchdog", "systemctl show -P RuntimeWatchdogUSec; cat /sys/class/watchdog/watchdog0/state 2>/dev/null",
     r"14s\nactive"),
    ("the agent feeds its own", "systemctl show -P WatchdogUSec holdfast; test $(systemctl show -P WatchdogTimestampMonotonic holdfast)"
     " -gt $(systemctl show -P ActiveEnterTimestampMonotonic holdfast) && echo fed", r"1min\nfed"),
    ("nobody can sign in on the console", "systemctl list-units --no-legend '*getty*'; getent shadow root | cut -d : -f 2", r"[!*].*"),
    ("by SSH only with a key", "sshd -T | grep -E '^(passwordauthentication|kbdinteractiveauthentication|permitrootlogin)' | sort",
     r"kbdinteractiveauthentication no\npasswordauthentication no\npermitrootlogin (without-password|prohibit-password)"),
)
LOOKS = (
    "systemd-analyze; systemd-analyze blame --no-pager | head -12",
    "journalctl -b -p warning --no-pager --no-hostname | tail -n 25",
    "free -m | head -2; df -h /data | tail -n 1; holdfast status | head -5",
)
MODELS = {"raspi3b": "Raspberry Pi 3 Model B", "raspi4b": "Raspberry Pi 4 Model B"}
BOARD = ("systemd feeds the board's watchdog",)  # what QEMU's Raspberry Pi cannot show


class Proof:
    def __init__(self, guest, key):
        self.guest, self.key, self.faults = guest, key, 0

    def holds(self, what, good, answer=""):
        print(f"{'holds' if good else 'DOES NOT HOLD'}: {what}{'' if good else f': {answer!r}'}", flush=True)
        self.faults += not good

    def check(self, what, command, expected, limit=90):
        """Asked until it holds, as some of it takes its time after a start."""
        end = time.monotonic() + limit
        answer = self.guest.shell(self.key, command)
        while not re.fullmatch(expected, answer) and time.monotonic() < end:
            time.sleep(3)
            answer = self.guest.shell(self.key, command)
        self.holds(what, re.fullmatch(expected, answer), answer)

    def wifi(self):
        """Two radios of the kernel's simulator; one is the access point that holdfast.conf names."""
        self.guest.shell(self.key, "modprobe mac80211_hwsim radios=2")
        self.check("radios are there", "iwctl device wlan1 set-property Mode ap >/dev/null && iwctl ap wlan1 start proof proofproof "
                   ">/dev/null; iwctl ap list | grep -o 'wlan1 *yes'", r"wlan1 *yes")
        self.check("the Wi-Fi of holdfast.conf is joined", "cat /sys/class/net/wlan0/operstate; iwctl station wlan0 show | "
                   "grep -o 'Connected network *proof'", r"up\nConnected network *proof", 180)

    def serial_port(self, machine):
        """What a person with a serial cable sees."""
        self.holds("the kernel names the board", self.guest.wait_for_console(f"Machine model: {MODELS[machine]}"))
        self.holds("the agent is started", self.guest.wait_for_console(r"Started \S*holdfast\.service"))

    def killed_agent(self):
        before = self.guest.shell(self.key, "systemctl show -P MainPID holdfast; systemctl kill -s KILL holdfast").split("\n")[0]
        self.check("an agent that is killed is started anew", f"pid=$(systemctl show -P MainPID holdfast); test $pid != {before} && "
                   "holdfast status >/dev/null && echo another", r"another")

    def dead_init(self):
        """The watchdog is not fed any more: the board starts anew, which ends QEMU here."""
        self.guest.shell(self.key, "(sleep 1; kill -SEGV 1) </dev/null >/dev/null 2>&1 &")
        self.holds("a panel whose first process hangs is started anew by the watchdog", self.guest.ended(180))

    def all_of_it(self, machine):
        """All that is seen over the network."""
        print(f"the agent answers after {self.guest.wait_for_agent(1800):.0f} s, {self.guest.processor_seconds():.0f} s of processor time",
              flush=True)
        self.guest.wait_for_shell(self.key)
        for check in CHECKS:
            if machine == "virt" or check[0] not in BOARD:
                self.check(*check)
        for command in LOOKS:
            print(f"$ {command}\n{self.guest.shell(self.key, command)}", flush=True)
        if self.guest.shell(self.key, "systemctl is-active iwd") == "active":
            self.wifi()
        self.killed_agent()
        if machine == "virt":
            self.dead_init()


def main():
    image, folder = sys.argv[1], sys.argv[2]
    machine = sys.argv[3] if len(sys.argv) > 3 else "virt"
    os.makedirs(folder, exist_ok=True)
    origin = Origin()
    key, public_key = make_key(folder)
    card = copy_card(image, os.path.join(folder, "card.img"), 2048 if machine != "virt" else 1024)
    tell(card, origin.port, public_key, TOLD)
    guest = Guest(card, folder, machine, watchdog=machine == "virt")
    guest.start()
    proof = Proof(guest, key)
    try:
        if machine in MODELS:
            proof.serial_port(machine)
        if machine not in NO_NETWORK:
            proof.all_of_it(machine)
    finally:
        guest.cut()
    sys.exit(1 if proof.faults else 0)


main()
