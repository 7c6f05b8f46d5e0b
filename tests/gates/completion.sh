#!/usr/bin/env bash
# What bash makes of the completion script.
#
#   completion.sh SCRIPT BIN_DIR
set -euo pipefail

export PATH=$2:$PATH
# shellcheck disable=SC1090
source "$1"
failed=0

# expect WORDS...: the last argument is what must be offered, in a line
expect() {
	local want=${!#}
	COMP_WORDS=("${@:1:$#-1}")
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	COMP_LINE="${COMP_WORDS[*]}"
	_holdfast
	[[ ${COMPREPLY[*]} == "$want" ]] || {
		echo "${COMP_LINE}: offered '${COMPREPLY[*]}', not '$want'"
		failed=1
	}
}

expect holdfast qu queue
expect holdfast queue '' "list show retry cancel export"
expect holdfast lanes --sta --state
expect holdfast queue list --state c cancelled
expect holdfast --json sto store
expect holdfast queue show '' ''
exit $failed
