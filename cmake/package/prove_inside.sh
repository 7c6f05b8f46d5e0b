#!/bin/bash
# Runs in a fresh Debian whose init is systemd, or, where /proof/emulated says so, in one
# without an init: there the unit's own command is started by hand, as the unit's user.
# Leaves /proof/holds when everything held.
set -u

now=/proof/now.deb later=/proof/later.deb
conf=/etc/holdfast/holdfast.conf
api=/dev/tcp/127.0.0.1/8480

fail() {
	echo "DOES NOT HOLD: $*"
	if booted; then
		systemctl status --no-pager -l holdfast.service 2>&1 | tail -n 30
		journalctl --no-pager -u holdfast.service 2>&1 | tail -n 30
	else
		tail -n 30 /proof/daemon.log
	fi
	exit 1
}
booted() { [[ ! -e /proof/emulated ]]; }
holds() { echo "holds: $*"; }
# waits_for WORDS COMMAND...: until it succeeds, at most three minutes
waits_for() {
	local words=$1 i
	shift
	for ((i = 0; i < 900; i++)); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.2
	done
	fail "$words"
}
active() {
	if booted; then systemctl is-active --quiet holdfast.service; else ((pid)) && kill -0 "$pid"; fi
}
# With an init these are the maintainer scripts' business, and nothing is to be done.
by_hand_start() {
	booted && return
	install -d -o holdfast -g holdfast /run/holdfast
	local command
	read -ra command < <(sed -n 's/^ExecStart=//p' /usr/lib/systemd/system/holdfast.service)
	setpriv --reuid holdfast --regid holdfast --init-groups --no-new-privs \
		--bounding-set=-all "${command[@]}" 2>>/proof/daemon.log &
	pid=$!
}
by_hand_stop() {
	booted && return
	kill "$pid" && wait "$pid"
	pid=0
}
restart() {
	if booted; then systemctl restart holdfast.service; else by_hand_stop; by_hand_start; fi
}
answers() { holdfast status >/dev/null; }
# One request to the panel side; prints the whole answer.
http() {
	local method=$1 path=$2 body=${3:-}
	exec 3<>"$api" || return 1
	printf '%s %s HTTP/1.1\r\nHost: localhost:8480\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' \
		"$method" "$path" ${#body} "$body" >&3
	cat <&3
	exec 3>&-
}
queued() { holdfast --json queue list | grep -q "$id"; }
value() { systemctl show -P "$1" holdfast.service; }

installs() {
	dpkg -i "$now" >/proof/dpkg.log 2>&1 || { cat /proof/dpkg.log; fail "dpkg -i"; }
	by_hand_start
	waits_for "the service starts by itself" active
	waits_for "holdfast status answers" answers
	[[ -L /etc/systemd/system/multi-user.target.wants/holdfast.service ]] || fail "the service is enabled"
	[[ $(stat -c %U:%G:%a /var/lib/holdfast) == holdfast:holdfast:750 ]] || fail "owner of the queue's folder"
	[[ $(stat -c %G:%a /run/holdfast/control.sock) == holdfast:660 ]] || fail "owner of the socket"
	http GET / | head -n 1 | grep -q '^HTTP/1.1 50[0-9]' || fail "pages get an answer without an origin"
	holds "installed: the service is enabled and runs, \`holdfast status\` answers, the page side too"
}

# What the unit takes away is not there; the daemon's own confinement is.
is_hardened() {
	local pid
	pid=$(value MainPID)
	[[ $(awk '/^Uid/ { print $2 }' "/proc/$pid/status") == "$(id -u holdfast)" ]] || fail "its user"
	[[ $(awk '/^CapBnd/ { print $2 }' "/proc/$pid/status") =~ ^0+$ ]] || fail "no capability"
	[[ $(awk '/^NoNewPrivs/ { print $2 }' "/proc/$pid/status") == 1 ]] || fail "NoNewPrivileges"
	[[ $(awk '/^Seccomp:/ { print $2 }' "/proc/$pid/status") == 2 ]] || fail "seccomp"
	journalctl --no-pager -u holdfast.service | grep -q 'daemon.confined landlock=[1-9]' || fail "Landlock"
	systemd-analyze security --no-pager holdfast.service 2>/dev/null | tail -n 1
	holds "the daemon has no capability, its system calls are filtered, it is confined by Landlock"
}

queues() {
	cat >/etc/holdfast/app.worker.json <<-JSON
		{ "name": "app", "version": "1", "routes": [ { "condition": { "urlPattern": "/api/orders",
		  "requestMethod": "POST" }, "source": "network", "queue": { "tag": "orders" } } ] }
	JSON
	printf '[worker app]\norigin = app\nmanifest = app.worker.json\n' >>"$conf"
	holdfastd --config "$conf" --check || fail "the configuration"
	restart || fail "restart"
	waits_for "it answers after a restart" answers
	id=$(http POST /api/orders '{"n":1}' | sed -n 's/^Location: .*requests\/\([^\r]*\)\r*$/\1/p')
	[[ -n $id ]] || fail "a request is queued"
	queued || fail "the queue has $id"
	holds "a request is queued: $id"
}

# Sensors, by datagrams and by DTLS. The DTLS client is the daemon: its own port is an
# origin of its settings, so that a session is made from both sides under the unit.
hears_sensors() {
	local key=a-word-for-the-proof answer
	(umask 027 && echo "panel $key" >/etc/holdfast/devices && echo "$key" >/etc/holdfast/psk)
	chgrp holdfast /etc/holdfast/{devices,psk}
	sed -i '/^state-dir/a coap-listen = 127.0.0.1:5683\ncoaps-listen = 127.0.0.1:5684\ncoap-devices = devices' "$conf"
	cat >>"$conf" <<-CONF
		[origin sensors]
		url          = coaps://127.0.0.1:5684
		host         = sensors.localhost
		psk-identity = panel
		psk-file     = psk
	CONF
	restart || fail "restart with a port for sensors"
	waits_for "it answers with a port for sensors" answers
	# CON POST, message 0x1234, token tokn, /api/orders, application/json
	exec 4<>/dev/udp/127.0.0.1/5683
	printf '\x44\x02\x12\x34tokn\xb3api\x06orders\x11\x32\xff{"n":2}' >&4
	answer=$(timeout 60 dd bs=1500 count=1 <&4 2>/dev/null | od -An -v -tx1 -N8 | tr -d ' ')
	exec 4>&-
	[[ $answer == 64411234746f6b6e ]] || fail "a reading is answered 2.01, not $answer"
	holdfast coap get coaps://127.0.0.1:5684/.well-known/core 2>/dev/null | grep -q '</api/orders>' || fail "a DTLS session"
	holds "a sensor's reading is taken, a DTLS session is made from both sides"
}

is_watched() {
	mkdir -p /run/systemd/system/holdfast.service.d
	printf '[Service]\nWatchdogSec=4\nTimeoutAbortSec=2\n' >/run/systemd/system/holdfast.service.d/fast.conf
	systemctl daemon-reload
	systemctl restart holdfast.service
	waits_for "it answers with a short watchdog" answers
	local pid
	pid=$(value MainPID)
	kill -STOP "$pid"
	hung_is_gone() { [[ $(value MainPID) != "$pid" && $(value MainPID) != 0 ]] && answers; }
	waits_for "a daemon that hangs is started anew" hung_is_gone
	pid=$(value MainPID)
	kill -KILL "$pid"
	waits_for "a daemon that is killed is started anew" hung_is_gone
	rm -r /run/systemd/system/holdfast.service.d
	systemctl daemon-reload
	queued || fail "the request after watchdog and kill"
	holds "hung (watchdog) and killed it is started anew, the request is there"
}

upgrades() {
	local before=0
	booted && before=$(value MainPID)
	by_hand_stop
	dpkg -i "$later" >/proof/dpkg.log 2>&1 </dev/null || { cat /proof/dpkg.log; fail "upgrade"; }
	by_hand_start
	[[ $(dpkg-query -f '${Version}' -W holdfast) == *+later ]] || fail "the version after the upgrade"
	waits_for "it answers after the upgrade" answers
	! booted || [[ $(value MainPID) != "$before" ]] || fail "the upgrade restarts it"
	grep -q '^\[worker app\]' "$conf" || fail "the changed settings are kept"
	queued || fail "the request after the upgrade"
	holds "upgraded: restarted, settings kept, the request is there"
}

removes() {
	by_hand_stop
	dpkg -r holdfast >/proof/dpkg.log 2>&1 || { cat /proof/dpkg.log; fail "remove"; }
	active && fail "it runs after the removal"
	[[ ! -e /usr/sbin/holdfastd && -f $conf && -f /var/lib/holdfast/queue-1.db ]] || {
		ls -la /var/lib/holdfast
		fail "removal leaves settings and queue, and no program"
	}
	dpkg -i "$now" >/proof/dpkg.log 2>&1 </dev/null || { cat /proof/dpkg.log; fail "installed again"; }
	by_hand_start
	waits_for "it answers when installed again" answers
	queued || fail "the request after remove and install"
	holds "removed and installed again: settings and request are there"
}

keeps_a_choice() {
	systemctl disable --now --quiet holdfast.service
	dpkg -i "$later" >/proof/dpkg.log 2>&1 </dev/null || { cat /proof/dpkg.log; fail "upgrade of a disabled one"; }
	systemctl is-enabled --quiet holdfast.service && fail "an upgrade enables what was disabled"
	holds "an administrator's disable is kept by an upgrade"
}

purges() {
	by_hand_stop
	dpkg -P holdfast >/proof/dpkg.log 2>&1 || { cat /proof/dpkg.log; fail "purge"; }
	[[ ! -e /var/lib/holdfast && ! -e $conf ]] || fail "purge leaves settings or queue"
	active && fail "it runs after the purge"
	dpkg-query -W holdfast >/dev/null 2>&1 && fail "dpkg still knows it"
	find /etc/systemd /var/lib/systemd -name '*holdfast*' | grep . && fail "purge leaves links of the service"
	holds "purged: settings, queue and links of the service are gone"
}

echo "$(. /etc/os-release && echo "$PRETTY_NAME"), $(dpkg --print-architecture), $(booted && echo "systemd $(systemctl --version | awk 'NR == 1 { print $2 }')" || echo "started by hand under qemu-user")"
pid=0
installs
booted && is_hardened
queues
hears_sensors
booted && is_watched
upgrades
removes
booted && keeps_a_choice
purges
touch /proof/holds
