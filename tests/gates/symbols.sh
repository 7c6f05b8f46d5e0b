#!/usr/bin/env bash
# The symbol gate: what the merged core takes from outside must be in the
# allow-list, so that time, network, disk and randomness come from the port.
#
#   symbols.sh NM ALLOW ARCHIVE...
set -euo pipefail

nm=$1 allow=$2
shift 2

wanted=$("$nm" --print-file-name "$@" | awk '
	{ sub(/^[^:]*\//, "") }
	NF >= 2 && $(NF - 1) ~ /^[Uuw]$/ { used[$NF] = used[$NF] " " $1; next }
	NF >= 3 { defined[$NF] = 1 }
	END { for (s in used) if (!(s in defined)) print s, used[s] }' | sort)

patterns=$(grep -vE '^(#|[[:space:]]*$)' "$allow")
faults=$(grep -vE "^($(paste -sd '|' <<<"$patterns")) " <<<"$wanted" || true)

if [[ -n $faults ]]; then
	while read -r symbol users; do
		echo "gate_symbols: $symbol is not in tests/gates/symbols.allow; used by: $users" >&2
	done <<<"$faults"
	echo "gate_symbols: the core reaches the world through struct hf_port only" >&2
	exit 1
fi
echo "gate_symbols: $(wc -l <<<"$wanted") symbols from outside, all allowed"
