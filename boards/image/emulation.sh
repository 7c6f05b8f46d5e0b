# shellcheck shell=bash
# The emulation: this machine's kernel runs arm64 programs by qemu-user.

emulation_start() {
	local folder=/proc/sys/fs/binfmt_misc
	[[ $(uname -m) != aarch64 ]] || return 0
	[[ -e $folder/register ]] || mount -t binfmt_misc binfmt_misc "$folder"
	[[ -e $folder/qemu-aarch64 ]] || cat /usr/lib/binfmt.d/qemu-aarch64.conf >"$folder/register"
	grep -q enabled "$folder/qemu-aarch64" || die "the kernel does not run arm64 programs by qemu-user"
}
