# What check-preload, check-packages, check-day and check-rpm share: each reads this
# with $target (its own name) and $srcdir set.  They write to $work alone; the
# system they look at is $tree.
# shellcheck disable=SC2034,SC2154
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
work=$builddir/${target#check-}.work
tree=$work/tree
LC_ALL=C DEBIAN_FRONTEND=noninteractive
export LC_ALL DEBIAN_FRONTEND srcdir builddir
unset LD_PRELOAD MAKEFLAGS MFLAGS CFLAGS
umask 022

skip ()
{
  echo "skip $target: $1"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
}

need_namespaces ()
{
  [ "$(id -u)" = 0 ] || skip "not root"
  unshare -mpinuf --mount-proc true 2>/dev/null || skip "no namespaces here"
}

ok () { echo "ok $1"; }
not_ok () { echo "not ok $1"; }

# verdict NAME COMMAND...: ok if it succeeds; what it said otherwise.
verdict ()
{
  test=$1
  shift
  if "$@" >"$work/said" 2>&1; then ok "$test"
  else
    not_ok "$test"
    tail -n 12 "$work/said" | sed 's/^/# /'
  fi
}

# close_with FILE: the closing line for the verdicts in FILE; fails unless some
# passed and none failed, and keeps $work then.
close_with ()
{
  passed=$(grep -c '^ok ' "$1")
  failed=$(grep -c '^not ok ' "$1")
  skipped=$(grep -c '^skip ' "$1")
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ] && rm -rf "$work"
}

# release_archive: makes it.  Sets $version and $archive.
release_archive ()
{
  "${MAKE:-make}" -C "$builddir" dist >"$work/log" 2>&1 ||
    { tail -n 3 "$work/log" >&2; echo "$target: make dist fails" >&2; exit 1; }
  version=$(sed -n 's/^#define VERSION "\(.*\)"$/\1/p' "$builddir/config.h")
  archive=$builddir/libhakmem-$version.tar.xz
}

# debian_tree PACKAGE,...: $tree, copied, or made by debootstrap with these.
debian_tree ()
{
  if [ -n "${HAKMEM_TEST_TREE-}" ]; then
    cp -a "$HAKMEM_TEST_TREE" "$tree" || exit 1
  else
    debootstrap --variant=minbase ${1:+"--include=$1"} \
      "${HAKMEM_TEST_SUITE:-bookworm}" "$tree" \
      ${HAKMEM_TEST_MIRROR:+"$HAKMEM_TEST_MIRROR"} >"$work/log" 2>&1 ||
      { tail -n 3 "$work/log" >&2; skip "debootstrap fails"; }
  fi
}

need_debootstrap ()
{
  [ -n "${HAKMEM_TEST_TREE-}" ] || command -v debootstrap >/dev/null ||
    skip "no debootstrap"
}

# ---- of hakmem-preload in $tree, by commands that `on' runs there ----

preload_file () { cat "$tree/etc/ld.so.preload" 2>/dev/null; }
is_on () { preload_file | grep -q '/libhakmem\.so\.1$'; }
is_off () { ! is_on; }
maps () { on cat /proc/self/maps | grep -q libhakmem; }
kept () { preload_file | grep -qx '# of somebody else'; }
all_of ()
{
  for each; do $each || { echo "fails: $each"; return 1; }; done
}

# $busy is run all the while that COMMAND runs, more than $least times; none of its
# programs may fail or say a word that tolerate lets through.
least=5
busy='true; /bin/true'
tolerate () { cat; }
meanwhile ()
{
  chroot "$tree" sh -c "n=0; while [ ! -e /tmp/over ]; do
      { $busy; } || echo \"status \$?\"; n=\$((n + 1)); sleep 0.02
    done; echo \$n >/tmp/starts" >"$work/meanwhile" 2>&1 &
  loop=$!
  "$@"
  ended=$?
  : >"$tree/tmp/over"
  wait $loop
  rm -f "$tree/tmp/over"
  tolerate <"$work/meanwhile" >"$work/words"
  cat "$work/words"
  [ $ended = 0 ] && [ ! -s "$work/words" ] &&
    [ "$(cat "$tree/tmp/starts")" -gt "$least" ]
}
