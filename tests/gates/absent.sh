#!/usr/bin/env bash
# A build without CoAP has nothing of libcoap in its programs.
#
#   absent.sh NM PROGRAM...
set -euo pipefail

nm=$1
shift
for program; do
	[[ -n $("$nm" "$program" 2>/dev/null | head -n 1) ]] || {
		echo "gate_absent: $program has no symbols to look at" >&2
		exit 1
	}
	found=$("$nm" "$program" | grep -E ' [TtWw] (coap_|hf_coap_)' || true)
	if [[ -n $found ]]; then
		echo "gate_absent: built without CoAP, and $program has:" >&2
		head -n 20 <<<"$found" >&2
		exit 1
	fi
	if grep -aq libcoap "$program"; then
		echo "gate_absent: built without CoAP, and $program names libcoap" >&2
		exit 1
	fi
done
echo "gate_absent: nothing of libcoap in $*"
