# shellcheck shell=bash
# The mirror: where this machine's own apt has Debian from, asked for another suite.

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# mirror_of LABEL: its address, as Debian or Debian-Security
mirror_of() {
	apt-get indextargets --format '$(LABEL) $(REPO_URI)' |
		awk -v label="$1" '$1 == label { print $2; exit }'
}

# mirror_lines SUITE: lines of a sources.list
mirror_lines() {
	local suite=$1 debian security options="[signed-by=$keyring]" components="main non-free-firmware"
	debian=$(mirror_of Debian)
	security=$(mirror_of Debian-Security)
	[[ -n $debian ]] || die "this machine's apt has no Debian mirror"
	echo "deb $options $debian $suite $components"
	echo "deb $options $debian $suite-updates $components"
	[[ -z $security ]] || echo "deb $options $security $suite-security $components"
}
