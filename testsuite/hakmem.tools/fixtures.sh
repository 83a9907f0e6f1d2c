#!/bin/sh
# fixtures.sh DIR: the programs and preloads that run.sh and preload.sh work with,
# in DIR.  Environment: CC.  idle_static is left out where there is no static
# libc.
set -eu
src=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/link"
cd "$1"
# make NAME SOURCE FLAG...
make ()
{
  name=$1 source=$2
  shift 2
  # shellcheck disable=SC2086 # CC may have flags
  ${CC:-gcc} -std=gnu11 -O2 -g -Wall -fno-builtin -o "$name" "$src/$source" "$@"
}
preload () { make "$@" -shared -fPIC -nostartfiles; }

make idle idle.c
make own_malloc idle.c -DOWN_MALLOC -rdynamic
make own_malloc.so idle.c -DOWN_MALLOC -DLIBRARY -shared -fPIC
make idle_static idle.c -static 2>/dev/null || rm -f idle_static
preload nothing.so preloads.c
preload dies.so preloads.c -DDIES
preload prints.so preloads.c -DPRINTS
preload needs_other.so preloads.c -Wl,--no-as-needed -lm
preload link/libgone.so preloads.c -Wl,-soname,libgone.so
preload needs_gone.so preloads.c -Wl,--no-as-needed link/libgone.so
echo "GLIBC_9.99 { gone; };" >link/map
preload link/libc.so.6 preloads.c -DSTUB -nostdlib -Wl,-soname,libc.so.6 \
  -Wl,--version-script=link/map
preload version.so preloads.c -DNEEDS_VERSION -nostdlib -Wl,--no-as-needed \
  link/libc.so.6
