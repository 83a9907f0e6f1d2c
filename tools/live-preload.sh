#!/bin/sh
# live-preload.sh LIBDIR FILE: succeeds unless FILE (/etc/ld.so.preload) names a
# libhakmem.so in LIBDIR.  `make install` asks before it replaces the library.
# Knows the syntax of the file: words parted by blanks or colons, # comments,
# and $LIB or $PLATFORM, which stand for a directory chosen at run time.
set -u
libdir=$1
file=$2
test -r "$file" || exit 0

# The directory's real name, or the name itself if there is no such directory.
real () { (cd "$1" 2>/dev/null && pwd -P) || printf '%s\n' "$1"; }
target=$(real "$libdir")

refuse ()
{
  echo "live-preload: $file preloads $1 into every program." >&2
  echo "live-preload: installing over it breaks programs that start meanwhile;" \
       "take it out first (hakmem-preload disable)," \
       "or install with DESTDIR and rename into place." >&2
  exit 1
}

# set -f: a word of the file is no pattern.
set -f
for word in $(sed 's/#.*//' "$file" | tr ':' ' '); do
  case ${word##*/} in libhakmem.so*) ;; *) continue ;; esac
  case $word in
    *'$'*)
      head=${word%%'$'*}
      case $target/ in "$(real "${head%/}")"/*) refuse "$word" ;; esac
      case $libdir/ in "$head"*) refuse "$word" ;; esac ;;
    */*) test "$(real "${word%/*}")" != "$target" || refuse "$word" ;;
    *) refuse "$word" ;; # searched for by name: may well be this one
  esac
done
exit 0
