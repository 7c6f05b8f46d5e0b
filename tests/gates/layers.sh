#!/usr/bin/env bash
# The layer gate. For every row of the table (made from cmake/layers.cmake):
#   - a file that includes a folder outside the row must not compile,
#   - a file that includes a folder of the row must compile,
#   - no include climbs with "..", and no external library is included that
#     the row does not name (its headers may also lie in /usr/include).
#
#   layers.sh COMPILER TABLE FIRMWARE
set -euo pipefail

compiler=$1 table=$2 firmware=$3
faults=0 refused=0 accepted=0

fault() {
	echo "gate_layers: $*" >&2
	faults=$((faults + 1))
}

declare -A library=(
	[sqlite]='sqlite3\.h' [mbedtls]='(mbedtls|psa)/' [libuv]='uv\.h' [libcoap]='coap3/'
	[cjson]='(cjson/)?cJSON\.h' [inih]='ini\.h' [llhttp]='llhttp\.h')
any_library=$(IFS='|' && echo "${library[*]}")

# brings_library FILE ROOT...: an external library comes along with it, at hand or not
brings_library() {
	local file=$1
	shift
	printf '#include "%s"\n' "$file" |
		"$compiler" -std=c11 -M -MG "${@/#/-I}" -include holdfast_config.h -x c - 2>/dev/null |
		grep -qE "(^|[ /])($any_library)"
}

# folders with headers, and one header of each: of those that bring no library, which who
# may include the folder need not have, the one that includes least
declare -A header roots_of
while IFS='|' read -r folder roots _; do
	[[ -z $folder ]] || roots_of[$folder]=$roots
done <"$table"
for dir in "$firmware"/* "$firmware"/port/*; do
	name=${dir#"$firmware"/}
	[[ -d $dir && $name != include && $name != port ]] || continue
	read -ra root_list <<<"${roots_of[$name]:-}"
	while IFS=: read -r file _; do
		header[$name]=$name/${file##*/}
		brings_library "${header[$name]}" "${root_list[@]}" || break
	done < <(find "$dir" -maxdepth 1 -name '*.h' -exec grep -cHE '^#include' {} + | sort -t : -k 2n -k 1)
done
[[ -e $firmware/include/holdfast/port.h ]] && header[holdfast]=holdfast/port.h

compiles() {
	local file=$1 flags=() root
	shift
	for root in "$@"; do
		flags+=(-I "$root")
	done
	printf '#include "%s"\n' "$file" |
		"$compiler" -std=c11 -fsyntax-only "${flags[@]}" -include holdfast_config.h -x c - 2>/tmp/gate_layers.$$
}
trap 'rm -f /tmp/gate_layers.$$' EXIT

while IFS='|' read -r folder roots may ext; do
	[[ -n $folder ]] || continue
	read -ra root_list <<<"$roots"
	for other in "${!header[@]}"; do
		[[ $other == "$folder" ]] && continue
		if [[ " $may " == *" $other "* ]]; then
			compiles "${header[$other]}" "${root_list[@]}" || {
				fault "$folder may include $other, but ${header[$other]} does not compile there:"
				head -n 5 /tmp/gate_layers.$$ >&2
			}
			accepted=$((accepted + 1))
		else
			if compiles "${header[$other]}" "${root_list[@]}"; then
				fault "$folder can include ${header[$other]}, and its row does not name $other"
			fi
			refused=$((refused + 1))
		fi
	done
	for name in "${!library[@]}"; do
		[[ " $ext " == *" $name "* ]] && continue
		while IFS= read -r line; do
			fault "$line: $folder may not use $name"
		done < <(grep -rnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]${library[$name]}" \
			--include='*.[ch]' "$firmware/$folder" || true)
	done
	while IFS= read -r line; do
		fault "$line: include by the folder's name, not by a way up"
	done < <(grep -rnE '^[[:space:]]*#[[:space:]]*include.*\.\./' --include='*.[ch]' \
		"$firmware/$folder" || true)
done <"$table"

if ((faults)); then
	echo "gate_layers: $faults faults; the rows are in cmake/layers.cmake" >&2
	exit 1
fi
echo "gate_layers: $refused wrong includes refused, $accepted right ones compile"
