#!/usr/bin/env bash
# Installs the packages of build/package into fresh Debian roots, with systemd as init,
# and looks how they live: cmake/package/prove_inside.sh says what has to hold.
#
#   prove.sh SUITE-ARCH...      bookworm-amd64 trixie-arm64 ...
#
# Root is needed, nothing else: systemd-nspawn is the machine. A foreign ARCH runs under
# qemu-user, where systemd does not: there the unit's command is started in a chroot. Roots are made by mmdebstrap from the Debian mirror of this machine's apt,
# kept for a week in the cache, and used as copies.
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
cache=${HF_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/holdfast}/roots
own=$(dpkg --print-architecture)
work=$(mktemp -d /var/tmp/holdfast-prove.XXXXXX)
registered=()
finish() {
	local name
	for name in "${registered[@]}"; do
		echo -1 >"$name"
	done
	rm -rf "$work"
}
trap finish EXIT

# shellcheck source=boards/image/mirror.sh
. "$top/boards/image/mirror.sh"

say() { printf 'prove: %s\n' "$*"; }
die() { echo "prove: error: $*" >&2; exit 1; }

# Programs of @1 run by way of qemu-user, under a name of our own and until we end.
binfmt=/proc/sys/fs/binfmt_misc
emulate() {
	local arch=$1 name line
	[[ ! -e $binfmt/holdfast-$arch ]] || return 0
	case $arch in
	arm64) name=qemu-aarch64 ;;
	armhf) name=qemu-arm ;;
	*) die "no emulator for $arch" ;;
	esac
	[[ -e $binfmt/register ]] || mount -t binfmt_misc binfmt_misc $binfmt
	line=$(cat /usr/lib/binfmt.d/$name{,-static}.conf 2>/dev/null | grep "^:$name:") || true
	[[ -n $line ]] || die "qemu-user says nothing of $arch in /usr/lib/binfmt.d"
	printf '%s' ":holdfast-$arch:${line#:"$name":}" >$binfmt/register
	registered+=("$binfmt/holdfast-$arch")
	arch-test "$arch" >/dev/null || die "programs of $arch do not run here"
}

# The root of SUITE ARCH as an archive; prints its path.
root_of() {
	local suite=$1 arch=$2 file=$cache/$1-$2.tar site
	if [[ -z $(find "$file" -mtime -7 2>/dev/null) ]]; then
		site=$(mirror_of Debian)
		[[ -n $site ]] || die "this machine's apt has no Debian mirror"
		mkdir -p "$cache"
		mmdebstrap --format=tar --variant=minbase --arch="$arch" --include=systemd-sysv,dbus \
			"$suite" "$file.part" "deb ${site%/} $suite main" >"$work/mmdebstrap.log" 2>&1 || {
			tail -n 20 "$work/mmdebstrap.log" >&2
			die "no root of $suite for $arch"
		}
		mv "$file.part" "$file"
	fi
	echo "$file"
}

# later DEB OUT: the same files under a later version
later() {
	local deb=$1 out=$2
	rm -rf "$work/later"
	dpkg-deb -R "$deb" "$work/later"
	sed -i 's/^Version: \(.*\)/Version: \1+later/' "$work/later/DEBIAN/control"
	dpkg-deb --root-owner-group -Zgzip -b "$work/later" "$out" >/dev/null
}

# The machine: systemd boots, or a chroot with processes and a loopback of its own.
run_in() {
	local root=$1
	if [[ ! -e $root/proof/emulated ]]; then
		SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 timeout 900 systemd-nspawn --quiet -D "$root" --boot --register=no \
			--keep-unit --private-network --link-journal=no --console=pipe \
			--system-call-filter="landlock_create_ruleset landlock_add_rule landlock_restrict_self"
		return
	fi
	# shellcheck disable=SC2016
	timeout 900 unshare --mount --net --pid --fork --kill-child bash -c 'ip link set lo up
		mount -t proc proc "$1/proc" && mount --bind /dev "$1/dev"
		chroot "$1" /bin/bash /proof/run >"$1/proof/log" 2>&1' bash "$root"
}

# Inside systemd runs one unit that runs the proof and switches off.
prepare() {
	local root=$1 deb=$2 arch=$3
	mkdir "$root/proof"
	cp "$deb" "$root/proof/now.deb"
	later "$deb" "$root/proof/later.deb"
	cp "$here/prove_inside.sh" "$root/proof/run"
	[[ $arch == "$own" ]] || touch "$root/proof/emulated"
	cat >"$root/etc/systemd/system/proof.service" <<-UNIT
		[Service]
		Type=oneshot
		StandardOutput=file:/proof/log
		StandardError=inherit
		ExecStart=/bin/bash /proof/run
		ExecStopPost=/bin/systemctl poweroff --no-block
		TimeoutStartSec=900
		[Install]
		WantedBy=multi-user.target
	UNIT
	mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
	ln -s /etc/systemd/system/proof.service "$root/etc/systemd/system/multi-user.target.wants/"
	rm -f "$root/etc/machine-id"
}

prove() {
	local suite=${1%-*} arch=${1##*-} begin=$SECONDS tar root=$work/$1 deb
	deb=$(echo "$top"/build/package/holdfast_*_"$arch".deb)
	[[ -f $deb ]] || die "no package for $arch; ./dev package $arch makes it"
	[[ $arch == "$own" ]] || emulate "$arch"
	tar=$(root_of "$suite" "$arch") || exit 1
	say "$1: root after $((SECONDS - begin)) s"
	mkdir "$root"
	tar -x -C "$root" -f "$tar"
	prepare "$root" "$deb" "$arch"
	run_in "$root" </dev/null >"$work/console" 2>&1 || true
	sed "s/^/$1: /" "$root/proof/log" || tail -n 30 "$work/console"
	if [[ ! -f $root/proof/holds ]]; then
		tail -n 20 "$work/console" >&2
		die "$1: the proof did not come to its end"
	fi
	say "$1: holds, $((SECONDS - begin)) s"
	rm -rf "$root"
}

((EUID == 0)) || die "run it as root: systemd-nspawn needs that"
for one; do
	prove "$one"
done
