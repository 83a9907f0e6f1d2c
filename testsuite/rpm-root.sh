#!/bin/sh
# make check-rpm: the rpm packages, from the release archive to a root that has
# nothing of them left:
#
#   build/     rpmbuild -ta of the release archive, twice, the second with a later
#              release; what is in which package; rpmlint with rpm/rpmlint.toml
#   root/      install, enable, upgrade meanwhile, remove in a root of copied
#              programs with an rpm database of its own, in namespaces of its own
#   left/      no file is left
#
# Prints `ok NAME' and `not ok NAME' lines and at last `N passed, N failed, N
# skipped'.  Root and rpmbuild are needed, or else it is skipped.
#
# Environment: MAKE, builddir (a configured build; default: here), srcdir (the
# top of the source), HAKMEM_TEST_RELEASE (yes: with %check, all of `make check').
# Writes only to $builddir/rpm.work.
set -u
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
target=check-rpm
# shellcheck source=testsuite/whole-system.sh
. "$srcdir/testsuite/whole-system.sh"

# build DIR DIST ?check?: packages of $archive, with DIST after the release.
build ()
{
  mkdir -p "$work/$1"
  without=
  [ "${3-}" = check ] || without='--without check'
  # shellcheck disable=SC2086 # nothing or two words
  rpmbuild -ta --nodeps $without --define "_topdir $work/$1" \
    --define "dist $2" "$archive"
}

