#!/usr/bin/env bash
# Every key of holdfast.conf and every member of the manifest stands in the docs.
#
#   configuration.sh SOURCE
set -euo pipefail

source=$1
doc=$source/docs/CONFIGURATION.md
failed=0
found=0

# The words of the arrays whose names end in "keys".
words() {
	sed -n '/keys\[[A-Z]*\] = {/,/}/p' "$@" | grep -o '"[A-Za-z-]*"' | tr -d '"' | sort -u
}

while read -r word; do
	found=$((found + 1))
	if ! grep -qF -- "\`$word\`" "$doc"; then
		echo "docs/CONFIGURATION.md does not explain \"$word\""
		failed=1
	fi
done < <(words "$source/firmware/agent/settings_conf.c" "$source/firmware/worker/manifest.c" \
	"$source/firmware/worker/manifest_route.c" "$source/firmware/worker/condition.c" \
	"$source/firmware/worker/queue_policy.c" "$source/firmware/worker/manifest_sync.c" \
	"$source/firmware/worker/manifest_periodic.c")

if [ "$found" -lt 40 ]; then
	echo "only $found words were found in the code"
	failed=1
fi
exit $failed
