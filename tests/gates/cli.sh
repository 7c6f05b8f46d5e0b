#!/usr/bin/env bash
# What holdfast, holdfastd and holdfast.conf know stands in their man pages and is
# completed, and nothing else does.
#
#   cli.sh SOURCE HOLDFAST
set -euo pipefail

source=$1
holdfast=$2
man=$source/docs/man
failed=0

# both WHAT FILE FILE: the lists must be the same
both() {
	[[ -s $2 ]] || { echo "$1: nothing was found"; failed=1; }
	diff "$2" "$3" >"$work/diff" && return
	sed -n -e "s/^< /$1: in the code only: /p" -e "s/^> /$1: in the man page only: /p" "$work/diff"
	failed=1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# "queue list --state": each command alone and with each of its options
"$holdfast" help | sed -n '/^$/,/^$/s/^  \([a-z]\+\( [a-z]\+\)\?\).*/\1/p' | sed 's/ *$//' | sort -u >"$work/commands"
while read -r command; do
	echo "$command"
	# shellcheck disable=SC2086
	"$holdfast" help $command | sed -n 's/^  \(--[a-z-]*\).*/\1/p' | grep -vxE -e '--(socket|json|help)' |
		sed "s/^/$command /" || true
done < <(grep -vx help "$work/commands") | sort >"$work/code"
sed -n 's/^\.It Ic //p' "$man/holdfast.1" | grep -v '^help' |
	awk '{ name = $1; i = 2; if ($2 ~ /^[a-z]+$/) { name = name " " $2; i = 3 }
		print name; for (; i <= NF; i++) if ($i == "Fl") print name " -" $(i + 1) }' |
	sort >"$work/man"
both holdfast "$work/code" "$work/man"

# the same by completion
: >"$work/completed"
while read -r command; do
	read -ra words <<<"$command"
	"$holdfast" complete -- "${words[@]}" | grep -qxF -e "${words[-1]}" || {
		echo "holdfast $command: is not completed"
		failed=1
	}
	"$holdfast" complete -- "${words[@]}" -- >"$work/offered"
	grep -vxE -e '--(socket|json|help)' "$work/offered" | sed "s/^/$command /" >>"$work/completed" || true
done < <(grep -vx help "$work/commands")
grep -e ' --' "$work/code" >"$work/options"
sort -o "$work/completed" "$work/completed"
both completion "$work/options" "$work/completed"

# holdfastd
sed -n 's/^[[:space:]]*{ "\([a-z-]*\)", .*_argument.*/--\1/p' "$source/firmware/port/linux/main.c" | sort -u >"$work/code"
sed -n 's/^\.It Fl \(-[a-z-]*\).*/-\1/p' "$man/holdfastd.8" | sort -u >"$work/man"
both holdfastd "$work/code" "$work/man"

# holdfast.conf: "agent listen"
sed -n '/^static const char \*const [a-z]*_keys\[\] = {/,/};/p' "$source/firmware/agent/settings_conf.c" |
	awk '{ if (match($0, /[a-z]+_keys/)) section = substr($0, RSTART, RLENGTH - 5)
		while (match($0, /"[a-z-]+"/)) { print section " " substr($0, RSTART + 1, RLENGTH - 2)
			$0 = substr($0, RSTART + RLENGTH) } }' | sort >"$work/code"
awk '/^\.Ss \[/ { section = $2; gsub(/[][]/, "", section) }
	/^\.It Cm / && section { for (i = 3; i <= NF; i++) if ($i != ",") print section " " $i }' \
	"$man/holdfast.conf.5" | sort >"$work/man"
both holdfast.conf "$work/code" "$work/man"

exit $failed
