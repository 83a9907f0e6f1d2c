# What check-packages and check-day share, beyond whole-system.sh: our packages,
# and commands in the Debian tree they are installed in.
# shellcheck disable=SC2034,SC2154

all='libhakmem1 libhakmem-dev hakmem-doc hakmem-tools hakmem-preload'

# ------------------------------------------------------------- the packages

need_debhelper ()
{
  command -v dh >/dev/null || skip "no debhelper"
  [ -d "$srcdir/debian" ] || skip "no debian/ in $srcdir: not a checkout"
}

# unpack: the release archive with debian/ beside it, in $work/one, where it lies
# as the source package's, and, a version later, $work/next.  Sets $archive and
# $version.
unpack ()
{
  release_archive
  for dir in one next; do
    mkdir -p "$work/$dir" && tar -C "$work/$dir" -xf "$archive" &&
      cp -a "$srcdir/debian" "$work/$dir/libhakmem-$version/" || exit 1
  done
  next_version "$work/next/libhakmem-$version" &&
    cp "$archive" "$work/one/libhakmem_$version.orig.tar.xz" || exit 1
}

# next_version SOURCE: a further entry in its changelog.
next_version ()
{
  sed '1s/-1)/-2)/' "$1/debian/changelog" >"$work/changelog" &&
    echo >>"$work/changelog" &&
    cat "$1/debian/changelog" >>"$work/changelog" &&
    cp "$work/changelog" "$1/debian/changelog"
}

# build DIR SOURCE FLAG...: packages and what dpkg-buildpackage said, in DIR.
build ()
{
  (cd "$2" && shift 2 &&
     DEB_BUILD_OPTIONS=${options-nocheck} dpkg-buildpackage -us -uc "$@") \
    >"$1/log" 2>&1 && return
  tail -n 5 "$1/log" | sed 's/^/# /'
  return 1
}

# ---------------------------------------------------------------- the check

# check "$@": $target from its needs to the closing line.  The script's own are
# make_packages, make_tree, inner, which runs in namespaces of its own, and perhaps
# networked, which has the machine's network.
check ()
{
  case ${1-} in
    inner | networked)
      $1
      return ;;
  esac
  need_namespaces
  need_debhelper
  need_debootstrap
  rm -rf "$work"
  mkdir -p "$work" || exit 1
  { make_packages
    make_tree >&2
    unshare -mpinuf --mount-proc sh "$0" inner </dev/null
    ! command -v networked >/dev/null ||
      unshare -mpiuf --mount-proc sh "$0" networked </dev/null
  } 2>&1 | tee "$work/result"
  close_with "$work/result"
}

# ----------------------------------------------------------------- the tree

# The tree as a mount of its own, for programs in it to make namespaces, with
# devices that are not the machine's: a daemon's /dev/log stays in there.
enter_tree ()
{
  dev=$tree/dev
  mount --bind "$tree" "$tree" && mount -t proc proc "$tree/proc" &&
    mount -t tmpfs -o mode=755 dev "$dev" && mkdir "$dev/pts" "$dev/shm" &&
    mount -t devpts -o newinstance,ptmxmode=666 pts "$dev/pts" &&
    mount -t tmpfs -o mode=1777 shm "$dev/shm" || exit 1
  while read -r name major minor; do
    mknod -m 666 "$dev/$name" c "$major" "$minor" || exit 1
  done <<END
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
END
  ln -s pts/ptmx "$dev/ptmx" && ln -s /proc/self/fd "$dev/fd" || exit 1
  # Nothing of the kernel's is to be set or read from in there.
  mount --bind "$tree/proc/sys" "$tree/proc/sys" &&
    mount -o remount,bind,ro "$tree/proc/sys" || exit 1
  [ ! -e "$tree/proc/kmsg" ] || mount --bind "$dev/null" "$tree/proc/kmsg" ||
    exit 1
  # A crash of the machine ends the test in any case.
  echo force-unsafe-io >"$tree/etc/dpkg/dpkg.cfg.d/test" || exit 1
  : >"$work/session"
}

# on COMMAND...: in the tree; all that it says goes to the log as well.
on ()
{
  echo "== $*" >>"$work/session"
  timeout -s KILL 300 chroot "$tree" env -i HOME=/root TERM=dumb LC_ALL=C \
    DEBIAN_FRONTEND="$DEBIAN_FRONTEND" ${editor:+"EDITOR=$editor"} \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@" </dev/null >"$work/out" 2>&1
  status=$?
  cat "$work/out" >>"$work/session"
  cat "$work/out"
  return $status
}
editor=

apt () { on apt-get -q -y -o Dpkg::Use-Pty=0 --no-install-recommends "$@"; }

# shellcheck disable=SC2016 # a format of dpkg-query
version_is () { on dpkg-query -W -f '${Version}' "$1" | grep -q -- "-$2\$"; }

# In what dpkg, debconf and apt remember.  (man keeps pages that it formatted, and
# their names, until its daily job.)
no_word ()
{
  ! grep -rl hakmem "$tree/etc" "$tree/var/lib/dpkg" "$tree/var/cache/debconf" \
      "$tree/var/lib/apt" | grep -v -e '-old$' | grep .
}

# nothing_said FILE...: neither by ld.so nor, about a fault, by the library.
nothing_said () { ! grep -n 'ld\.so:\|LD_PRELOAD.*cannot\|ERROR: ' "$@"; }
