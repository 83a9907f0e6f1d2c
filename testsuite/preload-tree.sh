#!/bin/sh
# make check-preload: hakmem-preload in a whole Debian system, made by debootstrap
# and looked at in namespaces of its own:
#
#   preload/   the tests of hakmem.tools/preload.sh in this root
#   programs   each program there says the same to --version with the library in
#              /etc/ld.so.preload as without
#   work/      some do their work, setuid ones among them, and come out the same
#   execs      10,000 starts of /bin/true and 200 of each program of
#              bench/startup.list, of which none may fail; prints what one costs
#              beside libc alone and beside an empty library (make bench-startup
#              has a budget)
#   left       disabling leaves nothing
#
# Prints `ok NAME' and `not ok NAME' lines and at last `N passed, N failed, N
# skipped'.  Root, debootstrap and a Debian mirror are needed, or else it is
# skipped.
#
# Environment: CC, MAKE, builddir (a configured build; default: here), srcdir (the
# top of the source), HAKMEM_TEST_TREE (a system made before, which is copied),
# HAKMEM_TEST_SUITE (bookworm), HAKMEM_TEST_MIRROR.  Writes only to
# $builddir/preload.work.
set -u
CC=${CC:-gcc}
export CC
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
target=check-preload
# shellcheck source=testsuite/whole-system.sh
. "$srcdir/testsuite/whole-system.sh"

# ---------------------------------------------------------------- the system

make_system ()
{
  need_namespaces
  need_debootstrap
  rm -rf "$work"
  mkdir -p "$work" || exit 1
  debian_tree ''
  "${MAKE:-make}" -C "$builddir" install "DESTDIR=$tree" >"$work/log" 2>&1 ||
    { tail -n 3 "$work/log" >&2; echo "check-preload: make install fails" >&2
      exit 1; }
  sh "$srcdir/testsuite/hakmem.tools/fixtures.sh" "$work/fixtures" || exit 1
  $CC -D_GNU_SOURCE -O2 -o "$work/startup" "$srcdir/bench/startup.c" || exit 1
}

# ------------------------------------------------------ inside the namespaces

preload=$builddir/tools/hakmem-preload
entry=$(sed -n 's/^default=//p' "$preload")
own=$(cd "$tree" 2>/dev/null && find . -name hakmem-preload -path '*/sbin/*' | cut -c2-)

# Three views of the system, DIR/libc, empty and hakmem, which differ in /etc
# alone.
make_views ()
{
  for side in libc empty hakmem; do
    mkdir -p "$work/$side"
    mount --bind "$tree" "$work/$side" && cp -a "$tree/etc" "$work/etc.$side" &&
      mount --bind "$work/etc.$side" "$work/$side/etc" &&
      mount -t proc proc "$work/$side/proc" || exit 1
  done
  cp "$work/fixtures/nothing.so" "$tree/opt/nothing.so"
  echo /opt/nothing.so >"$work/etc.empty/ld.so.preload"
}

# on SIDE COMMAND...: its output, its errors and its status on stdout.
on ()
{
  view=$work/$1
  shift
  timeout -s KILL "$seconds" chroot "$view" env -i HOME=/root LC_ALL=C \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@" </dev/null 2>&1
  echo "status $?"
}

# same COMMAND...: 0 if it comes out the same, 77 if it does not on libc, or does
# not come to an end there.
same ()
{
  on libc "$@" >"$work/out.libc"
  ! grep -qx 'status 137' "$work/out.libc" || return 77
  on hakmem "$@" >"$work/out.hakmem"
  cmp -s "$work/out.libc" "$work/out.hakmem" && return 0
  on libc "$@" >"$work/out.again"
  cmp -s "$work/out.libc" "$work/out.again" || return 77
  diff "$work/out.libc" "$work/out.hakmem" | head -n 5 | sed 's/^/# /'
  return 1
}

