# SPDX-License-Identifier: Apache-2.0
# Completion of holdfast(1) for bash. The command itself says what may come next:
# commands, options, and lanes, ids and tags of the daemon that runs.
_holdfast() {
	local cur line words=() i n=0
	# words as they were typed, before "=" and ":" cut them
	for ((i = 1; i <= COMP_CWORD; i++)); do
		if ((i > 1)) && [[ ${COMP_WORDS[i]} == [=:]* || ${COMP_WORDS[i - 1]} == *[=:] ]] &&
			[[ ${COMP_LINE} == *"${COMP_WORDS[i - 1]}${COMP_WORDS[i]}"* ]]; then
			words[n - 1]+=${COMP_WORDS[i]}
		else
			words[n++]=${COMP_WORDS[i]}
		fi
	done
	cur=${words[n - 1]}
	COMPREPLY=()
	if ((n > 1)) && [[ ${words[n - 2]} == --socket ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
	fi
	while IFS= read -r line; do
		# bash replaces what stands behind the last of these
		[[ $cur == *:* && $COMP_WORDBREAKS == *:* ]] && line=${line#"${cur%:*}":}
		COMPREPLY+=("$(printf '%q' "$line")")
	done < <("${COMP_WORDS[0]}" complete -- "${words[@]}" 2>/dev/null)
}
complete -F _holdfast holdfast
