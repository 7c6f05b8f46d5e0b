# shellcheck shell=bash
# The root: Debian's packages, unpacked natively and configured under emulation.

# Programs of maintainer scripts that take long under emulation and are run once at the end, or not at all.
later=(update-initramfs depmod linux-run-hooks linux-update-symlinks systemd-hwdb journalctl systemctl ssh-keygen
	deb-systemd-invoke udevadm update-mime-database update-ca-certificates ldconfig fc-cache)

# root_packages LIST...: their names
root_packages() { sed 's/#.*//' "${@/#/$image/packages/}" | xargs; }

# root_extract FOLDER LIST...
root_extract() {
	local folder=$1 lines
	shift
	mapfile -t lines < <(mirror_lines "$suite")
	mmdebstrap --mode=root --variant=extract --architectures=arm64 --format=directory \
		--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
		--skip=cleanup/apt,cleanup/reproducible --include='?essential' --include="$(root_packages "$@" | tr ' ' ',')" \
		"$suite" "$folder" "${lines[@]}"
}

# root_stand_in FOLDER: programs that do nothing, in the place of those
root_stand_in() {
	local name
	mkdir "$1/stand-in"
	for name in "${later[@]}"; do
		printf '#!/bin/sh\nexit 0\n' >"$1/stand-in/$name"
		chmod 755 "$1/stand-in/$name"
	done
}

# root_unpack FOLDER: tells dpkg of what is there, without manuals and translations
root_unpack() {
	local folder=$1
	cat >"$folder/etc/dpkg/dpkg.cfg.d/panel" <<-TEXT
		path-exclude=/usr/share/man/*
		path-exclude=/usr/share/info/*
		path-exclude=/usr/share/locale/*
		path-exclude=/usr/share/doc/*
		path-include=/usr/share/doc/*/copyright
		path-exclude=/usr/share/bash-completion/*
		path-exclude=/usr/share/lintian/*
	TEXT
	rm -rf "$folder"/usr/share/{man,info,locale,lintian,bash-completion} "$folder"/usr/share/doc/*
	: >"$folder/var/lib/dpkg/available"
	printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"
	chmod 755 "$folder/usr/sbin/policy-rc.d"
	sed 's/^path-/--path-/' "$folder/etc/dpkg/dpkg.cfg.d/panel" |
		PATH=/stand-in:$PATH xargs -d '\n' sh -c 'exec dpkg --root="$0" --force-depends,overwrite,unsafe-io "$@" \
			--unpack "$0"/var/cache/apt/archives/*.deb' "$folder"
}

# root_chroot FOLDER COMMAND...
root_chroot() {
	local folder=$1
	shift
	env -i PATH=/stand-in:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TZ=UTC \
		DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true \
		SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" chroot "$folder" "$@"
}

# root_configure FOLDER
root_configure() {
	local folder=$1
	mount -t proc proc "$folder/proc"
	mount --bind /dev "$folder/dev"
	root_chroot "$folder" dpkg --force-unsafe-io --force-confnew --configure -a
	cp "$folder/var/log/dpkg.log" "$work/"
	rm -r "$folder/stand-in"
}

# root_authorities FOLDER: Debian's, in the one file that everybody reads
root_authorities() {
	local folder=$1
	mkdir -p "$folder/etc/ssl/certs"
	sed -n 's/^[^#!]/&/p' "$folder/etc/ca-certificates.conf" | sort |
		sed "s|^|$folder/usr/share/ca-certificates/|" | xargs -d '\n' cat >"$folder/etc/ssl/certs/ca-certificates.crt"
}

# root_tree FOLDER NAME: a tree of files over it, with the disk's id
root_tree() {
	local folder=$1 name=$2 file
	cp -rT --no-dereference --preserve=mode --remove-destination "$image/$name" "$folder"
	(cd "$image/$name" && find . -type f -print0) | while IFS= read -r -d '' file; do
		! grep -q '@DISK@' "$folder/$file" || sed -i "s/@DISK@/$disk_id/g" "$folder/$file"
	done
}

# root_finish FOLDER UNIT...: users, what starts, the initial RAM disk
root_finish() {
	local folder=$1 kernel unit
	shift
	kernel=$(basename "$folder"/usr/lib/modules/*)
	root_chroot "$folder" systemd-sysusers
	for unit in "$@"; do
		systemctl --root="$folder" enable "$unit"
	done
	systemctl --root="$folder" set-default multi-user.target
	ln -sf /run/systemd/resolve/stub-resolv.conf "$folder/etc/resolv.conf"
	ln -sf /run/holdfast-panel/localtime "$folder/etc/localtime"
	rm -rf "$folder/etc/iwd" "$folder/etc/timezone"
	ln -s /run/holdfast-panel/iwd "$folder/etc/iwd"
	mkdir -p "$folder/data" "$folder/boot/firmware"
	root_chroot "$folder" ldconfig
	# it keeps the names of its sources: from a place that is the same for each build
	mount --bind "$folder" /mnt
	systemd-hwdb --root=/mnt --usr update
	umount /mnt
	depmod -b "$folder" "$kernel"
	root_chroot "$folder" mkinitramfs -o /boot/initrd.img "$kernel"
	mv "$folder"/boot/vmlinuz-* "$folder/boot/vmlinuz"
	touch -d "@$SOURCE_DATE_EPOCH" "$folder/usr/lib/clock-epoch" "$folder/etc/.updated" "$folder/var/.updated"
	: >"$folder/etc/machine-id" # empty: another one at each start, and no first start that would write presets
	echo panel >"$folder/etc/hostname"
	# what these left: old versions, and what another build would have otherwise
	rm -rf "$folder"/etc/*- "$folder/etc/.pwd.lock" "$folder/var/cache/ldconfig" "$folder/var/lib/dbus/machine-id"
	umount "$folder/proc" "$folder/dev"
}
