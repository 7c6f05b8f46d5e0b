#!/usr/bin/env bash
# Prints text and data+bss of archives and programs, one row each.
set -euo pipefail

printf '%-24s %10s %10s %12s\n' "" text data+bss "file bytes"
for file in "$@"; do
	size --format=berkeley "$file" |
		awk -v name="$(basename "$file")" -v bytes="$(stat -c %s "$file")" '
			NR > 1 { text += $1; data += $2 + $3 }
			END { printf "%-24s %10d %10d %12d\n", name, text, data, bytes }'
done
