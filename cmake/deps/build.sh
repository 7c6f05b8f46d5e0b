#!/usr/bin/env bash
# Builds third-party libraries as static archives into the cache.
#
#   build.sh [--toolchain host|musl|aarch64|armhf] [--with coap] LIBRARY...
#
# --with coap: Mbed TLS with what DTLS needs, for libcoap.
#
# Prints one line per library: "LIBRARY PREFIX", where PREFIX holds include/
# and lib/. `toolchain` as a library prints the compiler to use for the rest of
# the build ("toolchain PREFIX", with PREFIX/bin/cc).
#
# A result is keyed by the pinned hash of its sources, the recipe below, the
# compiler's version and the flags, so that it is built once and never stale.
# SQLite's OMIT options are those that need no new grammar.
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${HF_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/holdfast}
jobs=${HF_JOBS:-$(nproc)}
recipe_version=1

say() { echo "deps: $*" >&2; }
die() { echo "deps: error: $*" >&2; exit 1; }

sha() { sha256sum | cut -c 1-16; }
pinned() { awk -v l="$1" '$1 == l { print $5 }' "$here/lock.txt"; }
version_of() { awk -v l="$1" -v h="$2" '$1 == l && $5 == h { print $2 }' "$here/lock.txt"; }

# --- toolchains -----------------------------------------------------------

debian_arch() {
	case $(uname -m) in
	x86_64) echo amd64 ;;
	aarch64) echo arm64 ;;
	armv7l) echo armhf ;;
	*) die "no musl is pinned for $(uname -m); add a row to lock.txt" ;;
	esac
}

# A static musl compiler: gcc with the headers and objects of a musl-dev
# package, and the kernel's headers, which musl does not bring.
recipe_musl() {
	local deb=$1 gnu=$2 gcc=$3 dest=$4 kernel asm musl real
	musl=${gnu/-gnu/-musl}
	real=$(command -v "$gcc") || die "$gcc is missing; run ./dev build, which installs it"
	dpkg-deb -x "$deb" "$dest/deb"
	mv "$dest/deb/usr/include/$musl" "$dest/include"
	mv "$dest/deb/usr/lib/$musl" "$dest/lib"
	rm -rf "$dest/deb"
	kernel=/usr/$gnu/include
	[[ -d $kernel/linux ]] || kernel=/usr/include
	asm=$kernel/asm
	[[ -d $asm ]] || asm=$kernel/$gnu/asm
	[[ -d $asm ]] || die "no kernel headers for $gnu under $kernel; install linux-libc-dev"
	ln -s "$kernel/linux" "$dest/include/linux"
	ln -s "$kernel/asm-generic" "$dest/include/asm-generic"
	ln -s "$asm" "$dest/include/asm"
	local final=$5
	cat >"$dest/specs" <<-SPECS
		%rename cpp_options old_cpp_options

		*cpp_options:
		-nostdinc -isystem $final/include -isystem include%s %(old_cpp_options)

		*cc1:
		%(cc1_cpu) -nostdinc -isystem $final/include -isystem include%s

		*link_libgcc:
		-L$final/lib -L .%s

		*libgcc:
		libgcc.a%s %:if-exists(libgcc_eh.a%s)

		*startfile:
		$final/lib/crt1.o $final/lib/crti.o crtbeginT.o%s

		*endfile:
		crtend.o%s $final/lib/crtn.o

		*link:
		-static -nostdlib %{rdynamic:-export-dynamic} --build-id

		*esp_link:


		*esp_options:


		*esp_cpp_options:


	SPECS
	local extra=""
	# libgcc's outlined atomics ask glibc which instructions there are
	[[ $gnu == aarch64-* ]] && extra="-mno-outline-atomics"
	mkdir -p "$dest/bin"
	printf '#!/bin/sh\nexec %s -specs=%s/specs -fno-pie -no-pie %s "$@"\n' \
		"$real" "$final" "$extra" >"$dest/bin/cc"
	chmod +x "$dest/bin/cc"
}

# --- recipes: SRC is the unpacked source, DEST the prefix to fill ----------

