#!/bin/sh
# Run one program and say how it ended, which DejaGnu's own exec flattens.
#
#   run-one.sh PREFIX SECONDS LIBRARY|- [VAR=VALUE...] -- PROGRAM [ARGUMENT...]
#
# Standard output goes to PREFIX.out, standard error to PREFIX.err, and the
# last line printed here is EXIT:STATUS (128 + signal if one ended it; 137 also
# after the time limit).  Only PROGRAM is preloaded, not the helpers.
prefix=$1 seconds=$2 library=$3
shift 3
unset LD_PRELOAD
ulimit -c 0
# Move the assignments of PROGRAM's environment in front of it.
if [ "$library" != - ]; then
  set -- "LD_PRELOAD=$library" "$@"
fi
n=$#
while [ "$n" -gt 0 ]; do
  word=$1
  shift
  n=$((n - 1))
  if [ "$word" = -- ]; then
    break
  fi
  set -- "$@" "$word"
done
# Now the arguments are PROGRAM ARGUMENT... VAR=VALUE...; N of them are the
# program's.  Turn them round once more.
while [ "$n" -gt 0 ]; do
  word=$1
  shift
  n=$((n - 1))
  set -- "$@" "$word"
done
# A subshell of its own, so that what this shell says of a signal stays out.
(exec timeout -s KILL "$seconds" env "$@" </dev/null >"$prefix.out" \
      2>"$prefix.err") 2>/dev/null
echo "EXIT:$?"
