#!/bin/sh
# make check-release: what is to hold before the source is given away:
#
#   dist/       the release archive made here, from a copy of the checkout in a
#               longer path and another environment, and from the archive itself: the
#               same bits; no file of the checkout is missing but the packager's
#   distcheck/  the archive where its source can't be written to: built, tested,
#               installed, removed, cleaned; with every part on, and with every off
#   then check-packages and check-rpm, where `make check' runs while the packages
#   are built, and autopkgtest with what was installed
#
# Prints `ok NAME' and `not ok NAME' lines and at last `N passed, N failed, N
# skipped'.  It takes more than an hour.
#
# Environment: MAKE, builddir (a configured build; default: here), srcdir (the
# top of the source, a checkout), HAKMEM_TEST_FILES (.exp files for distcheck)
# and that of the others.  Writes only to $builddir/release.work, packages.work and
# rpm.work.
set -u
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
target=check-release
# shellcheck source=testsuite/whole-system.sh
. "$srcdir/testsuite/whole-system.sh"
files='unit.exp family.exp rules.exp options.exp table.exp binary.exp layers.exp'
files=${HAKMEM_TEST_FILES:-$files}
far=$work/a/path/longer/than/the/first
own=$work/own

# build DIR: the source in it, configured.
build () { mkdir -p "$1/build" && cd "$1/build" && ../source/configure -q; }

# dist DIR: its release archive.
dist () { "${MAKE:-make}" -C "$1/build" dist; }

files_here () { git -C "$srcdir" ls-files -co --exclude-standard "$@"; }

far_away ()
(
  umask 077
  mkdir -p "$far/source" || exit
  (cd "$srcdir" && files_here -z | tar --null -T - -cf -) |
    tar -C "$far/source" -xf - || exit
  (cd "$far/source" && autoreconf -fi) && (build "$far") &&
    TZ=Pacific/Auckland XZ_DEFAULTS=-T2 XZ_OPT=-1 TAR_OPTIONS=--format=pax \
      dist "$far"
)

of_its_own ()
{
  mkdir -p "$own/source" &&
    tar -C "$own/source" --strip-components 1 -xf "$archive" &&
    (build "$own") && dist "$own"
}

complete ()
{
  tar -tf "$archive" | sed 's|^[^/]*/||' | sort >"$work/archived"
  files_here | grep -v '^debian/\|^\.ci/\|^\.gitignore$' | sort |
    comm -23 - "$work/archived" >"$work/missing"
  sed 's/^/missing: /' "$work/missing"
  [ ! -s "$work/missing" ] &&
    ! grep '^debian/\|~$\|\.work/\|\.l\{0,1\}[ao]$' "$work/archived"
}

[ -e "$srcdir/.git" ] || skip "$srcdir is no git checkout"
rm -rf "$work"
mkdir -p "$work" || exit 1
HAKMEM_TEST_RELEASE=yes
export HAKMEM_TEST_RELEASE
release_archive
{ verdict dist/complete complete
  verdict dist/far_away far_away
  verdict dist/same cmp "$archive" "$far/build/${archive##*/}"
  verdict dist/of_its_own of_its_own
  verdict dist/again cmp "$archive" "$own/build/${archive##*/}"
  for switch in distcheck distcheck-off; do
    verdict "distcheck/$switch" \
      "${MAKE:-make}" -C "$own/build" "$switch" "RUNTESTFLAGS=$files"
  done
  for script in packages-tree rpm-root; do
    sh "$srcdir/testsuite/$script.sh" || not_ok "$script.sh"
  done
} 2>&1 | tee "$work/result"
close_with "$work/result"
