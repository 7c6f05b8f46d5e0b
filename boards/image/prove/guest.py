"""A panel in QEMU: started with the image's own kernel, initial RAM disk, command line and root; its power is the process."""
import ctypes
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

# One thread of QEMU's for all processors of the panel: those of a Raspberry Pi that wait would spin.
MACHINES = {
    "virt": ["-M", "virt", "-cpu", "cortex-a72", "-m", "1024"],
    "raspi3b": ["-M", "raspi3b", "-accel", "tcg,thread=single"],
    "raspi4b": ["-M", "raspi4b", "-accel", "tcg,thread=single"],
}
TREES = {"raspi3b": "bcm2837-rpi-3-b.dtb", "raspi4b": "bcm2711-rpi-4-b.dtb"}
NO_NETWORK = ("raspi4b",)  # QEMU has neither its Ethernet nor the PCIe bridge behind which its USB is
# Two page tables, and other addresses at each start, make QEMU translate the same program over and over.
LINE = "kpti=off norandmaps"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def end_with_parent():
    """In the child: a proof that is ended leaves no panel behind."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Guest:
    def __init__(self, card, folder, machine="virt", drive=None, display=False, watchdog=False):
        self.card, self.folder, self.machine = card, folder, machine
        self.drive = drive  # QEMU's options that make the node "card"
        self.display, self.watchdog = display, watchdog
        self.port, self.ssh_port = free_port(), free_port()
        self.process, self.link = None, None
        self.started = 0.0
        self.home = tempfile.TemporaryDirectory(prefix="hf-")  # a socket's path must be short
        self.console = os.path.join(folder, "console.log")
        self.monitor = os.path.join(folder, "monitor.sock")
        self.kernel = card.get("vmlinuz", os.path.join(folder, "vmlinuz"))
        self.initrd = card.get("initrd.img", os.path.join(folder, "initrd.img"))
        with open(card.get("cmdline.txt", os.path.join(folder, "cmdline.txt")), encoding="ascii") as file:
            self.line = file.read().strip()

    def _arguments(self):
        network = f"user,id=net,hostfwd=tcp:127.0.0.1:{self.port}-:8481,hostfwd=tcp:127.0.0.1:{self.ssh_port}-:22"
        common = [
            "qemu-system-aarch64", *MACHINES[self.machine], "-kernel", self.kernel, "-initrd", self.initrd, "-display", "none",
            "-serial", f"file:{self.console}", "-monitor", f"unix:{self.monitor},server,nowait",
            "-netdev", network, "-no-reboot",
        ]
        if self.machine == "virt":
            extra = ["-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci"]
            extra += self.drive or ["-drive", f"if=none,id=card,format=raw,cache=none,file={self.card.path}"]
            extra += ["-device", "virtio-blk-pci,drive=card"]
            if self.watchdog:
                extra += ["-device", "i6300esb"]
            line = f"{self.line} {LINE} console=ttyAMA0"
            if self.display:
                line += " systemd.setenv=WLR_RENDERER=pixman"  # this graphics card draws nothing itself
                extra += ["-device", "virtio-gpu-pci", "-device", "virtio-keyboard-pci"]
        else:
            blob = self.card.get(TREES[self.machine], os.path.join(self.folder, "board.dtb"))
            extra = ["-dtb", blob, "-drive", f"if=sd,format=raw,file={self.card.path}"]
            extra += [] if self.machine in NO_NETWORK else ["-device", "usb-net,netdev=net"]
            # this watchdog ends the machine when it is set up, not when it is not fed
            line = f"{self.line} {LINE} console=ttyAMA0,115200 systemd.watchdog_sec=0 loglevel=7 systemd.show_status=yes"
        return common + extra + ["-append", line]

    def start(self):
        self.started = time.monotonic()
        open(self.console, "wb").close()  # there before QEMU has it
        with open(os.path.join(self.folder, "qemu.log"), "ab") as log:
            self.process = subprocess.Popen(self._arguments(), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            preexec_fn=end_with_parent)

    def cut(self):
        """The power goes."""
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None
        if self.link:
            self.link.kill()
            self.link.wait()
            self.link = None

    def ended(self, limit):
        """Whether the panel ends by itself until then."""
        try:
            self.process.wait(limit)
        except subprocess.TimeoutExpired:
            return False
        self.process = None
        return True

    def seconds(self):
        return time.monotonic() - self.started

    def processor_seconds(self):
        """Of QEMU, which does not depend on what else the machine does."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def connect(self, timeout=10):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def ask(self, method, path, body=None, timeout=10):
        """Status and body, or None when nobody answers."""
        try:
            connection = self.connect(timeout)
            connection.request(method, path, body, {"Host": "localhost:8480"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def wait_for_agent(self, limit=1800):
        """Seconds from power on until the agent answers."""
        while self.seconds() < limit:
            answer = self.ask("GET", "/.holdfast/requests?limit=1", timeout=2)
            if answer and answer[0] == 200:
                return self.seconds()
            if self.process.poll() is not None:
                raise RuntimeError(f"QEMU ended with {self.process.returncode}; see {self.folder}")
            time.sleep(0.25)
        raise RuntimeError(f"no agent after {limit} s; the console is {self.console}")

    def wait_for_console(self, pattern, limit=1800):
        """Whether the serial port says so until then."""
        while self.seconds() < limit and self.process.poll() is None:
            with open(self.console, encoding="utf-8", errors="replace") as file:
                if re.search(pattern, file.read()):
                    return True
            time.sleep(0.5)
        return False

    def requests(self):
        """The ids of all that the agent knows."""
        found, after = set(), ""
        while True:
            answer = self.ask("GET", f"/.holdfast/requests?limit=64{after}", timeout=30)
            if not answer or answer[0] != 200:
                return found
            page = json.loads(answer[1])
            found.update(request["id"] for request in page["requests"])
            if not page["next"]:
                return found
            after = f"&after={page['next']}"

    def state_of(self, request):
        answer = self.ask("GET", f"/.holdfast/requests/{request}", timeout=30)
        return json.loads(answer[1]).get("state") if answer and answer[0] == 200 else None

    def _ssh(self, key, *more):
        return ["ssh", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
                "-o", f"ControlPath={self.home.name}/link", "-i", key, "-p", str(self.ssh_port), *more, "root@127.0.0.1"]

    def shell(self, key, command, timeout=120):
        done = subprocess.run([*self._ssh(key), command], capture_output=True, text=True, timeout=timeout, check=False)
        return done.stdout.strip() if done.returncode == 0 else f"({done.returncode}) {done.stderr.strip()}"

    def wait_for_shell(self, key, limit=600):
        """Until it answers; one sign-in then serves all commands, as each would cost the panel seconds."""
        while self.seconds() < limit and self.shell(key, "echo ready") != "ready":
            time.sleep(2)
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.link = subprocess.Popen(self._ssh(key, "-M", "-N"), preexec_fn=end_with_parent, **quiet)
        while self.seconds() < limit and not os.path.exists(f"{self.home.name}/link"):
            time.sleep(0.2)

    def tell_monitor(self, line):
        with socket.socket(socket.AF_UNIX) as talk:
            talk.connect(self.monitor)
            talk.settimeout(20)
            while b"(qemu)" not in talk.recv(65536):
                pass
            talk.sendall(line.encode() + b"\n")
            answer = b""
            while b"(qemu)" not in answer:
                answer += talk.recv(65536)
        return answer.decode(errors="replace")
