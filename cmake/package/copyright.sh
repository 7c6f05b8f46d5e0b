#!/usr/bin/env bash
# Prints the package's copyright file: our licence, and for every library that is
# linked in statically what its own pinned source says.
#
#   copyright.sh LIBRARY...        as in cmake/deps/lock.txt, and musl-ARCH
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# text_of FILE MEMBER-PATTERN: the first such file of an archive
text_of() {
	rm -rf "$work/x"
	mkdir "$work/x"
	case $1 in
	*.deb) dpkg-deb --fsys-tarfile "$1" | tar -x -C "$work/x" --wildcards "$2" ;;
	*) tar -x -C "$work/x" -f "$1" --wildcards "$2" ;;
	esac
	find "$work/x" -type f -print0 | sort -z | head -z -n 1 | xargs -0 cat
}

version_of() { awk -v l="$1" -v f="$(basename "$2")" '$1 == l && $4 == f { print $2 }' "$here/../deps/lock.txt"; }

section() {
	local library=$1 file
	file=$("$here/../deps/fetch.sh" "$library")
	printf '\n%s\n%s %s\n\n' "$(printf '%.0s-' {1..78})" "${library%-a*}" "$(version_of "$library" "$file")"
	case $library in
	mbedtls)
		cat <<-TEXT
			Copyright The Mbed TLS Contributors. It may be had under the Apache License 2.0 or
			the GNU General Public License, version 2 or later; here it is under the first:
			/usr/share/common-licenses/Apache-2.0.
		TEXT
		;;
	sqlite) echo "In the public domain: its authors disclaim copyright." ;;
	libcoap) text_of "$file" '*/LICENSE' | sed '/^======/,$d' ;;
	libuv) text_of "$file" '*/LICENSE' ;;
	llhttp) text_of "$file" '*/copyright' ;;
	musl-*) text_of "$file" '*/copyright' ;;
	*) text_of "$file" '*/LICENSE*' ;;
	esac
}

cat <<'TEXT'
Holdfast

Copyright the Holdfast maintainers.

Licensed under the Apache License, Version 2.0; on Debian systems its text is
/usr/share/common-licenses/Apache-2.0.

The programs are linked statically. They contain the libraries below under the
licences that their own sources state, and parts of GCC's libgcc, which is under the
GNU General Public License, version 3 or later (/usr/share/common-licenses/GPL-3),
with the GCC Runtime Library Exception, version 3.1, which lets them be combined with
programs under any terms.
TEXT
for library in "$@"; do
	section "$library"
done