# Each kind of file is in the package that it belongs to, and in no other.
contents ()
{
  bad=0
  for package in "$work"/one/RPMS/*/*.rpm; do
    name=$(rpm -qp --qf '%{NAME}' "$package" 2>/dev/null)
    rpm -qpl "$package" 2>/dev/null | sed "s|^|$name |"
  done >"$work/files"
  for row in 'libhakmem /usr/lib[^ ]*/libhakmem\.so\.1' \
    'libhakmem-devel /usr/lib[^ ]*/libhakmem\.so' \
    'libhakmem-devel /usr/include/hakmem/hakmem\.h' \
    'libhakmem-devel /usr/lib[^ ]*/pkgconfig/hakmem\.pc' \
    'libhakmem-devel .*/man3/hakmem_ctl\.3[.gz]*' \
    'libhakmem-tools /usr/bin/hakmem-run' \
    'libhakmem-tools /usr/libexec/hakmem/hakmem-helper' \
    'libhakmem-tools .*/man1/hakmem-run\.1[.gz]*' \
    'libhakmem-preload /usr/sbin/hakmem-preload' \
    'libhakmem-preload .*/man8/hakmem-preload\.8[.gz]*' \
    'libhakmem-doc .*/man3/hakmem-malloc\.3[.gz]*' \
    'libhakmem-doc .*/man5/hakmem-stats\.5[.gz]*' \
    'libhakmem-doc .*/man7/hakmem-learning\.7[.gz]*' \
    'libhakmem-doc .*/man7/hakmem\.7[.gz]*' \
    'libhakmem-doc .*/man5/hakmem\.conf\.5[.gz]*' \
    'libhakmem-doc .*/html/index\.html' \
    'libhakmem-doc .*/theory-of-operation' \
    'libhakmem-doc .*/hakmem\.conf\.example'
  do
    found=$(grep -xc -- "$row" "$work/files")
    place=${row#* }
    anywhere=$(grep -c -- " $place\$" "$work/files")
    [ "$found$anywhere" = 11 ] ||
      { echo "$row: there $found times, anywhere $anywhere"; bad=1; }
  done
  grep '\.la$' "$work/files" && bad=1
  [ $bad = 0 ]
}

lint ()
{
  # shellcheck disable=SC2046 # paths without blanks
  rpmlint --strict -c "$srcdir/rpm/rpmlint.toml" \
    $(find "$work/one" -name '*.rpm') "$builddir/rpm/libhakmem.spec"
}

# ------------------------------------------------------------------- the root

make_root ()
{
  sh "$srcdir/testsuite/hakmem.tools/tree.sh" "$tree" env /bin/true /bin/sh \
    cat grep sort sed ls readlink /sbin/ldconfig mktemp chmod mv rm sync flock id \
    timeout cmp stat mkdir sleep >"$work/missing"
  cp -L /sbin/ldconfig* "$tree/sbin" # a script and a program, on Ubuntu
  : >"$tree/etc/ld.so.conf"
  printf '%s\n' /lib64 /usr/lib64 /lib /usr/lib >"$tree/etc/ld.so.conf"
  for dir in /lib/*-linux-gnu /usr/lib/*-linux-gnu; do
    [ ! -d "$tree$dir" ] || echo "$dir" >>"$tree/etc/ld.so.conf"
  done
}

on ()
{
  timeout -s KILL 120 chroot "$tree" env -i LC_ALL=C \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@" </dev/null >"$work/out" 2>&1
  status=$?
  { echo "== $*"; cat "$work/out"; } >>"$work/session"
  cat "$work/out"
  return $status
}

# The programs that packages need are not packages here: --nodeps.
in_root ()
{
  rpm --root "$tree" --dbpath /var/lib/rpm --nodeps "$@" >"$work/out" 2>&1
  status=$?
  { echo "== rpm $*"; cat "$work/out"; } >>"$work/session"
  cat "$work/out"
  return $status
}

# Directories that packages share are no package's here, and stay.
listing ()
{
  (cd "$tree" && find . -xdev \( -path ./proc -o -path ./var/lib/rpm \
     -o -path ./var/cache -o -path ./tmp \) -prune \
     -o ! -name ld.so.cache \( ! -type d -o -name '*hakmem*' \) -print | sort)
}

release_is ()
{
  rpm --root "$tree" --dbpath /var/lib/rpm -q --qf '%{RELEASE}' libhakmem |
    grep -q "$1\$"
}

# rpm renames the symbolic link before the file it leads to, and ld.so goes on
# without the library then.
least=0
tolerate ()
{
  grep -v 'libhakmem.* cannot be preloaded (cannot open shared object file)'
}
inner ()
{
  : >"$work/session"
  mount -t proc proc "$tree/proc" || exit 1
  echo '# of somebody else' >"$tree/etc/ld.so.preload"
  on ldconfig
  listing >"$work/before"
  # shellcheck disable=SC2046 # paths without blanks
  set -- $(find "$work/one/RPMS" -name '*.rpm')
  verdict root/install in_root -U "$@"
  verdict root/nothing_is_enabled is_off
  verdict root/run on /usr/bin/hakmem-run -- true
  verdict root/enable on hakmem-preload enable
  verdict root/in_force all_of is_on maps kept
  # shellcheck disable=SC2046
  verdict root/upgrade meanwhile in_root -U $(find "$work/next/RPMS" -name '*.rpm')
  verdict root/upgraded all_of is_on maps kept 'release_is \.2'
  verdict root/verify in_root -V libhakmem libhakmem-tools libhakmem-preload \
    libhakmem-devel libhakmem-doc
  verdict root/remove in_root -e libhakmem libhakmem-tools libhakmem-preload \
    libhakmem-devel libhakmem-doc
  verdict root/off all_of is_off kept
  listing >"$work/after"
  verdict left/no_file diff "$work/before" "$work/after"
  # shellcheck disable=SC2016
  verdict left/no_complaint sh -c \
    '! grep "ld\.so:\|ERROR: \|scriptlet failed" "$1"' sh "$work/session"
}

if [ "${1-}" = inner ]; then
  inner
  exit
fi
need_namespaces
command -v rpmbuild >/dev/null || skip "no rpmbuild"
if [ -n "$(find "$work" -maxdepth 0 2>/dev/null)" ]; then rm -rf "$work"; fi
mkdir -p "$work" || exit 1
release_archive
{ verdict build/archive build one .1 ${HAKMEM_TEST_RELEASE:+check}
  verdict build/next build next .2
  verdict build/contents contents
  if command -v rpmlint >/dev/null; then verdict build/lint lint
  else echo "skip build/lint: no rpmlint"
  fi
  make_root
  unshare -mpinuf --mount-proc sh "$0" inner </dev/null
} 2>&1 | tee "$work/result"
close_with "$work/result"
