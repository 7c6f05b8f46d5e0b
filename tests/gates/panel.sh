#!/usr/bin/env bash
# What a panel makes of holdfast.conf on its card's first partition: the settings of its agent, Wi-Fi and the rest; faults have
# their line, and what is right counts beside them.
#
#   panel.sh SOURCE HOLDFASTD
set -euo pipefail

source=$1
HF_AGENT=$2
HF_ROOT=$(mktemp -d)
export HF_AGENT HF_ROOT
trap 'rm -rf "$HF_ROOT"' EXIT
boot=$HF_ROOT/boot/firmware
run=$HF_ROOT/run/holdfast-panel
faults=0

# start TEXT [FILE NAME]: the panel starts with that file, and another beside it
start() {
	rm -rf "${HF_ROOT:?}"/*
	mkdir -p "$boot" "$HF_ROOT/proc/sys/kernel"
	echo '{ "name": "m", "version": "1", "routes": [] }' >"$boot/m.json"
	printf '%s' "$1" >"$boot/holdfast.conf"
	echo quiet >"$boot/cmdline.txt"
	(($# == 1)) || cp "$2" "$boot/$3"
	"$source/boards/image/root/usr/lib/holdfast-panel/setup" 2>/dev/null
}

# holds WHAT COMMAND...
holds() {
	local what=$1
	shift
	"$@" >/dev/null 2>&1 || {
		echo "gate_panel: $what" >&2
		faults=$((faults + 1))
	}
}

# says FILE LINE: the file has this line
says() { holds "$1 does not say: $2" grep -qxF -- "$2" "$HF_ROOT/$1"; }
# nothing_wrong: no fault was told of
nothing_wrong() { holds "faults are told of: $(<"$run/faults")" test ! -s "$run/faults"; }

state="[agent]
state-dir = $HF_ROOT/state
control = $HF_ROOT/control.sock"

# as a Windows editor leaves it
start $'\xef\xbb\xbf[panel]\r\nurl = http://shop.example:81/till?x=1\r\nhostname = panel-7\r\ntime-servers = a.example\r\nmanifest = m.json\r\nrotate = 90\r
[wifi]\r\ncountry = DE\r\nssid = caf\xc3\xa9\r\npassword = long enough\r\n'"${state//$'\n'/$'\r\n'}"$'\r\n'
nothing_wrong
says run/holdfast-panel/holdfast.conf "url = http://shop.example:81"
says run/holdfast-panel/holdfast.conf "manifest = m.json"
says run/holdfast-panel/kiosk.env "PANEL_PATH=/till?x=1"
says run/holdfast-panel/kiosk.env "PANEL_ROTATE=90"
says proc/sys/kernel/hostname "panel-7"
says run/systemd/timesyncd.conf.d/servers.conf "NTP=a.example"
holds "a file of the image hides the time servers" test ! -e "$source/boards/image/root/etc/systemd/timesyncd.conf.d/servers.conf"
says run/holdfast-panel/iwd/main.conf "Country=DE"
says "var/lib/iwd/=636166c3a9.psk" "Passphrase=long enough"
holds "others may read the Wi-Fi's password" test "$(stat -c %a "$HF_ROOT/var/lib/iwd/=636166c3a9.psk")" = 600
holds "the agent does not take its settings" "$HF_AGENT" --config "$run/holdfast.conf" --check

# what is wrong has its line, also in the agent's own part; the rest counts
start "[panel]
url = https://shop.example/
rotate = 45
hostnam = x
ssh-key = ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ada
just words
[wifi]
password = short
$state
lsten = 127.0.0.1:1
"
says run/holdfast-panel/faults "holdfast.conf, line 3: rotate is not 0, 90, 180 or 270"
says run/holdfast-panel/faults "holdfast.conf, line 4: there is no key hostnam in [panel]"
says run/holdfast-panel/faults "holdfast.conf, line 6: this is not KEY = VALUE"
says run/holdfast-panel/faults "holdfast.conf, line 8: password is not 8 to 63 characters long"
holds "the agent's fault has no line" grep -q "^holdfast.conf:12: " "$run/faults"
says run/holdfast-panel/authorized_keys "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ada"
says run/holdfast-panel/holdfast.conf "url = https://shop.example"
says run/holdfast-panel/holdfast.conf "ca-file = /etc/ssl/certs/ca-certificates.crt"

# an origin of one's own: only the path of url counts
start "[panel]
url = http://localhost/start
$state
[origin shop]
url = http://shop.example
[worker kiosk]
origin = shop
manifest = m.json
"
nothing_wrong
says run/holdfast-panel/kiosk.env "PANEL_PATH=/start"
holds "an origin is made beside one's own" test "$(grep -c '^\[origin' "$run/holdfast.conf")" = 1

# what the agent's own sections name lies beside the file, whatever it is called; what has nothing to do with the agent stays there
printf 'hex:00112233445566778899aabbccddeeff\n' >"$HF_ROOT.key"
start "[panel]
url = http://localhost/
$state
[origin pump]
url = coaps://127.0.0.1:5684
psk-identity = till
psk-file =  Pump secret.psk
" "$HF_ROOT.key" "Pump secret.psk"
rm "$HF_ROOT.key"
nothing_wrong
holds "a file that it names is not there" test -s "$run/Pump secret.psk"
holds "others may read a file that it names" test "$(stat -c %a "$run/Pump secret.psk")" = 640
holds "a file that nobody names is there" test ! -e "$run/cmdline.txt"

cp "$boot/m.json" "$HF_ROOT.worker"
start "[panel]
url = http://shop.example/
manifest = till.worker
$state
" "$HF_ROOT.worker" till.worker
rm "$HF_ROOT.worker"
nothing_wrong

# nothing is set yet, or there is no file: the panel says so, and the agent starts
start "$state
"
holds "it does not say that no url is set" grep -q "^No url is set yet" "$run/faults"
holds "the agent does not start without a url" "$HF_AGENT" --config "$run/holdfast.conf" --check
rm "$boot/holdfast.conf"
"$source/boards/image/root/usr/lib/holdfast-panel/setup" 2>/dev/null
holds "it does not say that the file is missing" grep -q "holdfast.conf is missing" "$run/faults"

# a service that would not be stopped by its value: no line of it is a command
start "[panel]
url = http://shop.example/\$(touch $HF_ROOT/made)\`id\`
"
holds "a command can be named by url" test ! -e "$HF_ROOT/made"

# the guard: an agent that does not come to run is started again, and the panel after ten looks; a fault in its settings is
# for a person
mkdir -p "$HF_ROOT/bin"
cat >"$HF_ROOT/bin/systemctl" <<'SH'
#!/bin/bash
case "$*" in
*ActiveState*) echo "$HF_ACTIVE" ;;
*ExecMainStatus*) echo "$HF_STATUS" ;;
*NRestarts*) echo "$HF_RESTARTS" ;;
*) echo "$*" >>"$HF_ROOT/asked" ;;
esac
SH
chmod +x "$HF_ROOT/bin/systemctl"
# looks N STATE STATUS: the guard looks N times; what is activating is another start each time
looks() {
	local i
	for ((i = 0; i < $1; i++)); do
		[[ $2 != activating ]] || restarts=$((restarts + 1))
		HF_ACTIVE=$2 HF_STATUS=$3 HF_RESTARTS=$restarts PATH=$HF_ROOT/bin:$PATH "$source/boards/image/root/usr/lib/holdfast-panel/guard" 2>/dev/null
	done
}
# asked N WORDS: of systemctl, since it was asked so the last time
asked() {
	holds "systemctl was not asked $1 times: $2" test "$(grep -cF -- "$2" "$HF_ROOT/asked")" = "$1"
}
restarts=0
for state in failed inactive activating; do
	rm -f "$run/guard"
	: >"$HF_ROOT/asked"
	looks 9 "$state" 71
	asked 9 "start --no-block holdfast.service"
	asked 0 reboot
	looks 1 active 0
	looks 9 "$state" 71
	asked 0 reboot
	looks 1 "$state" 71
	asked 1 "--force reboot"
done
# one start that goes on, and one with a fault in the settings
rm -f "$run/guard"
: >"$HF_ROOT/asked"
looks 1 activating 0
for ((i = 0; i < 12; i++)); do
	restarts=$((restarts - 1))
	looks 1 activating 0
done
asked 1 "start --no-block holdfast.service"
looks 12 failed 78
asked 1 holdfast.service
asked 0 reboot

((faults == 0))
