#!/usr/bin/env bash
# Faults in a fragment stop the configuration with FILE:LINE and a reason.
#
#   kconfig.sh SOURCE
set -euo pipefail

source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$source"
export BOARD=native/host_linux srctree=$source

configure() {
	printf '%s\n' "$@" >"$work/a.conf"
	/usr/bin/python3 cmake/kconfig/bridge.py configure --fragment "$work/a.conf" \
		--header "$work/holdfast_config.h" --dotconfig "$work/dotconfig" \
		--deps "$work/deps" >"$work/out" 2>&1
}

faults=0
refuses() {
	local text=$1
	shift
	if configure "$@"; then
		echo "gate_kconfig: accepted: $*" >&2
		faults=$((faults + 1))
	elif ! grep -qF "$text" "$work/out"; then
		echo "gate_kconfig: for $* it does not say \"$text\" but: $(<"$work/out")" >&2
		faults=$((faults + 1))
	fi
}
accepts() {
	local text=$1
	shift
	if ! configure "$@"; then
		echo "gate_kconfig: refused: $*: $(<"$work/out")" >&2
		faults=$((faults + 1))
	elif ! grep -qxF "$text" "$work/holdfast_config.h"; then
		echo "gate_kconfig: for $* the header lacks: $text" >&2
		faults=$((faults + 1))
	fi
}

accepts '#define CONFIG_HF_LANES_MAX 10000' '# nothing set'
accepts '#define CONFIG_HF_LANES_MAX 7' 'CONFIG_HF_LANES_MAX=7'
accepts '#define CONFIG_HF_LANES_MAX 8' 'CONFIG_HF_LANES_MAX=7' 'CONFIG_HF_LANES_MAX=8'
accepts '#define CONFIG_HF_BOARD "native/host_linux"' ''
refuses 'a.conf:2: there is no option CONFIG_HF_LANE_MAX; did you mean CONFIG_HF_LANES_MAX?' \
	'# one' 'CONFIG_HF_LANE_MAX=7'
refuses 'a.conf:1: CONFIG_HF_LANES_MAX=0 is outside its range, 1 to 1000000' 'CONFIG_HF_LANES_MAX=0'
refuses 'a.conf:1: CONFIG_HF_LANES_MAX is a decimal number, not `many`' 'CONFIG_HF_LANES_MAX=many'
refuses 'a.conf:1: CONFIG_HF_LANES_MAX is a decimal number, not `0x10`' 'CONFIG_HF_LANES_MAX=0x10'
refuses 'a.conf:1: CONFIG_HF_TLS is a bool: y or n, not `yes`' 'CONFIG_HF_TLS=yes'
refuses 'a.conf:1: `HF_TLS=y` is no assignment' 'HF_TLS=y'

if configure 'CONFIG_HF_TLS=n' && grep -q CONFIG_HF_TLS "$work/holdfast_config.h"; then
	echo "gate_kconfig: an option that is off is defined in the header" >&2
	faults=$((faults + 1))
fi

# What a board chooses gives way to a later fragment that takes away what it depends on;
# within one fragment that is a fault.
printf '%s\n' CONFIG_HF_SENSOR=y >"$work/board.conf"
printf '%s\n' CONFIG_HF_COAP=n >"$work/user.conf"
if ! /usr/bin/python3 cmake/kconfig/bridge.py configure --fragment "$work/board.conf" \
	--fragment "$work/user.conf" --header "$work/holdfast_config.h" --dotconfig "$work/dotconfig" \
	--deps "$work/deps" >"$work/out" 2>&1; then
	echo "gate_kconfig: a board's choice stands in a later fragment's way: $(<"$work/out")" >&2
	faults=$((faults + 1))
elif grep -qE 'CONFIG_HF_(SENSOR|COAP)' "$work/holdfast_config.h"; then
	echo "gate_kconfig: CoAP is off, and the header has some of it" >&2
	faults=$((faults + 1))
fi
refuses 'a.conf:1: CONFIG_HF_SENSOR=y cannot be' CONFIG_HF_SENSOR=y CONFIG_HF_COAP=n

((faults == 0)) || exit 1
echo "gate_kconfig: faults are refused with their place"
