#!/usr/bin/env bash
# A board is one folder: the example of docs/PORTING.md, made in a copy of the tree, is
# configured and its options reach the code. A board's folder has all of its files.
#
#   board.sh SOURCE
set -euo pipefail

source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
faults=0
fault() {
	echo "gate_board: $*" >&2
	faults=$((faults + 1))
}

for board in "$source"/boards/*/*/; do
	board=${board%/}
	name=${board##*/}
	[[ -f $board/Kconfig.board || -f $board/board.yml ]] || continue
	for file in Kconfig.board "${name}_defconfig" board.cmake board.yml README.md; do
		[[ -s $board/$file ]] || fault "${board#"$source"/} has no $file"
	done
	grep -qx "name: $name" "$board/board.yml" || fault "${board#"$source"/}/board.yml has another name"
	for key in title vendor arch port presets; do
		grep -q "^$key: ." "$board/board.yml" || fault "${board#"$source"/}/board.yml has no $key"
	done
done

# The commands of the example up to the build, as they stand there.
mkdir "$work/tree"
tar -C "$source" -cf - CMakeLists.txt Kconfig boards cmake firmware docs/man | tar -C "$work/tree" -xf -
sed -n '/^mkdir -p boards\/acme/,/^```/p' "$source/docs/PORTING.md" | sed '/^```/d;/^cmake /d' >"$work/example"
[[ -s $work/example ]] || fault "docs/PORTING.md has no example"
find "$work/tree" -type f ! -path '*/boards/acme/till/*' -exec cksum {} + | sort >"$work/before"
(cd "$work/tree" && bash ../example) || fault "the example's commands fail"
find "$work/tree" -type f ! -path '*/boards/acme/till/*' -exec cksum {} + | sort >"$work/after"
cmp -s "$work/before" "$work/after" || fault "the example touches more than its folder"
if ! cmake -S "$work/tree" -B "$work/till" -G Ninja -DBOARD=acme/till -DHF_ANY_PROCESSOR=ON \
	-DHF_TESTS=OFF >"$work/log" 2>&1; then
	tail -n 20 "$work/log" >&2
	fault "the example's board is not configured"
elif ! grep -qx '#define CONFIG_HF_CONNECTIONS_MAX 32' "$work/till/generated/holdfast_config.h"; then
	fault "the example's options do not reach the code"
elif grep -q 'CONFIG_HF_SENSOR ' "$work/till/generated/holdfast_config.h"; then
	fault "a board that says nothing of sensors has a port for them"
fi
# For another processor it is refused, with the way out.
if cmake -S "$work/tree" -B "$work/refused" -G Ninja -DBOARD=acme/till -DCMAKE_SYSTEM_NAME=Linux \
	-DCMAKE_SYSTEM_PROCESSOR=mips -DHF_TESTS=OFF >"$work/log" 2>&1; then
	fault "a board of another processor is accepted"
elif ! grep -q 'take the preset' "$work/log"; then
	fault "a board of another processor is refused with: $(tail -n 20 "$work/log")"
fi

((faults == 0)) || exit 1
echo "gate_board: one folder makes a board"
