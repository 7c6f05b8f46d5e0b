#!/usr/bin/env bash
# Fetches the files of lock.txt into the cache, each checked by its SHA-256.
#
#   fetch.sh LIBRARY...      prints the path of each library's file
#
# A file is looked for in the cache first. On a miss a private apt root is
# made from the Debian mirror this machine is already set up with (its
# signatures are checked with the installed archive keyring), the indexes of
# the suites are searched for the hash, and the file is downloaded by apt.
# The system's own apt state is neither read beyond its mirror nor changed.
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${HF_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/holdfast}
common_suites="trixie-security,trixie,trixie-backports,forky,sid"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say() { echo "deps: $*" >&2; }
die() { echo "deps: error: $*" >&2; exit 1; }

# The Debian site for a suite, from the machine's own configuration: from its
# indexes if it has any, else from the addresses it would fetch them from.
# shellcheck disable=SC2016
site_of() {
	local suite=$1 label=Debian site
	[[ $suite == *-security ]] && label=Debian-Security
	site=$(apt-get indextargets --format '$(SITE) $(LABEL)' 2>/dev/null |
		awk -v l="$label" '$2 == l && !hit { print $1; hit = 1 }')
	if [[ -z $site ]]; then
		site=$(apt-get --print-uris update 2>/dev/null |
			awk -F "'" -v security="$([[ $label == Debian ]] || echo 1)" '
				{ sub(/\/dists\/.*/, "", $2) }
				!hit && (security ? $2 ~ /debian-security$/ : $2 ~ /debian$/) {
					print $2; hit = 1 }')
	fi
	[[ -n $site ]] || return 1
	echo "${site%/}"
}

# Refreshes the index of one suite and kind; prints the folder of its lists.
index_of() {
	local suite=$1 kind=$2 root site line arch=amd64
	root=$cache/apt/$suite-${kind/:/-}
	site=$(site_of "$suite") || {
		say "this machine has no Debian mirror for $suite in its apt sources"
		return 1
	}
	if [[ -n $(find "$root/done" -mmin -60 2>/dev/null) ]]; then
		echo "$root"
		return 0
	fi
	if [[ $kind == source ]]; then
		line="deb-src [signed-by=$keyring] $site $suite main"
	else
		arch=${kind#deb:}
		line="deb [arch=$arch signed-by=$keyring] $site $suite main"
	fi
	mkdir -p "$root"/etc/{apt.conf.d,preferences.d,sources.list.d} \
		"$root"/state/lists/partial "$root"/cache/archives/partial
	: >"$root/state/status"
	echo "$line" >"$root/etc/sources.list"
	cat >"$root/apt.conf" <<-CONF
		Dir::Etc "$root/etc";
		Dir::State "$root/state";
		Dir::State::status "$root/state/status";
		Dir::Cache "$root/cache";
		APT::Architecture "$arch";
		APT::Architectures { "$arch"; };
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Acquire::GzipIndexes "true";
		Acquire::Check-Valid-Until "false";
		Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
		Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
	CONF
	say "reading the index of $suite ($kind)"
	APT_CONFIG=$root/apt.conf apt-get -q -q update >"$root/log" 2>&1 || {
		say "no index of $suite ($kind) at $site: $(tail -n 1 "$root/log")"
		return 1
	}
	touch "$root/done"
	echo "$root"
}

# Prints "PATH" of the file with this hash, relative to the site.
find_in_index() {
	local root=$1 kind=$2 sha=$3 list
	for list in "$root"/state/lists/*_{Sources,Packages}*; do
		[[ -e $list ]] || continue
		if [[ $kind == source ]]; then
			/usr/lib/apt/apt-helper cat-file "$list" | awk -v sha="$sha" '
				/^$/ { if (hit) { print dir "/" hit; exit } dir = ""; hit = "" }
				/^Directory: / { dir = $2 }
				$1 == sha { hit = $3 }
				END { if (hit) print dir "/" hit }' | head -n 1
		else
			/usr/lib/apt/apt-helper cat-file "$list" | awk -v sha="$sha" '
				/^Filename: / { name = $2 }
				/^SHA256: / && $2 == sha { print name; exit }'
		fi
	done
}

hash_ok() { [[ -f $1 && $(sha256sum <"$1") == "$2"* ]]; }

fetch_row() {
	local lib=$1 kind=$2 file=$3 sha=$4 suites=$5 dest suite root site path asked=""
	dest=$cache/files/$sha/$file
	if hash_ok "$dest" "$sha"; then
		echo "$dest"
		return 0
	fi
	for suite in ${suites//,/ } ${common_suites//,/ }; do
		[[ " $asked " == *" $suite "* ]] && continue
		asked+=" $suite"
		root=$(index_of "$suite" "$kind") || continue
		path=$(find_in_index "$root" "$kind" "$sha")
		[[ -n $path ]] || continue
		site=$(site_of "$suite")
		say "fetching $file from $suite"
		mkdir -p "$(dirname "$dest")"
		rm -f "$dest.part"
		if APT_CONFIG=$root/apt.conf /usr/lib/apt/apt-helper -q -q download-file \
			"$site/$path" "$dest.part" "SHA256:$sha" >"$root/log" 2>&1 &&
			hash_ok "$dest.part" "$sha"; then
			mv "$dest.part" "$dest"
			echo "$dest"
			return 0
		fi
		say "$file: download from $suite failed: $(tail -n 1 "$root/log")"
	done
	say "$lib: $file (SHA-256 $sha) is not in:${asked:- (none)}"
	say "$lib: to place it by hand, put that file at $dest"
	return 1
}

fetch() {
	local lib=$1 name _version kind file sha suites found=0
	while read -r name _version kind file sha suites; do
		[[ $name == "$lib" ]] || continue
		found=1
		fetch_row "$lib" "$kind" "$file" "$sha" "$suites" && return 0
	done < <(grep -v '^#' "$here/lock.txt")
	((found)) || die "$lib: no row in $here/lock.txt; add one"
	die "$lib: no pinned file could be had; see the lines above"
}

mkdir -p "$cache/files"
exec 9>"$cache/fetch.lock"
flock 9
for lib in "$@"; do
	fetch "$lib"
done
