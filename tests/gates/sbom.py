#!/usr/bin/env python3
"""The list of parts of a panel's image names each library that is linked in, with its version, licence and the pinned source's hash.

    sbom.py SOURCE LIBRARY...
"""
import json
import os
import subprocess
import sys
import tempfile

STATUS = """Package: bash
Status: install ok installed
Architecture: arm64
Source: bash (5.2.37-2)
Version: 5.2.37-2+b5

Package: gone
Status: deinstall ok config-files
Architecture: arm64
Version: 1
"""


def put(root, path, text):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def main():
    source, libraries = sys.argv[1], sys.argv[2:]
    with open(f"{source}/cmake/deps/lock.txt", encoding="ascii") as file:
        rows = [line.split() for line in file if line.strip() and not line.startswith("#")]
    # of more rows than one the last: what a machine gets that does not find the first
    linked = {name: [row for row in rows if row[0] in (name, f"{name}-arm64")][-1] for name in [*libraries, "musl"]}
    sections = [f"{'-' * 78}\n{name} {row[1]}\n\nits licence\n" for name, row in linked.items()]
    with tempfile.TemporaryDirectory() as root:
        put(root, "var/lib/dpkg/status", STATUS)
        put(root, "usr/sbin/holdfastd", "program")
        put(root, "usr/share/doc/holdfast/copyright", "Holdfast\n\n" + "\n".join(sections))
        done = subprocess.run([f"{source}/boards/image/sbom.py", "spdx", root, "panel"], capture_output=True, text=True, check=False,
                              env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"})
    if done.returncode:
        sys.exit(f"gate_sbom: {done.stderr}")
    document = json.loads(done.stdout)
    parts = {part["name"]: part for part in document["packages"]}
    within = {row["relatedSpdxElement"] for row in document["relationships"] if row["relationshipType"] == "STATIC_LINK"}
    faults = []
    if sorted(parts) != sorted(["holdfast", "bash", *linked]):
        faults.append(f"it names {sorted(parts)}, and linked in are {sorted(linked)}")
    for name, (_, version, _, _, digest, *_) in linked.items():
        part = parts.get(name, {})
        if part.get("versionInfo") != version or not part.get("licenseDeclared") or part["SPDXID"] not in within:
            faults.append(f"{name} {version} has no version, no licence, or is not said to be linked in: {part}")
        elif part["checksums"] != [{"algorithm": "SHA256", "checksumValue": digest}]:
            faults.append(f"{name} {version} has another checksum than its source")
    if parts.get("bash", {}).get("versionInfo") != "5.2.37-2+b5":
        faults.append("a package has not its version")
    for fault in faults:
        print(f"gate_sbom: {fault}", file=sys.stderr)
    sys.exit(1 if faults else 0)


main()
