#!/usr/bin/python3
"""Kconfig for the build: checks fragments, merges them, writes the header.

    bridge.py configure  --fragment FILE... --header OUT --dotconfig OUT --deps OUT
    bridge.py menuconfig --fragment FILE... --user FILE
    bridge.py savedefconfig --fragment FILE... --out FILE
    bridge.py olddefconfig --fragment FILE... --user FILE

Fragments are merged in the order given; the last one that sets a symbol wins.
A line that is no assignment, an unknown symbol, a value of the wrong type or
outside the range, and a value that a dependency overrides each end the run
with FILE:LINE. Types are bool, int, hex and string.

Runs with srctree set to the source folder and BOARD to the board.
"""
import argparse
import difflib
import os
import re
import sys

try:
    import kconfiglib
except ImportError:
    sys.exit("kconfig: error: python3-kconfiglib is missing for /usr/bin/python3; "
             "install it with: apt-get install python3-kconfiglib")

ASSIGNMENT = re.compile(r"^CONFIG_([A-Za-z0-9_]+)=(.*)$")
UNSET = re.compile(r"^# CONFIG_([A-Za-z0-9_]+) is not set$")
TYPE_NAMES = {kconfiglib.BOOL: "bool", kconfiglib.INT: "int",
              kconfiglib.HEX: "hex", kconfiglib.STRING: "string"}


class Fault(Exception):
    pass


def read_fragment(kconf, path):
    """Yields (line number, symbol, value) and raises Fault on a bad line."""
    with open(path, encoding="utf-8") as f:
        lines = f.read().splitlines()
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        unset = UNSET.match(line)
        if not unset and (not line or line.startswith("#")):
            continue
        where = "%s:%d" % (path, number)
        match = unset or ASSIGNMENT.match(line)
        if not match:
            raise Fault("%s: `%s` is no assignment; write CONFIG_NAME=value" % (where, line))
        symbol = kconf.syms.get(match.group(1))
        if symbol is None or not symbol.nodes:
            raise Fault("%s: there is no option CONFIG_%s%s"
                        % (where, match.group(1), suggestion(kconf, match.group(1))))
        if not any(node.prompt for node in symbol.nodes):
            # computed, not chosen: a full .config names it, and it is ignored there
            continue
        value = "n" if unset else match.group(2)
        yield where, symbol, check_value(where, symbol, value)


def suggestion(kconf, name):
    known = [s.name for s in kconf.unique_defined_syms if any(n.prompt for n in s.nodes)]
    near = difflib.get_close_matches(name, known, 1, 0.6)
    return "; did you mean CONFIG_%s?" % near[0] if near else "; ./dev menuconfig shows all"


def check_value(where, symbol, value):
    """Returns the value as kconfiglib wants it; raises Fault."""
    name, kind = "CONFIG_" + symbol.name, symbol.type
    if kind == kconfiglib.BOOL:
        if value not in ("y", "n"):
            raise Fault("%s: %s is a bool: y or n, not `%s`" % (where, name, value))
        return value
    if kind == kconfiglib.STRING:
        text = kconfiglib.unescape(value[1:-1])
        if len(value) < 2 or value[0] != '"' or value[-1] != '"':
            raise Fault('%s: %s is a string: put it in double quotes' % (where, name))
        return text
    base, pattern = (10, r"-?(0|[1-9][0-9]*)") if kind == kconfiglib.INT else (16, r"0[xX][0-9a-fA-F]+")
    if not re.fullmatch(pattern, value):
        raise Fault("%s: %s is %s number, not `%s`"
                    % (where, name, "a decimal" if base == 10 else "a hexadecimal (0x...)", value))
    for low, high, condition in symbol.ranges:
        if kconfiglib.expr_value(condition):
            if not int(low.str_value, base) <= int(value, base) <= int(high.str_value, base):
                raise Fault("%s: %s=%s is outside its range, %s to %s"
                            % (where, name, value, low.str_value, high.str_value))
            break
    return value


