#!/usr/bin/env bash
# What the package brings beside the programs fits them: its default settings and its
# example are taken by the daemon, its unit by systemd, its numbers agree.
#
#   package.sh SOURCE HOLDFASTD
set -euo pipefail

source=$1 holdfastd=$2
service=$source/firmware/port/linux/service
package=$source/cmake/package
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
faults=0
fault() {
	echo "gate_package: $*" >&2
	faults=$((faults + 1))
}

# The settings as they are installed, with folders and a port that are free here; then
# with the worker that stands there as a comment and the example as its manifest.
sed -e "s#/run/holdfast#$work/run#; s#/var/lib/holdfast#$work/lib#; s#127.0.0.1:8480#127.0.0.1:0#" \
	"$service/holdfast.conf" >"$work/holdfast.conf"
"$holdfastd" --config "$work/holdfast.conf" --check || fault "the default settings are refused"
sed -i 's/^;//' "$work/holdfast.conf"
cp "$service/kiosk.worker.json" "$work/app.worker.json"
"$holdfastd" --config "$work/holdfast.conf" --check || fault "the example manifest is refused"

version=$(sed -n 's/^#define HOLDFAST_VERSION "\(.*\)"/\1/p' "$source/firmware/include/holdfast/agent.h")
grep -q "^holdfast ($version)" "$package/changelog" || fault "the changelog does not begin with version $version"
for script in postinst prerm postrm; do
	sh -n "$package/$script" || fault "$script has a fault"
done
# The unit, the user and the folder are those that the settings and the scripts mean.
grep -q '^StateDirectory=holdfast$' "$service/holdfast.service" || fault "the unit's state folder"
grep -q '^u holdfast ' "$service/holdfast.sysusers" || fault "the user"
grep -q '^d /var/lib/holdfast 0750 holdfast holdfast' "$service/holdfast.tmpfiles" || fault "the folder"

if command -v systemd-analyze >/dev/null; then
	sed "s#^ExecStart=/usr/sbin/holdfastd#ExecStart=$holdfastd#" "$service/holdfast.service" >"$work/holdfast.service"
	systemd-analyze verify --man=no "$work/holdfast.service" >"$work/verify" 2>&1 || fault "systemd-analyze verify"
	if grep "holdfast.service" "$work/verify" >&2; then
		fault "systemd-analyze verify has something to say"
	fi
	# how much is left open, of 100; older ones only look at units that are loaded
	if systemd-analyze --help | grep -q -- --threshold; then
		systemd-analyze security --offline=true --threshold=20 --no-pager "$work/holdfast.service" \
			>"$work/security" 2>&1 || fault "the sandbox: $(tail -n 1 "$work/security")"
	fi
fi

((faults == 0)) || exit 1
echo "gate_package: settings, example, unit and scripts fit"
