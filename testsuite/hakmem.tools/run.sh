#!/bin/sh
# run.sh HAKMEM-RUN LIBRARY FIXTURES: hakmem-run beside its helper, on LIBRARY,
# which has statistics.  FIXTURES has idle, idle_static and own_malloc.  Prints a
# line per test, and done.
set -u
program=$1 library=$2 fixtures=$3
LC_ALL=C TMPDIR=$fixtures/tmp PATH=/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL TMPDIR PATH
unset LD_PRELOAD
mkdir -p "$TMPDIR" || exit 1
cd "$TMPDIR" || exit 1

faults=
fault () { faults="$faults; $*"; }
ok ()
{
  for left in "$TMPDIR"/hakmem-run.*; do [ ! -e "$left" ] || fault "left: $left"; done
  if [ -z "$faults" ]; then printf '%s\n' "ok $1"
  else printf '%s\n' "not ok $1: ${faults#; }" | tr '\n' ' '; echo
  fi
  faults=
}
# run ARGUMENT...: sets $status, $out, $err.
run ()
{
  sh "$program" --library "$library" "$@" >out 2>err </dev/null
  status=$?
  out=$(cat out) err=$(cat err)
}
expect () { [ "$status" = "$1" ] || fault "exit status $status, not $1: $out $err"; }
says () { case $err in *"$1"*) ;; *) fault "does not say $1: $err" ;; esac; }
silent () { case $err in *"$1"*) fault "says $1: $err" ;; esac; }
one_line () { [ "$(wc -l <err)" = 1 ] || fault "not one line: $err"; }

run ls /dev/null; expect 0; says "-- libhakmem: ls --"; says "hakmem: the process held"
[ "$out" = /dev/null ] || fault "prints $out"
[ "$(wc -l <err)" -le 7 ] || fault "long: $err"
ok summary
run -- ls /nonexistent; expect 2; says "the process held"; ok "exit status"
run --no-summary -- sh -c 'exit 41'; expect 41; [ -z "$err" ] || fault "$err"
ok "no summary"
run --stats ls /dev/null; expect 0; says "system calls"; ok stats
run --no-summary cat /proc/self/maps; expect 0
case $out in *libhakmem*) ;; *) fault "not in the process" ;; esac
ok "the library is in the program"

# ---------------------------------------------------------------------- options
for name in retain RETAIN HAKMEM_RETAIN; do
  # shellcheck disable=SC2016 # that shell's
  run -o "$name=3M" --no-summary -- sh -c 'echo $HAKMEM_RETAIN'; expect 0
  [ "$out" = 3M ] || fault "$name: $out $err"
done
# shellcheck disable=SC2016
run -oretain=1 -o tiny-sll-cap=9 -o fail_fast=report --no-summary sh -c \
  'echo $HAKMEM_RETAIN $HAKMEM_TINY_SLL_CAP $HAKMEM_FAIL_FAST'
expect 0; [ "$out" = "1 9 report" ] || fault "$out $err"
ok options
run -o retian=1 true; expect 125; one_line; says HAKMEM_RETAIN; ok "unknown option"
run -o retain=much true; expect 125; one_line; says "valid:"; ok "a bad value"
run -o retain true; expect 125; one_line
run -o '=3' true; expect 125; one_line
run -o 'a b=3' true; expect 125; one_line
run -o "retain=1
2" true; expect 125; one_line
run -o; expect 125; one_line
run --bad true; expect 125; one_line
run; expect 125; one_line
run -o stats=off true; expect 125; one_line
ok "wrong command lines"
HAKMEM_RETIAN=1; export HAKMEM_RETIAN
run --no-summary true; expect 0; one_line; says HAKMEM_RETAIN
run -o retain=1 --no-summary true; expect 0; one_line
unset HAKMEM_RETIAN
ok "a wrong variable is told"
printf '%s\n' 'disable = 1' 'retian = 1' >conf
HAKMEM_CONF=$TMPDIR/conf; export HAKMEM_CONF
run ls /dev/null; expect 0; says RETAIN; says "-o disable=0"; says "no summary"
run -o disable=0 ls /dev/null; expect 0; says RETAIN; silent "-o disable=0"
says "the process held"
run -o retian=1 true; expect 125; one_line
unset HAKMEM_CONF
ok "a configuration file"
run --policy nonexistent true; expect 125; one_line; says nonexistent
run -o policy_save="$TMPDIR/policy" --no-summary ls /dev/null; expect 0
[ -s policy ] || fault "no policy"
mkdir -p sub
# shellcheck disable=SC2016
run --policy policy --no-summary sh -c 'cd sub && echo $HAKMEM_POLICY_FILE && ls /dev/null'
expect 0; [ -z "$err" ] || fault "$err"
case $out in "$TMPDIR/policy"*) ;; *) fault "$out" ;; esac
echo damaged >>policy
run --policy policy true; expect 125; one_line
ok policy
run -o policy_save="$TMPDIR/%n.policy" --no-summary ls /dev/null; expect 0
[ -s ls.policy ] || fault "no policy"
run --policy "$TMPDIR/%n.policy" ls /dev/null; expect 0; silent policy
HAKMEM_POLICY_FILE="$TMPDIR/%n.policy" run ls /dev/null; expect 0; silent policy
ok "a policy for each program"
echo "# kept" >saved
run -o policy_save="$TMPDIR/saved" -o retian=1 true; expect 125
[ "$(cat saved)" = "# kept" ] || fault "a trial wrote the policy"
ok "trials write nothing"

