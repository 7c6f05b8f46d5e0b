#!/usr/bin/python3
"""Builds the daemon in every configuration that somebody may come to: each board's
defconfig, allnoconfig, allyesconfig, and each part (a bool) switched over alone.

    variants.py build           fast and unoptimised, in build/variants; stops at a fault
    variants.py costs           as the release; what each part costs in bytes

What is built without CoAP must have nothing of libcoap in its programs. All share a
build folder. Of one variant to the next only those objects are made anew whose sources,
or headers of them, name an option that has changed; two variants that come to the same
header are built once. Runs in the source folder.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bridge  # noqa: E402

PLAIN = "native/host_linux"
PROGRAMS = ["holdfastd", "holdfast"]
DEFINE = re.compile(r"^#define (CONFIG_\w+) (.*)$", re.M)


def config_of(board, fragments):
    os.environ.update(BOARD=board, srctree=os.getcwd())
    return bridge.load(fragments)


def defconfig_of(board):
    return "boards/%s/%s_defconfig" % (board, os.path.basename(board))


def parts(kconf):
    return [s for s in kconf.unique_defined_syms
            if s.type == bridge.kconfiglib.BOOL and any(n.prompt for n in s.nodes)]


def fragment(folder, name, values):
    path = os.path.join(folder, name + ".conf")
    bridge.write_if_changed(path, "".join("CONFIG_%s=%s\n" % pair for pair in values))
    return os.path.abspath(path)


def variants(folder):
    """Yields (name, board, fragments)."""
    plain = config_of(PLAIN, [defconfig_of(PLAIN)])
    yield "defaults", PLAIN, []
    every = [(s.name, "y") for s in parts(plain)]
    for symbol in parts(plain):
        if symbol.str_value == "y" or not symbol.visibility:
            # one that needs another is taken out of all of them
            rest = [] if symbol.str_value == "y" else [pair for pair in every if pair[0] != symbol.name]
            name, values = symbol.name + "=n", rest + [(symbol.name, "n")]
        else:
            name, values = symbol.name + "=y", [(symbol.name, "y")]
        yield name, PLAIN, [fragment(folder, name, values)]
    for name, value in (("allnoconfig", "n"), ("allyesconfig", "y")):
        yield name, PLAIN, [fragment(folder, name, [(s.name, value) for s in parts(plain)])]
    for path in sorted(glob.glob("boards/*/*/Kconfig.board")):
        board = os.path.dirname(path)[len("boards/"):]
        yield board, board, []


def header_of(board, fragments):
    return bridge.header_of(config_of(board, [defconfig_of(board)] + fragments))


def options_of(header):
    options = dict(DEFINE.findall(header))
    return {k: v for k, v in options.items()
            if k != "CONFIG_HF_BOARD" and not k.startswith("CONFIG_BOARD_")}


class Tree:
    """The build folder, and the options that its objects were made with."""

    def __init__(self, folder, arguments):
        self.folder, self.arguments = folder, arguments
        self.header = os.path.join(folder, "generated/holdfast_config.h")
        self.state = os.path.join(folder, "built_with")
        self.built = None
        if os.path.exists(self.state):
            with open(self.state, encoding="utf-8") as f:
                self.built = options_of(f.read())
        else:  # a run was broken off: nobody knows what the objects were made with
            shutil.rmtree(folder, ignore_errors=True)

    def run(self, *command):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit("%s\nvariants: %s" % (done.stdout[-8000:], " ".join(command)))
        return done.stdout

    def named_by(self, path, names):
        try:
            with open(path, encoding="utf-8", errors="replace") as f:
                return any(name in names for name in re.findall(r"CONFIG_\w+", f.read()))
        except OSError:
            return True

    def drop_objects(self, changed):
        """Objects that know one of the options: made anew by their absence."""
        known, target = {}, None
        for line in self.run("ninja", "-C", self.folder, "-t", "deps").splitlines():
            if line and not line.startswith(" "):
                target = line.split(":")[0]
            elif line.strip():
                path = os.path.normpath(os.path.join(self.folder, line.strip()))
                if "/generated/holdfast_config.h" in path or path.startswith("/usr"):
                    continue
                if path not in known:
                    known[path] = self.named_by(path, changed)
                if known[path] and target:
                    output = os.path.join(self.folder, target)
                    if os.path.exists(output):
                        os.remove(output)
                    target = None

    def build(self, board, fragments):
        self.run("cmake", "-S", ".", "-B", self.folder, "-G", "Ninja", "-DBOARD=" + board,
                 "-DEXTRA_CONF_FILE=" + ";".join(fragments), "-DHF_ANY_PROCESSOR=ON",
                 "-DHF_TESTS=OFF", *self.arguments)
        os.utime(self.header, (1, 1))  # drop_objects says what it makes stale
        with open(self.header, encoding="utf-8") as f:
            text = f.read()
        options = options_of(text)
        if self.built is not None:
            changed = {k for k in set(options) | set(self.built) if options.get(k) != self.built.get(k)}
            self.drop_objects(changed)
        self.built = options
        if os.path.exists(self.state):
            os.remove(self.state)
        self.run("cmake", "--build", self.folder, "--target", *PROGRAMS)
        with open(self.state, "w", encoding="utf-8") as f:
            f.write(text)

    def program(self):
        return os.path.join(self.folder, "bin/holdfastd")


def has(part, variant):
    return "CONFIG_HF_" + part in options_of(header_of(*variant[1:]))


def build():
    tree = Tree("build/variants", ["-DCMAKE_C_COMPILER=gcc", "-DCMAKE_C_FLAGS=-O0"])
    seen = {}
    # those with another Mbed TLS last, which makes all objects anew; then the sensor side, of
    # which most are, is switched once
    every = sorted(variants("build/variants/fragments"), key=lambda v: (has("COAP", v), has("SENSOR", v)))
    for variant in every:
        name, board, fragments = variant
        key = tuple(sorted(options_of(header_of(board, fragments)).items()))
        begin = time.time()
        if key in seen:
            print("%-24s as %s" % (name, seen[key]))
            continue
        seen[key] = name
        tree.build(board, fragments)
        if not has("COAP", variant):
            tree.run("tests/gates/absent.sh", "nm", *(os.path.join(tree.folder, "bin", p) for p in PROGRAMS))
        version = tree.run(tree.program(), "--version").strip()
        print("%-24s %s, %.0f s" % (name, version, time.time() - begin), flush=True)


def costs():
    tree = Tree("build/costs", ["-DCMAKE_TOOLCHAIN_FILE=%s/cmake/toolchain-musl.cmake" % os.getcwd(),
                                "-DHF_DEPS_TOOLCHAIN=musl", "-DHF_RELEASE=ON"])
    plain = None
    for name, board, fragments in variants("build/costs/fragments"):
        if board != PLAIN or name == board:
            continue
        tree.build(board, fragments)
        size = sum(map(int, tree.run("size", tree.program()).splitlines()[1].split()[:2]))
        plain = plain or size
        print("%-24s %8d bytes %+8d" % (name, size, size - plain), flush=True)


if __name__ == "__main__":
    try:
        {"build": build, "costs": costs}[sys.argv[1]]()
    except (KeyError, IndexError):
        sys.exit(__doc__)
    except (bridge.Fault, bridge.kconfiglib.KconfigError) as fault:
        sys.exit("variants: error: %s" % fault)
