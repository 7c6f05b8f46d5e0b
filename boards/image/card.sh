# shellcheck shell=bash
# The card: a FAT partition to start from, a read-only root, and data; no loop device, no clock, no chance.

boot_mib=128 data_mib=64
fat_id=48464254 data_uuid=48464441-7461-4000-8000-000000000001

# card_boot FOLDER ROOT: what stands on the FAT partition
card_boot() {
	local folder=$1 root=$2 dtbs
	rm -rf "$folder"
	mkdir -p "$folder"
	cp "$root/boot/vmlinuz" "$root/boot/initrd.img" "$folder/"
	cp "$image"/boot/* "$folder/"
	sed -i "s/@DISK@/$disk_id/" "$folder/cmdline.txt"
	sed -i 's/$/\r/' "$folder/README.txt" "$folder/holdfast.conf"
	if [[ -d $root/usr/lib/raspi-firmware ]]; then
		dtbs=$(echo "$root"/usr/lib/linux-image-*/broadcom)
		cp "$root"/usr/lib/raspi-firmware/{bootcode.bin,start*.elf,fixup*.dat} "$dtbs"/*.dtb "$folder/"
		rm -f "$folder"/{start,fixup}*{db,cd,_x,4x}.*
		mkdir "$folder/overlays"
		cp "$root"/usr/lib/raspi-firmware/overlays/*.dtbo "$folder/overlays/" 2>/dev/null || true
	else
		rm "$folder/config.txt"
	fi
	find "$folder" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
}

# card_fat FILE FOLDER
card_fat() {
	local file=$1 folder=$2 name
	rm -f "$file"
	truncate -s ${boot_mib}M "$file"
	mkfs.vfat --invariant -F 32 -i "$fat_id" -n HOLDFAST "$file"
	(
		cd "$folder"
		export TZ=UTC MTOOLS_SKIP_CHECK=1
		find . -mindepth 1 -maxdepth 1 -printf '%f\n' | LC_ALL=C sort | while IFS= read -r name; do
			mcopy -spmQ -i "$file" "$name" ::
		done
	)
}

# card_root FILE FOLDER
card_root() {
	rm -f "$1"
	# the time of all comes from SOURCE_DATE_EPOCH
	mksquashfs "$2" "$1" -comp zstd -Xcompression-level 15 -b 256K -noappend -no-progress -quiet -exit-on-error \
		-e boot/vmlinuz boot/initrd.img
}

# card_data FILE: empty; its folders are made at the first start
card_data() {
	rm -f "$1"
	E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH mke2fs -q -t ext4 -b 4096 -m 1 -L holdfast-data -U "$data_uuid" \
		-E "hash_seed=$data_uuid,lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0" \
		-O metadata_csum,64bit,^orphan_file -J size=8 "$1" ${data_mib}M
}

# card FILE BOOT ROOT DATA: the partitions one behind the other
card() {
	local file=$1 part start=8192 table="" offset=() types=(c 83 83) sectors i=0
	shift
	for part in "$@"; do
		sectors=$((($(stat -c %s "$part") + 1048575) / 1048576 * 2048))
		table+="start=$start, size=$sectors, type=${types[i]}$([[ $i != 0 ]] || echo ', bootable')"$'\n'
		offset+=("$start")
		start=$((start + sectors))
		i=$((i + 1))
	done
	rm -f "$file"
	truncate -s $((start * 512)) "$file"
	printf 'label: dos\nlabel-id: 0x%s\nunit: sectors\n%s' "$disk_id" "$table" | sfdisk --quiet --no-reread --no-tell-kernel "$file"
	i=0
	for part in "$@"; do
		dd if="$part" of="$file" bs=1M seek=$((offset[i] / 2048)) conv=notrunc,sparse status=none
		i=$((i + 1))
	done
}