# --------------------------------------------------------- env's exit statuses
run /nonexistent/program; expect 127; one_line
run no-such-program; expect 127; one_line
: >plain
run ./plain; expect 126; one_line
run .; expect 126; one_line
for form in --stats --no-summary; do run $form no-such-program; expect 127; one_line; done
ok "programs that can't be started"
for bad in /nonexistent "$TMPDIR/plain" libhakmem.so; do
  sh "$program" --library "$bad" true >out 2>err
  status=$? out=$(cat out) err=$(cat err)
  expect 125; one_line
done
ok "libraries that can't be used"

# shellcheck disable=SC3045 # dash and bash know -v
(ulimit -v 20000 && run -o retain=1M ls /dev/null; expect 0; says "the process held"
 ok "little address space")
mkdir -p tools # where a cd by CDPATH would go
(cd "$(dirname "$program")/.." &&
   CDPATH=$TMPDIR sh tools/hakmem-run --no-summary true) >out 2>err
status=$? out=$(cat out) err=$(cat err)
expect 0; [ -z "$out$err" ] || fault "$out $err"
ok "by another path"

# ---------------------------------------------------------------- what it is not
LD_PRELOAD=$fixtures/nothing.so; export LD_PRELOAD
run --no-summary cat /proc/self/maps; expect 0
unset LD_PRELOAD
for name in nothing.so libhakmem; do
  case $out in *"/$name"*) ;; *) fault "no $name in the process" ;; esac
done
ok "other preloads are kept"
if [ -e "$fixtures/idle_static" ]; then
  run "$fixtures/idle_static"; expect 0; one_line; says "statically linked"
  [ "$out" = up ] || fault "not run: $out"
  ok "a static program"
else echo "skip a static program: no static libc"
fi
run "$fixtures/own_malloc"; expect 0; one_line; says "malloc of its own"
ok "a program with a malloc of its own"
cp "$fixtures/idle" setuid
if [ "$(id -u)" = 0 ] && chown 65534 setuid && chmod 4755 setuid; then
  run ./setuid; expect 0; one_line; says setuid; ok "a setuid program"
else echo "skip a setuid program: not root"
fi
printf '#!%s\n' "$fixtures/own_malloc" >script
chmod 755 script
run ./script; expect 0; says "malloc of its own"; ok "a script"

# ---------------------------------------------------------------------- signals
# start ARGUMENT...: in the background, until it says that it is up.
start ()
{
  rm -f in up
  mkfifo in up
  sh "$program" --library "$library" "$@" <in >up 2>err &
  pid=$!
  exec 8>in 9<up
  read -r _ <&9
}
end () { wait "$pid"; status=$? out='' err=$(cat err); exec 8>&- 9<&-; }
for form in --stats --no-summary; do
  start $form "$fixtures/idle"; kill -USR1 "$pid"; end; expect 9
  start $form "$fixtures/idle"; kill -TERM "$pid"; end; expect 143
done
ok "signals pass"
start "$fixtures/idle"; kill -KILL "$pid"
cat <&9 >/dev/null # to its end, which the program's is
end; expect 137
rm -rf "$TMPDIR"/hakmem-run.* # nobody is left to do it
ok "killed with its program"
run sh -c 'kill -SEGV $$'; expect 139; says "no summary"; ok "a program that crashes"
# shellcheck disable=SC2016
run bash -c 'ls / >ls.out; ls / >ls.out; exit 3'; expect 3; says "2 other processes"
ok "other processes are counted"
run --help; expect 0
run --version; expect 0
ok "help and version"
cd /
rm -rf "$TMPDIR"
echo "done"
