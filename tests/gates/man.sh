#!/usr/bin/env bash
# The man pages have no fault. Exit code 77: nothing here can tell.
#
#   man.sh FOLDER
set -euo pipefail

cd "$1"
if command -v mandoc >/dev/null; then
	mandoc -T lint -W warning ./*.[1-8]
elif command -v groff >/dev/null && [[ -e $(compgen -G '/usr/share/groff/*/tmac/mdoc.tmac' | head -n 1) ]]; then
	said=$(for page in *.[1-8]; do groff -mdoc -Tutf8 -ww "$page" 2>&1 >/dev/null; done)
	[[ -z $said ]] || { echo "$said"; exit 1; }
else
	echo "skipped: there is neither mandoc nor groff with mdoc"
	exit 77
fi
