#!/bin/sh
# make check-packages: the Debian packages, from the release archive to a system
# that has nothing of them left:
#
#   build/     dpkg-buildpackage of the release archive with debian/ beside it
#              and of a copy of the checkout in a longer path, which must give the
#              same packages bit by bit, the source's too; their contents; lintian
#              (pedantic)
#   install/   the library, the tools and the manual in a Debian tree made by
#              debootstrap and looked at in namespaces of its own
#   preload/   hakmem-preload: enable, upgrade meanwhile, disable, the question,
#              remove, install again, remove the library below it
#   purge/     no file and no word of them is left, and ld.so said nothing
#   tests/     autopkgtest runs debian/tests there (HAKMEM_TEST_RELEASE)
#
# Prints `ok NAME' and `not ok NAME' lines and at last `N passed, N failed, N
# skipped'.  Root, debhelper, debootstrap and a Debian mirror are needed, or else
# it is skipped.
#
# Environment: MAKE, builddir (a configured build; default: here), srcdir (the
# top of the source, a checkout), HAKMEM_TEST_TREE (a system made before, which
# is copied; with man-db and python3), HAKMEM_TEST_SUITE (bookworm),
# HAKMEM_TEST_MIRROR, HAKMEM_TEST_RELEASE (yes: `make check' while the packages
# are built, and tests/; half an hour).  Writes only to $builddir/packages.work.
set -u
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
target=check-packages
# shellcheck source=testsuite/whole-system.sh
. "$srcdir/testsuite/whole-system.sh"
# shellcheck source=testsuite/debian-packages.sh
. "$srcdir/testsuite/debian-packages.sh"

# -------------------------------------------------------------- the packages

make_packages ()
{
  unpack
  if tar tf "$archive" | grep -q '/debian/'; then
    not_ok "build/debian is not in the release archive"
  fi
  (cd "$srcdir" && git ls-files -coz --exclude-standard 2>/dev/null | tar --null -T - -cf -) \
    >"$work/checkout.tar" || rm -f "$work/checkout.tar"
  verdict build/next build "$work/next" "$work/next/libhakmem-$version" -b
  [ -z "${HAKMEM_TEST_RELEASE-}" ] || options=
  verdict build/archive build "$work/one" "$work/one/libhakmem-$version"
  long=$work/two/of/a/longer/path
  if [ -s "$work/checkout.tar" ]; then
    mkdir -p "$long/source" && tar -C "$long/source" -xf "$work/checkout.tar" &&
      cp "$archive" "$long/libhakmem_$version.orig.tar.xz"
    verdict build/checkout build "$long" "$long/source"
    verdict build/same same_packages "$work/one" "$long"
  else
    echo "skip build/checkout: $srcdir is no git checkout"
  fi
  verdict build/contents contents
  if command -v lintian >/dev/null; then
    verdict build/lintian lintian --pedantic --fail-on \
      error,warning,info,pedantic "$work/one/"*.changes
  else
    echo "skip build/lintian: not installed"
  fi
}

same_packages ()
{
  bad=0
  for file in "$1"/*.deb "$1"/*.debian.tar.xz "$1"/*.dsc; do
    cmp "$file" "$2/${file##*/}" || bad=1
  done
  return $bad
}