# compile LIB CFLAGS... -- FILES...: into DEST/lib/libLIB.a
compile() {
	local lib=$1 flags=() src n=0 list
	shift
	while [[ $1 != -- ]]; do
		flags+=("$1")
		shift
	done
	shift
	mkdir -p "$DEST/lib" "$WORK/obj-$lib"
	list=$WORK/$lib.ninja
	{
		echo "rule cc"
		echo "  command = $CC $BASE_CFLAGS ${flags[*]} -c \$in -o \$out"
		for src in "$@"; do
			n=$((n + 1))
			echo "build $WORK/obj-$lib/$n-$(basename "${src%.c}").o: cc $src"
		done
	} >"$list"
	(cd "$SRC" && nice ninja -j "$jobs" -f "$list") >"$WORK/$lib.log" 2>&1 || {
		tail -n 30 "$WORK/$lib.log" >&2
		die "$lib: a file does not compile; see above"
	}
	$AR rcs "$DEST/lib/lib$lib.a" "$WORK/obj-$lib"/*.o
}

mbedtls_config() {
	cat "$here/mbedtls_config.h"
	[[ -z $with_coap ]] || cat "$here/mbedtls_config_coap.h"
}

recipe_mbedtls() {
	cp -r "$SRC/include" "$DEST/include"
	mbedtls_config >"$DEST/include/mbedtls/mbedtls_config.h"
	local files=()
	mapfile -t files < <(cd "$SRC" && printf '%s\n' library/*.c |
		grep -v -E 'net_sockets|psa_its_file')
	compile mbedtls -std=gnu99 -I"$DEST/include" -Ilibrary -- "${files[@]}"
}

recipe_sqlite() {
	# The amalgamation is made once and is the same for every target.
	local amalgamation
	amalgamation=$cache/built/sqlite-amalgamation-${HASH:0:16}
	if [[ ! -f $amalgamation/sqlite3.c ]]; then
		say "sqlite: making the amalgamation"
		(cd "$SRC" && CC=gcc CFLAGS=-O0 ./configure --disable-tcl --disable-readline &&
			make sqlite3.c) >"$WORK/amalgamation.log" 2>&1 || {
			tail -n 20 "$WORK/amalgamation.log" >&2
			die "sqlite: the amalgamation could not be made; see above"
		}
		mkdir -p "$amalgamation"
		cp "$SRC/sqlite3.h" "$amalgamation/"
		cp "$SRC/sqlite3.c" "$amalgamation/.part"
		mv "$amalgamation/.part" "$amalgamation/sqlite3.c"
	fi
	mkdir -p "$DEST/include"
	cp "$amalgamation/sqlite3.h" "$DEST/include/"
	SRC=$amalgamation compile sqlite3 "${SQLITE_FLAGS[@]}" -- sqlite3.c
}

SQLITE_FLAGS=(
	-DSQLITE_THREADSAFE=2
	-DSQLITE_DQS=0
	-DSQLITE_DEFAULT_MEMSTATUS=0
	-DSQLITE_DEFAULT_SYNCHRONOUS=3
	-DSQLITE_DEFAULT_WAL_SYNCHRONOUS=3
	-DSQLITE_MAX_MMAP_SIZE=0
	-DSQLITE_MAX_WORKER_THREADS=0
	-DSQLITE_MAX_EXPR_DEPTH=0
	-DSQLITE_TEMP_STORE=3
	-DSQLITE_LIKE_DOESNT_MATCH_BLOBS
	-DSQLITE_USE_ALLOCA
	-DSQLITE_OMIT_LOAD_EXTENSION
	-DSQLITE_OMIT_DEPRECATED
	-DSQLITE_OMIT_SHARED_CACHE
	-DSQLITE_OMIT_TRACE
	-DSQLITE_OMIT_UTF16
	-DSQLITE_OMIT_COMPLETE
	-DSQLITE_OMIT_DESERIALIZE
	-DSQLITE_OMIT_GET_TABLE
	-DSQLITE_OMIT_JSON
	-DSQLITE_OMIT_TCL_VARIABLE
	-DSQLITE_OMIT_AUTHORIZATION
	-DSQLITE_UNTESTABLE
	-DHAVE_FDATASYNC=1
	-DHAVE_USLEEP=1
	-DHAVE_GMTIME_R=1
	-DHAVE_POSIX_FALLOCATE=1
	-DUSE_PREAD=1
)

recipe_llhttp() {
	local root=$SRC/usr/src/llhttp
	mkdir -p "$DEST/include"
	cp "$root/include/llhttp.h" "$DEST/include/"
	SRC=$root compile llhttp -Iinclude -- src/api.c src/http.c src/llhttp.c
}

recipe_libuv() {
	cp -r "$SRC/include" "$DEST/include"
	local unix="async core dl fs getaddrinfo getnameinfo loop-watcher loop pipe poll
		process random-devurandom signal stream tcp thread tty udp proctitle linux
		procfs-exepath random-getrandom random-sysctl-linux"
	local files=(src/fs-poll.c src/idna.c src/inet.c src/random.c src/strscpy.c
		src/strtok.c src/thread-common.c src/threadpool.c src/timer.c
		src/uv-common.c src/uv-data-getter-setters.c src/version.c) f
	for f in $unix; do
		files+=("src/unix/$f.c")
	done
	compile uv -std=gnu11 -Iinclude -Isrc -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
		-D_LARGEFILE_SOURCE -- "${files[@]}"
}

recipe_cjson() {
	mkdir -p "$DEST/include/cjson"
	cp "$SRC/cJSON.h" "$DEST/include/cjson/"
	compile cjson -DCJSON_NESTING_LIMIT=64 -- cJSON.c
}

recipe_inih() {
	mkdir -p "$DEST/include"
	cp "$SRC/ini.h" "$DEST/include/"
	compile inih -DINI_MAX_LINE=4096 -DINI_USE_STACK=1 -DINI_STOP_ON_FIRST_ERROR=0 \
		-DINI_CALL_HANDLER_ON_NEW_SECTION=1 -DINI_HANDLER_LINENO=1 \
		-DINI_ALLOW_MULTILINE=0 -- ini.c
	# consumers must see the same handler signature
	sed -i '1i #define INI_HANDLER_LINENO 1\n#define INI_CALL_HANDLER_ON_NEW_SECTION 1' \
		"$DEST/include/ini.h"
}

# The system's part of libcoap's configuration; what it can do is libcoap_defines.h.
libcoap_config() {
	local header
	for header in arpa/inet.h assert.h errno.h float.h inttypes.h limits.h netdb.h net/if.h netinet/in.h \
		stdbool.h stddef.h stdint.h stdlib.h strings.h string.h sys/epoll.h sys/ioctl.h sys/socket.h \
		sys/stat.h sys/time.h sys/timerfd.h sys/types.h time.h unistd.h; do
		header=${header//[\/.]/_}
		echo "#define HAVE_${header^^} 1"
	done
	echo "#define HAVE_GETADDRINFO 1"
	echo "#define HAVE_IF_NAMETOINDEX 1"
	echo "#define HAVE_MALLOC 1"
	echo "#define HAVE_MEMSET 1"
	echo "#define HAVE_SELECT 1"
	echo "#define HAVE_SOCKET 1"
	echo "#define HAVE_STRCASECMP 1"
	echo "#define HAVE_STRNLEN 1"
	echo "#define HAVE_STRRCHR 1"
	echo "#define HAVE_STRUCT_CMSGHDR 1"
	echo "#define PACKAGE_NAME \"libcoap\""
	echo "#define PACKAGE_VERSION \"$LIBCOAP_VERSION\""
	echo "#define PACKAGE_STRING \"libcoap $LIBCOAP_VERSION\""
}
LIBCOAP_VERSION=4.3.5

# Fixes that Debian has on top of the release. Of the files that are compiled here: of
# the others they may not fit.
LIBCOAP_FIXES=(
	CVE-2025-59391.patch
	CVE-2025-65501+65500+65499+65498+65497+65496+65495+65494+65493.patch
	CVE-2025-34468.patch
	CVE-2026-29013.patch
)

# These functions of Mbed TLS are ours in its stead (firmware/coap/tls.c).
LIBCOAP_FLAGS=(
	-Dmbedtls_ssl_setup=hf_coap_ssl_setup
	-Dmbedtls_ssl_handshake=hf_coap_ssl_handshake
	-Dmbedtls_ssl_read=hf_coap_ssl_read
)

# Before the apply, no repository around it must be found: paths would count from there.
fix_libcoap() {
	local fixes fix
	fixes=$("$here/fetch.sh" libcoap-debian)
	mkdir -p "$WORK/debian"
	tar -xf "$fixes" -C "$WORK/debian"
	for fix in "${LIBCOAP_FIXES[@]}"; do
		(cd "$SRC" && GIT_CEILING_DIRECTORIES=$WORK git apply --exclude='src/coap_openssl.c' \
			--include='src/*' "$WORK/debian/debian/patches/$fix") ||
			die "libcoap: $fix does not fit"
	done
	# where Mbed TLS reads no files it refuses certificates that come from memory, too
	[[ $(grep -c '^  (void)m_context;$' "$SRC/src/coap_mbedtls.c") == 1 ]] ||
		die "libcoap: coap_mbedtls.c is another than expected"
	sed -i '/^  (void)m_context;$/,/role, -1);$/d' "$SRC/src/coap_mbedtls.c"
}

recipe_libcoap() {
	local mbedtls file files=()
	mbedtls=$(library mbedtls)
	fix_libcoap
	mkdir -p "$DEST/include/coap3" "$WORK/include"
	for file in "$SRC"/include/coap3/*.h; do
		[[ $file == *_internal.h || $file == */coap_libcoap_build.h ]] || cp "$file" "$DEST/include/coap3/"
	done
	cp "$here/libcoap_defines.h" "$DEST/include/coap3/coap_defines.h"
	{
		echo "#define _GNU_SOURCE"
		echo "#include <coap3/coap_defines.h>"
		echo "#include <mbedtls/build_info.h>"
		libcoap_config
	} >"$WORK/include/coap_config.h"
	# a header of Mbed TLS that is not installed, for its one function
	echo "int mbedtls_hardware_poll(void *data, unsigned char *out, size_t len, size_t *olen);" \
		>"$WORK/include/entropy_poll.h"
	mapfile -t files < <(cd "$SRC" && printf '%s\n' src/coap_*.c |
		grep -v -E '_(contiki|lwip|riot|gnutls|openssl|tinydtls|wolfssl)\.c$')
	compile coap -std=gnu11 "${LIBCOAP_FLAGS[@]}" -I"$WORK/include" -I"$DEST/include" -Iinclude -I"$mbedtls/include" -- "${files[@]}"
}

