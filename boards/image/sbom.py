#!/usr/bin/env python3
"""What is in a root, as a list of packages or as an SPDX 2.3 document.

    sbom.py packages ROOT
    sbom.py spdx ROOT NAME
"""
import datetime
import hashlib
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
LICENCES = {"mbedtls": "Apache-2.0", "sqlite": "blessing", "llhttp": "MIT", "libuv": "MIT", "cjson": "MIT", "inih": "BSD-3-Clause",
            "libcoap": "BSD-2-Clause", "musl": "MIT"}


def packages(root):
    """Packages of dpkg's status: dictionaries of their fields, in order of name."""
    found = []
    with open(os.path.join(root, "var/lib/dpkg/status"), encoding="utf-8") as file:
        for stanza in file.read().split("\n\n"):
            fields = {}
            for line in stanza.splitlines():
                if line and not line[0].isspace():
                    key, _, value = line.partition(":")
                    fields[key] = value.strip()
            if fields.get("Status") == "install ok installed":
                found.append(fields)
    return sorted(found, key=lambda fields: fields["Package"])


def source(fields):
    """Name and version of the source package."""
    name, _, version = fields.get("Source", fields["Package"]).partition(" ")
    return name, version.strip("()") or fields["Version"]


def debian_package(fields):
    name, version, arch = fields["Package"], fields["Version"], fields["Architecture"]
    origin, origin_version = source(fields)
    locator = f"pkg:deb/debian/{name}@{version.replace('+', '%2B').replace(':', '%3A')}?arch={arch}"
    return {
        "SPDXID": f"SPDXRef-deb-{name.replace('+', '-plus')}",
        "name": name,
        "versionInfo": version,
        "supplier": "Organization: Debian",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "sourceInfo": f"source package {origin} {origin_version}",
        "comment": f"its licences: /usr/share/doc/{name}/copyright in the image",
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": locator}],
    }


def plain_package(name, version, licence, **more):
    return {
        "SPDXID": f"SPDXRef-{name}",
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": licence,
        "licenseDeclared": licence,
        "copyrightText": "NOASSERTION",
        **more,
    }


def holdfast_package(root):
    with open(os.path.join(root, "usr/sbin/holdfastd"), "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    describe = ["git", "-C", HERE, "describe", "--always", "--dirty", "--abbrev=12"]
    commit = subprocess.run(describe, capture_output=True, text=True, check=False)
    return plain_package("holdfast", commit.stdout.strip() or "unknown", "Apache-2.0", comment="checksum of /usr/sbin/holdfastd",
                         checksums=[{"algorithm": "SHA256", "checksumValue": digest}])


def linked_packages(root):
    """What is linked into holdfastd: the libraries and versions of its copyright file, with the source's hash that the build pins."""
    with open(os.path.join(root, "usr/share/doc/holdfast/copyright"), encoding="utf-8") as file:
        named = re.findall(r"^-{78}\n(\S+) (\S+)\n$", file.read(), re.MULTILINE)
    with open(os.path.join(HERE, "../../cmake/deps/lock.txt"), encoding="ascii") as file:
        rows = [line.split() for line in file if line.strip() and not line.startswith("#")]
    found = []
    for name, version in named:
        source_file, digest = next(row[3:5] for row in rows if row[0] in (name, f"{name}-arm64") and row[1] == version)
        found.append(plain_package(name, version, LICENCES[name], comment=f"checksum of {source_file}",
                                   checksums=[{"algorithm": "SHA256", "checksumValue": digest}]))
    return found


def spdx(root, name):
    epoch = int(os.environ["SOURCE_DATE_EPOCH"])
    created = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    linked = linked_packages(root)
    parts = [holdfast_package(root)] + [debian_package(fields) for fields in packages(root) if fields["Package"] != "holdfast"]
    digest = hashlib.sha256(json.dumps(parts + linked, sort_keys=True).encode()).hexdigest()
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": name,
        "documentNamespace": f"urn:sha256:{digest}",
        "creationInfo": {"created": created, "creators": ["Tool: holdfast-image"]},
        "packages": parts + linked,
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": part["SPDXID"]}
            for part in parts
        ] + [
            {"spdxElementId": "SPDXRef-holdfast", "relationshipType": "STATIC_LINK", "relatedSpdxElement": part["SPDXID"]}
            for part in linked
        ],
    }


def main():
    what, root = sys.argv[1], sys.argv[2]
    if what == "packages":
        for fields in packages(root):
            print(fields["Package"], fields["Version"], fields["Architecture"])
    else:
        json.dump(spdx(root, sys.argv[3]), sys.stdout, indent=1, sort_keys=True)
        print()


main()