# What only one of the packages may have, and no file in two.
contents ()
{
  bad=0
  for deb in "$work"/one/*.deb; do
    name=${deb##*/}
    name=${name%%_*}
    dpkg-deb --fsys-tarfile "$deb" | tar -tf - | sed -n '/\/$/!s|^\.||p' |
      sed "s|^|$name |"
  done >"$work/files"
  cut -d ' ' -f 2 "$work/files" | sort | uniq -d | grep . && bad=1
  lib="/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)"
  for row in "libhakmem1 $lib/libhakmem.so.1" "libhakmem-dev $lib/libhakmem.so" \
    "libhakmem-dev /usr/include/hakmem/hakmem.h" \
    "libhakmem-dev $lib/pkgconfig/hakmem.pc" \
    "hakmem-tools /usr/bin/hakmem-run" \
    "hakmem-tools /usr/libexec/hakmem/hakmem-helper" \
    "hakmem-tools /usr/share/man/man1/hakmem-run.1.gz" \
    "hakmem-preload /usr/sbin/hakmem-preload" \
    "hakmem-preload /usr/share/man/man8/hakmem-preload.8.gz" \
    "hakmem-doc /usr/share/doc/hakmem-doc/examples/hakmem.conf.example" \
    "hakmem-doc /usr/share/doc/hakmem-doc/html/index.html" \
    "hakmem-doc /usr/share/doc-base/hakmem-doc.hakmem-doc" \
    "hakmem-doc /usr/share/doc/hakmem-doc/theory-of-operation.gz"
  do
    grep -qxF "$row" "$work/files" || { echo "missing: $row"; bad=1; }
  done
  # Every page of the manual is in one of them.
  sed -n 's|^ *\(man/[^ ]*\.[1-8]\).*|\1|p' "$srcdir/man/pages.am" |
    while read -r page; do
      grep -q " .*/man${page##*.}/${page##*/}\.gz$" "$work/files" ||
        echo "missing: $page"
    done >"$work/missing"
  cat "$work/missing"
  grep -q "^libhakmem1-dbgsym .*\.debug$" "$work/files" ||
    { echo "no debug symbols"; bad=1; }
  grep '\.la$\|/etc/' "$work/files" && bad=1
  [ $bad = 0 ] && [ ! -s "$work/missing" ]
}

# ----------------------------------------------------------------- the system

make_tree ()
{
  debian_tree man-db,python3-minimal
  mkdir -p "$tree/opt/one" "$tree/opt/next" &&
    cp "$work"/one/*.deb "$tree/opt/one" &&
    cp "$work"/next/*.deb "$tree/opt/next" &&
    cp -r "$srcdir/debian/tests" "$tree/opt/tests" || exit 1
  rm -f "$tree"/opt/*/*dbgsym*
}

# debs DIR NAME...: their paths in the tree.
debs ()
{
  dir=$1
  shift
  for name; do
    (cd "$tree" && ls "opt/$dir/${name}"_*.deb) | sed 's|^|/|'
  done
}

# install DIR NAME...
install ()
{
  # shellcheck disable=SC2046 # a list of paths without blanks
  apt install $(debs "$@")
}

# Every file, and what is in those of /etc; not what dpkg, apt and man keep for
# themselves, some of which is searched for words instead.
listing ()
{
  (cd "$tree" &&
     find . -xdev \( -path ./proc -o -path ./opt -o -path ./tmp \
       -o -path ./var/log -o -path ./var/cache -o -path ./var/lib/apt \
       -o -path ./var/lib/dpkg -o -path './var/lib/systemd' \) -prune -o -print |
     sort
   find etc -type f ! -name ld.so.cache -exec md5sum '{}' + | sort)
}

manual ()
{
  on man hakmem | grep -q 'memory allocator for the programs' &&
    on man HAKMEM_LEARN | grep -q 'HAKMEM_LEARN' &&
    on man hakmem-run >/dev/null && on man 3 hakmem_ctl >/dev/null &&
    on apropos hakmem | grep -q '^hakmem (7)'
}

runs ()
{
  on hakmem-run -- true && on hakmem-run -- perl -e 'print "x" x 9, "\n"' |
    grep -qx xxxxxxxxx && on hakmem-run -- python3 -c 'print (6 * 7)' |
    grep -qx 42
}

# The answer, in the way that needs no terminal.
reconfigure ()
{
  printf '%s\n' '#!/bin/sh' "sed -i 's|enable=.*|enable=\"$1\"|' \"\$1\"" \
    >"$tree/opt/editor"
  chmod +x "$tree/opt/editor"
  editor=/opt/editor
  DEBIAN_FRONTEND=editor on dpkg-reconfigure -p low hakmem-preload
  ended=$?
  editor=
  return $ended
}