# --- driver -----------------------------------------------------------------

# keyed NAME KEY FUNCTION ARGS...: runs FUNCTION with DEST set to a fresh
# folder, then moves the folder to its final name; prints that name.
keyed() {
	local name=$1 key=$2 final tmp
	shift 2
	final=$cache/built/$name-$key
	if [[ ! -e $final/.complete ]]; then
		say "building $name"
		rm -rf "$final"
		mkdir -p "$cache/built"
		tmp=$(mktemp -d "$cache/built/.tmp.XXXXXX")
		mkdir "$tmp/dest" "$tmp/work"
		(DEST=$tmp/dest WORK=$tmp/work FINAL=$final && "$@") >&2
		touch "$tmp/dest/.complete"
		mv "$tmp/dest" "$final"
		rm -rf "$tmp"
	fi
	echo "$final"
}

do_musl() { recipe_musl "$1" "$2" "$3" "$DEST" "$FINAL"; }

toolchain_prefix() {
	local arch=$1 gnu gcc deb key
	case $arch in
	amd64) gnu=x86_64-linux-gnu ;;
	arm64) gnu=aarch64-linux-gnu ;;
	armhf) gnu=arm-linux-gnueabihf ;;
	esac
	gcc=$gnu-gcc
	command -v "$gcc" >/dev/null || die "$gcc is missing; run ./dev build, which installs it"
	deb=$("$here/fetch.sh" "musl-$arch")
	key=$({ pinned "musl-$arch"; declare -f recipe_musl; "$gcc" --version; echo "$cache"; } | sha)
	keyed "musl-$arch" "$key" do_musl "$deb" "$gnu" "$gcc"
}