sweep ()
{
  alike=0 varies=0 bad=0 seconds=5
  for path in "$tree"/usr/bin/* "$tree"/usr/sbin/*; do
    program=${path#"$tree"}
    if [ ! -x "$path" ] || [ ! -f "$path" ]; then continue; fi
    same "$program" --version
    case $? in
      0) alike=$((alike + 1)) ;;
      77) varies=$((varies + 1)) ;;
      *) bad=$((bad + 1)); not_ok "programs: $program" ;;
    esac
  done
  echo "# $alike programs are alike, $varies are not even on libc"
  if [ "$bad" = 0 ] && [ "$alike" -gt 100 ]; then ok programs
  else not_ok "programs ($alike alike)"
  fi
}

work_on ()
{
  name=$1
  shift
  if same sh -ec "$1"; then ok "work/$name"; else not_ok "work/$name"; fi
}

# shellcheck disable=SC2016 # the shells' in there
works ()
{
  seconds=60
  work_on dpkg 'dpkg -l | cksum; dpkg --verify libc6; dpkg -L bash | sort | cksum'
  work_on apt 'apt-cache show bash | cksum; apt-config dump | cksum'
  work_on text 'find /usr -xdev -name "*.so*" | sort | xargs -n 50 sha256sum |
    awk "{ n += length (\$0) } END { print n }"'
  work_on archives 'tar -C / --sort=name -cf - etc/apt usr/share/doc | gzip -9n |
    zcat | tar -tvf - | cksum'
  work_on perl 'perl -e "my %h = map { \$_ => [\$_ x 9] } 1 .. 50000;
    print scalar (keys %h), qq(\n); print grep { /libhakmem/ } ()"'
  work_on shell 'bash -c "x=; for i in {1..20000}; do x+=\$i; done; echo \${#x}"'
  work_on setuid 'setpriv --reuid=65534 --regid=65534 --clear-groups sh -c "
    mount --version; su --version; passwd -S nobody || :; gpasswd --help >&2 || :"'
  work_on users 'useradd -R / -M someone; id someone; chage -l someone | head -n 1
    userdel someone'
  work_on locale 'localedef --list-archive || :; locale -a; iconv -l | cksum'
  # Users' processes have it, too.
  if on hakmem setpriv --reuid=65534 --regid=65534 --clear-groups \
      cat /proc/self/maps | grep -q libhakmem; then ok work/user
  else not_ok work/user
  fi
}

# start ROUNDS EXECS COMMAND...: on each side as often as both, by turns.
start ()
{
  rounds=$1 times=$2
  shift 2
  "$work/startup" roots "$work/libc" "$work/empty" "$work/hakmem" "$rounds" \
    "$times" "$@" >"$work/execs" || return 1
  awk -v command="$*" '
    { us[$1] = $2; ratio[$1] = $4 }
    END {
      printf "# %s, fork to wait, medians: libc %d us, an empty library " \
        "%d us (%.3f), libhakmem %d us (%.3f)\n", command, us["libc"],
        us["empty"], ratio["empty"], us["hakmem"], ratio["hakmem"]
    }' "$work/execs"
}

# start_line COMMAND: for the shell to split; what is not installed is left out.
start_line ()
{
  eval "set -- $1"
  [ -x "$tree/usr/bin/$1" ] || return 0
  start 10 20 "$@"
}

execs ()
{
  failed=
  start 20 500 /bin/true || failed=/bin/true
  sed '/^#/d' "$srcdir/bench/startup.list" >"$work/list"
  while read -r command; do
    start_line "$command" || failed="$failed, $command"
  done <"$work/list"
  if [ "$failed" = "" ]; then ok execs; else not_ok "execs ($failed)"; fi
}

inner ()
{
  CONF=$(sed -n 's/^#define HKM_CONF_FILE "\(.*\)"/\1/p' "$builddir/config.h") \
    sh "$srcdir/testsuite/hakmem.tools/preload.sh" "$tree" "$preload" "$entry" \
    "$work/fixtures" >"$work/preload.out" 2>&1
  sed 's/^ok /ok preload\//; s/^not ok /not ok preload\//; /^done$/d' \
    "$work/preload.out"
  grep -qx "done" "$work/preload.out" || not_ok "preload/runs to its end"

  make_views
  seconds=60
  # By the system's own copy.
  for verb in enable status check; do
    on hakmem "$own" $verb >"$work/said"
    sed 's/^/# /' "$work/said"
    if grep -q '^status 0' "$work/said" && grep -q "enabled" "$work/said"; then
      ok "$verb"
    else
      not_ok "$verb"
      return
    fi
  done
  sweep
  works
  execs
  if on hakmem "$own" disable | grep -q '^status 0' &&
     [ "$(cd "$work/etc.hakmem" && find . | sort | cksum)" = \
       "$(cd "$work/etc.libc" && find . | sort | cksum)" ]; then ok left
  else not_ok left
  fi
}

if [ "${1-}" = inner ]; then
  inner
  exit
fi
make_system
unshare -mpinuf --mount-proc sh "$0" inner </dev/null 2>&1 | tee "$work/out"
close_with "$work/out"
