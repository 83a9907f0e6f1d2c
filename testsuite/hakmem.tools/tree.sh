#!/bin/sh
# tree.sh DIR FILE[=PLACE]...: a root to chroot to in DIR: each FILE, a path or a
# program's name, at its own path or at PLACE, with the libraries that it needs
# and an ld.so.cache of them, besides /proc, /tmp, /dev/null and an empty /etc.
# Prints what it could not find.
set -u
dir=$1
shift
LC_ALL=C
export LC_ALL
umask 022
mkdir -p "$dir/etc" "$dir/proc" "$dir/tmp" "$dir/dev" "$dir/usr" || exit 1
# As here, where /bin may be a link to usr/bin.
for name in bin sbin lib lib32 lib64 libx32; do
  if [ -L "/$name" ]; then
    mkdir -p "$dir/$(readlink "/$name")"
    ln -sfn "$(readlink "/$name")" "$dir/$name"
  fi
done

# put FILE PLACE: a copy, whatever links lead to FILE; once.
put ()
{
  [ ! -e "$dir$2" ] || return 0
  mkdir -p "$dir${2%/*}" && cp -L "$1" "$dir$2"
}

for word; do
  place=${word#*=}
  file=${word%%=*}
  case $file in
    */*) ;;
    *)
      file=$(command -v "$file") || { echo "$word"; continue; }
      place=$file ;;
  esac
  [ -e "$file" ] || { echo "$word"; continue; }
  put "$file" "$place" || exit 1
  ldd "$file" 2>/dev/null | tr '[:blank:]' '\n' | grep '^/' | while read -r library; do
    put "$library" "$library" || exit 1
  done
done
: >"$dir/dev/null"
ldconfig -r "$dir" 2>/dev/null
exit 0