unpack() {
	local file=$1
	mkdir -p "$WORK/src"
	case $file in
	*.deb) dpkg-deb -x "$file" "$WORK/src" ;;
	*) tar -xf "$file" -C "$WORK/src" --strip-components=1 ;;
	esac
	SRC=$WORK/src
}

# do_library NAME FILE
do_library() {
	unpack "$2"
	"recipe_$1"
}

# The key of a library built from the file with this hash.
library_key() {
	local lib=$1 hash=$2 config=""
	[[ $lib == mbedtls ]] && config=$(mbedtls_config)
	[[ $lib == libcoap ]] && config="$(library mbedtls) $(libcoap_config) $(<"$here/libcoap_defines.h") \
		$(pinned libcoap-debian) $(declare -f fix_libcoap) ${LIBCOAP_FIXES[*]} ${LIBCOAP_FLAGS[*]}"
	[[ $lib == sqlite ]] && config=${SQLITE_FLAGS[*]}
	{
		echo "$hash $config $BASE_CFLAGS $tc_prefix $recipe_version"
		declare -f "recipe_$lib" compile
		"$CC" --version | sed 1q
	} | sha
}

# Prints the prefix of a library: what is built already from one of its pinned
# files, the first of them preferred, else what is built now.
library() {
	local lib=$1 hash prefix file
	for hash in $(pinned "$lib"); do
		prefix=$cache/built/$lib-$(version_of "$lib" "$hash")-$toolchain-$(library_key "$lib" "$hash")
		if [[ -e $prefix/.complete ]]; then
			echo "$prefix"
			return 0
		fi
	done
	file=$("$here/fetch.sh" "$lib")
	HASH=$(basename "$(dirname "$file")")
	keyed "$lib-$(version_of "$lib" "$HASH")-$toolchain" "$(library_key "$lib" "$HASH")" \
		do_library "$lib" "$file"
}

