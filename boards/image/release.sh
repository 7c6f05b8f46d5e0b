# shellcheck shell=bash
# The release: the image compressed, and what tells of it.

# release NAME ROOT
release() {
	local name=$1 root=$2
	bmaptool create -o "$name.bmap" "$name.img" 2>/dev/null
	# the root is compressed already: more effort gains nothing
	xz -T0 -2 --block-size=16MiB -k -f "$name.img"
	python3 "$image/sbom.py" packages "$root" >"$name.packages"
	python3 "$image/sbom.py" spdx "$root" "$(basename "$name")" >"$name.spdx.json"
	(cd "$(dirname "$name")" && sha256sum "$(basename "$name").img.xz" >"$(basename "$name").img.xz.sha256")
}