def load(fragments):
    """Returns Kconfig with all fragments merged; raises Fault."""
    kconf = kconfiglib.Kconfig("Kconfig", warn=True, warn_to_stderr=False)
    for symbol in kconf.unique_defined_syms:
        if symbol.type not in TYPE_NAMES:
            node = symbol.nodes[0]
            raise Fault("%s:%d: %s is neither bool, int, hex nor string"
                        % (node.filename, node.linenr, symbol.name))
    wanted = {}
    for path in fragments:
        mine = {}
        for where, symbol, value in read_fragment(kconf, path):
            mine[symbol] = (where, value)
            symbol.set_value(value)
        # What held until here is a choice that a later fragment may overrule by what it depends on.
        wanted = {s: w for s, w in wanted.items() if s not in mine and not w[2]}
        wanted.update({s: (*w, s.str_value == w[1]) for s, w in mine.items()})
    for symbol, (where, value, _) in wanted.items():
        if symbol.str_value != value and symbol.visibility == 0 and value == "n":
            continue  # off, and its dependencies are off too
        if symbol.str_value != value:
            node = next(n for n in symbol.nodes if n.prompt)
            raise Fault("%s: CONFIG_%s=%s cannot be: it is `%s`, because it depends on %s"
                        % (where, symbol.name, value, symbol.str_value,
                           kconfiglib.expr_str(node.dep)))
    return kconf


def header_of(kconf):
    """The C header: CONFIG_<NAME> as 1, a number or a string; bools that are
    off are not defined, as IS_ENABLED() expects."""
    lines = ["/* Made by cmake/kconfig/bridge.py from Kconfig and its fragments. */",
             "#ifndef HOLDFAST_CONFIG_H", "#define HOLDFAST_CONFIG_H", ""]
    for symbol in kconf.unique_defined_syms:
        value = symbol.str_value
        if symbol.type == kconfiglib.BOOL:
            if value == "y":
                lines.append("#define CONFIG_%s 1" % symbol.name)
        elif symbol.type == kconfiglib.STRING:
            lines.append('#define CONFIG_%s "%s"' % (symbol.name, kconfiglib.escape(value)))
        elif value:
            # beyond a plain int the constant says so, for every compiler alike
            suffix = "LL" if symbol.type == kconfiglib.INT and abs(int(value)) > 2**31 - 1 else ""
            lines.append("#define CONFIG_%s %s%s" % (symbol.name, value, suffix))
    lines += ["",
              "/* 1 if the option is y, else 0: for if (), so that both branches compile. */",
              "#ifndef IS_ENABLED",
              "#define HF_PLACEHOLDER_1 0,",
              "#define HF_SECOND(ignored, value, ...) value",
              "#define HF_ENABLED_3(pair) HF_SECOND(pair 1, 0, 0)",
              "#define HF_ENABLED_2(value) HF_ENABLED_3(HF_PLACEHOLDER_##value)",
              "#define IS_ENABLED(option) HF_ENABLED_2(option)",
              "#endif", "", "#endif", ""]
    return "\n".join(lines)


def write_if_changed(path, text):
    try:
        with open(path, encoding="utf-8") as f:
            if f.read() == text:
                return
    except OSError:
        pass
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".part", "w", encoding="utf-8") as f:
        f.write(text)
    os.replace(path + ".part", path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["configure", "menuconfig", "savedefconfig", "olddefconfig"])
    parser.add_argument("--fragment", action="append", default=[])
    parser.add_argument("--user")
    parser.add_argument("--header")
    parser.add_argument("--dotconfig")
    parser.add_argument("--deps")
    parser.add_argument("--out")
    args = parser.parse_args()
    try:
        if args.command == "olddefconfig":
            # Takes over what is still known of the user's file, without complaint.
            kconf = load(args.fragment)
            if os.path.exists(args.user):
                kconf.load_config(args.user, replace=False)
            kconf.write_config(args.user)
            return
        fragments = list(args.fragment)
        if args.user and os.path.exists(args.user):
            fragments.append(args.user)
        kconf = load(fragments)
        if args.command == "menuconfig":
            import menuconfig
            os.environ["KCONFIG_CONFIG"] = args.user
            kconf.write_config(args.user)
            menuconfig.menuconfig(kconf)
        elif args.command == "savedefconfig":
            kconf.write_min_config(args.out, header="# What differs from the defaults of Kconfig\n")
            print("kconfig: wrote " + args.out)
        else:
            write_if_changed(args.header, header_of(kconf))
            kconf.write_config(args.dotconfig, save_old=False)
            write_if_changed(args.deps, "\n".join(sorted(set(kconf.kconfig_filenames))) + "\n")
    except (Fault, kconfiglib.KconfigError, OSError) as fault:
        sys.exit("kconfig: error: %s" % fault)


if __name__ == "__main__":
    main()