toolchain=host
with_coap=""
while [[ ${1:-} == --* ]]; do
	case $1 in
	--toolchain) toolchain=$2 ;;
	--with)
		[[ $2 == coap ]] || die "there is nothing to build --with $2; there is coap"
		with_coap=1
		;;
	*) die "there is no option $1; there are --toolchain and --with" ;;
	esac
	shift 2
done

mkdir -p "$cache"
exec 8>"$cache/build.lock"
flock 8
rm -rf "$cache"/built/.tmp.*

AR="ar"
case $toolchain in
host)
	CC=${HF_HOST_CC:-gcc}
	tc_prefix=""
	BASE_CFLAGS="-O2 -g1 -fno-omit-frame-pointer -fPIC -w"
	;;
musl | aarch64 | armhf)
	case $toolchain in
	musl) arch=$(debian_arch) ;;
	aarch64) arch=arm64 ;;
	armhf) arch=armhf ;;
	esac
	[[ $arch == arm64 ]] && command -v aarch64-linux-gnu-ar >/dev/null && AR=aarch64-linux-gnu-ar
	[[ $arch == armhf ]] && command -v arm-linux-gnueabihf-ar >/dev/null && AR=arm-linux-gnueabihf-ar
	tc_prefix=$(toolchain_prefix "$arch")
	CC=$tc_prefix/bin/cc
	BASE_CFLAGS="-Os -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables -w"
	;;
*)
	die "no toolchain $toolchain; there are host, musl, aarch64 and armhf"
	;;
esac
command -v "$CC" >/dev/null || die "$CC is missing; run ./dev build, which installs it"

for lib in "$@"; do
	if [[ $lib == toolchain ]]; then
		echo "toolchain $tc_prefix"
		continue
	fi
	declare -F "recipe_$lib" >/dev/null || die "no recipe for $lib in $0"
	prefix=$(library "$lib")
	echo "$lib $prefix"
done