preseed ()
{
  echo "hakmem-preload hakmem-preload/enable boolean $1" >"$tree/tmp/answers"
  on debconf-set-selections /tmp/answers
  rm -f "$tree/tmp/answers"
}

inner ()
{
  enter_tree
  on ldconfig
  on mandb -q >/dev/null
  listing >"$work/before"

  verdict install/apt install one libhakmem1 hakmem-tools hakmem-doc
  verdict install/nothing_is_enabled is_off
  verdict install/manual manual
  verdict install/run runs
  verdict install/tests on env AUTOPKGTEST_TMP=/tmp sh /opt/tests/preload

  echo '# of somebody else' >"$tree/etc/ld.so.preload"
  verdict preload/apt install one hakmem-preload
  verdict preload/default_is_no is_off
  verdict preload/enable on hakmem-preload enable
  verdict preload/in_force all_of is_on maps kept
  # shellcheck disable=SC2086
  verdict preload/upgrade meanwhile install next $all
  verdict preload/upgraded all_of is_on maps kept 'version_is libhakmem1 2'
  # shellcheck disable=SC2046,SC2086
  verdict preload/reinstall meanwhile apt --reinstall install \
    $(debs next $all)
  verdict preload/reinstalled all_of is_on maps kept
  verdict preload/programs all_of runs manual
  # shellcheck disable=SC2046,SC2086
  verdict preload/downgrade meanwhile apt --allow-downgrades install \
    $(debs one $all)
  verdict preload/downgraded all_of is_on 'version_is libhakmem1 1'
  verdict preload/disable on hakmem-preload disable
  verdict preload/not_in_force all_of is_off kept
  # shellcheck disable=SC2086
  install next $all >/dev/null 2>&1
  verdict preload/upgrade_leaves_it_off all_of is_off 'version_is libhakmem1 2'
  verdict preload/answer_yes all_of 'reconfigure yes' is_on
  verdict preload/answer_no all_of 'reconfigure no' is_off kept
  verdict preload/enable_again on hakmem-preload enable
  verdict preload/remove meanwhile apt remove hakmem-preload
  verdict preload/removed all_of is_off kept
  verdict preload/install_again install next hakmem-preload
  verdict preload/as_it_was all_of is_on maps kept
  # The library goes, and with it what needs it, in the right order.
  verdict preload/remove_library meanwhile apt remove libhakmem1
  verdict preload/library_gone all_of is_off kept
  rm -f "$tree/etc/ld.so.preload"
  # shellcheck disable=SC2086
  verdict purge/apt on dpkg --purge $all
  preseed true
  # shellcheck disable=SC2086
  verdict purge/install_with_yes install one $all
  verdict purge/in_force all_of is_on maps
  verdict purge/tests on env AUTOPKGTEST_TMP=/opt sh /opt/tests/system
  verdict purge/at_once apt purge libhakmem1 hakmem-tools hakmem-preload \
    hakmem-doc libhakmem-dev
  verdict purge/off is_off
  listing >"$work/after"
  verdict purge/no_file diff "$work/before" "$work/after"
  verdict purge/no_word no_word
  verdict purge/ld.so_said_nothing nothing_said "$work/session"
}

# What debian/tests/control asks for is fetched by apt in the tree.
networked ()
{
  [ -n "${HAKMEM_TEST_RELEASE-}" ] || return 0
  command -v autopkgtest >/dev/null ||
    { echo "skip tests/autopkgtest: not installed"; return; }
  enter_tree
  rm -f "$work"/one/*dbgsym*
  verdict tests/autopkgtest env -u srcdir -u builddir autopkgtest --apt-upgrade \
    --no-built-binaries --output-dir "$work/tests" "$work"/one/*.deb \
    "$work"/one/*.dsc -- chroot "$tree"
}

check "$@"
