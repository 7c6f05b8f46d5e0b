#!/usr/bin/python3
"""Every option that a person can choose says in its help what it is, what it costs and
when to change it. The words are fixed, so that they can be looked for: a sentence with
`Costs` (bytes of program, memory or storage, writes, wake-ups, or nothing), and one that
begins with `Raise it`, `Lower it`, `Switch it` or `Change it`. And it stands in a menu, so
that the first page of menuconfig is a list of those.

    kconfig_help.py SOURCE
"""
import os
import re
import sys

source = sys.argv[1]
sys.path.insert(0, os.path.join(source, "cmake/kconfig"))
os.environ.update(BOARD="native/host_linux", srctree=source)
os.chdir(source)
import kconfiglib  # noqa: E402

COSTS = re.compile(r"\b[Cc]osts\b")
CHANGE = re.compile(r"\b(Raise|Lower|Switch|Change) it\b")



def in_menu(node):
    while node.item is not kconfiglib.MENU:
        node = node.parent
    return node.parent is not None


faults = count = 0
for symbol in kconfiglib.Kconfig("Kconfig").unique_defined_syms:
    for node in symbol.nodes:
        if not node.prompt:
            continue
        count += 1
        text = " ".join((node.help or "").split())
        lacks = [what for what, found in (("what it is", len(text) > 60), ("what it costs", COSTS.search(text)),
                                          ("when to change it", CHANGE.search(text))) if not found]
        if not in_menu(node):
            faults += 1
            print("%s:%d: %s stands in no menu" % (node.filename, node.linenr, symbol.name))
        if lacks:
            faults += 1
            print("%s:%d: the help of %s does not say %s" % (node.filename, node.linenr, symbol.name, ", ".join(lacks)))
if count < 50:
    sys.exit("only %d options were found" % count)
sys.exit(1 if faults else 0)
