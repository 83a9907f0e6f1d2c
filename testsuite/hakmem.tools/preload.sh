#!/bin/sh
# preload.sh TREE HAKMEM-PRELOAD ENTRY FIXTURES [WORD...]: hakmem-preload on the
# root TREE (tree.sh), in which ENTRY is the library and has its helper; as root,
# in a mount namespace of its own.  FIXTURES has what preload.exp compiled: idle,
# idle_static and own_malloc, programs, and preloads.  Prints a line per test, and
# done.  With WORDs, only the parts of that name.  Environment: CONF, the library's
# file of options (/etc/hakmem.conf).
# shellcheck disable=SC3044 # enable is a word here
set -u
tree=$1 preload=$2 entry=$3 fixtures=$4
shift 4
only=$*
file=$tree/etc/ld.so.preload
conf=$tree${CONF:-/etc/hakmem.conf}
library=$tree$entry
LC_ALL=C
export LC_ALL
umask 022
work=$tree.work
rm -rf "$work"
mkdir -p "$work" || exit 1
mount -t proc proc "$tree/proc" || exit 77
cp -p "$library" "$work/library"
rm "$library" # it may be a link
cp -p "$work/library" "$library"
entry_line="$entry
"

report () { printf '%s\n' "$*"; }
# ok NAME: the last tests' verdict.  fault WHY: what fails the test at hand.
faults=
fault () { faults="$faults; $*"; }
ok ()
{
  if [ -z "$faults" ]; then report "ok $1"
  else report "not ok $1: ${faults#; }" | tr '\n' ' '; echo
  fi
  faults=
}
wanted ()
{
  [ -z "$only" ] && return 0
  case " $only " in *" $1 "*) return 0 ;; esac
  return 1
}

# run VERB...: hakmem-preload on the tree; sets $status, $out, $err.
run ()
{
  sh "$preload" "$@" --root "$tree" >"$work/out" 2>"$work/err"
  status=$?
  out=$(cat "$work/out") err=$(grep -v ': note: ' "$work/err")
}
expect () { [ "$status" = "$1" ] || fault "exit status $status, not $1: $out $err"; }
quiet () { [ -z "$err" ] || fault "stderr: $err"; }
one_line ()
{
  [ "$(wc -l <"$work/err")" = 1 ] || fault "not one line: $(cat "$work/err")"
  case $err in "hakmem-preload: "*) ;; *) fault "says: $err" ;; esac
}
says () { case $out$err in *"$1"*) ;; *) fault "does not say $1: $out $err" ;; esac; }
# The file has just these bytes; "" means that there is no file.
holds ()
{
  printf %s "$1" >"$work/want"
  if [ -z "$1" ]; then
    [ ! -e "$file" ] || fault "the file is there: $(cat "$file")"
  else cmp -s "$work/want" "$file" || fault "the file holds: $(cat "$file")"
  fi
}
nothing_left ()
{
  for left in "$file".*; do [ ! -e "$left" ] || fault "left: $left"; done
}
reset () { rm -rf "$file" "$file".*; }
in_tree () { chroot "$tree" env -i PATH=/usr/bin:/bin "$@"; }
serves () # without being told by a variable
{
  in_tree cat /proc/self/maps 2>&1 | grep -q libhakmem
}

if wanted life; then
  reset
  run status; expect 3; quiet; says "not enabled"; ok "status, not enabled"
  run check; expect 0; quiet; says "no problem"; ok check
  run disable; expect 0; quiet; holds ''; ok "disable, not enabled"
  run enable; expect 0; quiet; says enabled; holds "$entry_line"; nothing_left
  [ "$(stat -c %a%u "$file")" = 6440 ] || fault "mode: $(stat -c %a%u "$file")"
  serves || fault "the library is not in programs"
  ok enable
  inode=$(stat -c %i "$file")
  run enable; expect 0; quiet; says already; holds "$entry_line"
  [ "$inode" = "$(stat -c %i "$file")" ] || fault "another file"
  ok "enable again"
  run status; expect 0; says "by line 1"; ok "status, enabled"
  run check; expect 0; quiet; says "enabled by line 1"; ok "check, enabled"
  run disable; expect 0; quiet; holds ''; nothing_left
  serves && fault "the library is still in programs"
  ok disable
  run disable; expect 0; quiet; holds ''; ok "disable again"
  : >"$file"
  run enable; expect 0; holds "$entry_line"; run disable; holds ''
  ok "an empty file"
fi

# --------------------------------------------------------------- others' lines

# kept NAME BEFORE ENABLED AFTER
kept ()
{
  reset
  printf %s "$2" >"$file"
  run enable; expect 0; quiet; holds "$3"
  run status; expect 0
  run disable; expect 0; quiet; holds "$4"
  ok "others, $1"
}
if wanted others; then
  mkdir -p "$tree/opt"
  cp "$fixtures/nothing.so" "$tree/opt/nothing.so"
  tab=$(printf '\t')
  with=" /opt/nothing.so$tab$tab

# libhakmem.so.1 is not this: that
"
  kept "a library and a comment" "$with" "$with$entry_line" "$with"
  kept "no newline at the end" "# only this" "# only this
$entry_line" "# only this
"
  kept "two on a line" "/opt/nothing.so:$entry  # both" \
    "/opt/nothing.so:$entry  # both" "/opt/nothing.so  # both"
  # It was named once already: only the form is another.
  reset
  printf '%s /opt/nothing.so\n' "$entry" >"$file"
  run disable; expect 0; holds "/opt/nothing.so
"
  ok "others, behind ours"
  printf '%s\n' /opt/nothing.so "$entry # ours" >"$file"
  run enable; expect 0; says "by line 2"; run disable; holds "/opt/nothing.so
"
  ok "others, a comment behind ours goes with it"
  printf '# zero \0 byte\n' >"$file"
  cp "$file" "$work/zero"
  run enable; expect 1; one_line; cmp -s "$work/zero" "$file" || fault "changed"
  ok "others, a file with zero bytes is left alone"
  cp "$fixtures/own_malloc.so" "$tree/opt/own_malloc.so"
  echo /opt/own_malloc.so >"$file"
  run enable; expect 1; one_line; says "another allocator"; holds "/opt/own_malloc.so
"
  nothing_left
  ok "others, a malloc before ours"
  # Of several comments, glibc takes words of the later ones for names.
  printf '%s\n' "# a" "/usr/lib/old/libhakmem.so.0" "# b" "# c" >"$file"
  cp "$file" "$work/same"
  run enable; expect 1; one_line; says "before anything is changed"
  cmp -s "$work/same" "$file" || fault "changed"
  ok "others, programs that print before"
  echo /opt/gone.so >"$file"
  run enable; expect 1; one_line; says /opt/gone.so; holds "/opt/gone.so
"
  ok "others, a library that is missing"
  for name in "$file" "$tree/etc"; do
    reset
    mv "$tree/etc" "$tree/etc.real"
    mkdir "$work/elsewhere"
    if [ "$name" = "$file" ]; then
      mv "$tree/etc.real" "$tree/etc"
      ln -s "$work/elsewhere/x" "$file"
    else ln -s "$work/elsewhere" "$tree/etc"
    fi
    for verb in enable disable; do
      run $verb; expect 1; one_line; says "symbolic link"
    done
    [ -z "$(ls "$work/elsewhere")" ] || fault "written through the link"
    rmdir "$work/elsewhere"
    rm -f "$name"
    [ ! -e "$tree/etc.real" ] || mv "$tree/etc.real" "$tree/etc"
  done
  ok "others, links are not followed"
  reset
  printf %s "$entry_line" >"$file"
  mount --bind "$file" "$file"
  run disable; expect 0; grep -q "in place" "$work/err" || fault "no note"
  [ ! -s "$file" ] || fault "the file holds: $(cat "$file")"
  run enable; expect 1; one_line; says "can't be replaced"
  [ ! -s "$file" ] || fault "the file holds: $(cat "$file")"
  umount "$file"
  nothing_left
  ok "others, a file that can't be renamed"
  mount -t tmpfs -o size=4k,mode=755 none "$tree/etc"
  echo /opt/nothing.so >"$file"
  run enable; expect 1; says "can't be replaced"; holds "/opt/nothing.so
"
  nothing_left
  umount "$tree/etc"
  ok "others, a full disk"
  reset
  mkdir "$file"
  run enable; expect 1; one_line; run disable; expect 1; one_line; rmdir "$file"
  ok "others, a directory"
fi

# -------------------------------------------------------------------- refusals

# refused NAME TEXT [OPTION...]: enable and check say TEXT, and nothing changes;
# then the library is put right.
refused ()
{
  name=$1 text=$2
  shift 2
  reset
  echo "# mine" >"$file"
  run enable "$@"; expect 1; one_line; says "$text"; holds "# mine
"
  nothing_left
  run check "$@"; expect 1; says "problem: "; says "$text"
  ok "refused, $name"
  rm -rf "$library"
  cp -p "$work/library" "$library"
}
if wanted refused; then
  size=$(stat -c %s "$library")
  for cut in "10 bytes" "200 bytes" "5000 bytes" "$((size / 2)) half" \
    "$((size - 1)) all but one"; do
    head -c "${cut%% *}" "$work/library" >"$library"
    case $cut in *bytes) ;; *) cut=${cut#* } ;; esac
    refused "cut to $cut" "$entry"
  done
  : >"$library"; refused "an empty library" "no ELF file"
  rm "$library"; refused "a missing library" "No such file"
  rm "$library"; mkdir "$library"; refused "a directory" "no file"
  printf '\001' | dd of="$library" bs=1 seek=4 conv=notrunc 2>/dev/null
  refused "the wrong word size" "32-bit"
  printf '\267' | dd of="$library" bs=1 seek=18 conv=notrunc 2>/dev/null
  refused "another machine" "can't load"
  chmod 600 "$library"; refused "unreadable for users" "can't be read"
  chmod 666 "$library"; refused "writable by everybody" "written by everybody"
  if chown 65534 "$library" 2>/dev/null; then
    refused "a user's file" "belongs to user 65534"
  else report "skip refused, a user's file: not root"
  fi
  dir=$(dirname "$library")
  chmod 1777 "$dir"; refused "in a directory open to all" "written by everybody"
  chmod 700 "$dir"; refused "in a closed directory" "can't be searched"
  chmod 755 "$dir"
  mkdir -m 777 "$tree/open"
  ln -s "$entry" "$tree/open/libhakmem.so.1"
  refused "by a link in a directory open to all" "written by everybody" \
    --library /open/libhakmem.so.1
  rm -r "$tree/open"
  for variant in needs_other needs_gone; do
    cp "$fixtures/$variant.so" "$library"; refused "$variant" "nothing but libc"
  done
  cp "$fixtures/version.so" "$library"; refused "a version of libc's too new" GLIBC_9.99
  cp "$fixtures/nothing.so" "$library"; refused "another library" "does not serve"
  cp "$fixtures/own_malloc.so" "$library"; refused "another allocator" "does not serve"
  cp "$fixtures/dies.so" "$library"; refused "one that kills programs" SIGILL
  cp "$fixtures/prints.so" "$library"; refused "one that prints" "a word too many"
  refused "no path" "absolute path" --library libhakmem.so.1
  refused "a name that is not known again" "not called" --library /opt/other.so
  refused "a path with a blank" "takes no path" --library "/opt/a b/libhakmem.so.1"
  # shellcheck disable=SC2016 # ld.so's
  refused '$ORIGIN' "only" --library '/usr/$ORIGIN/libhakmem.so.1'
  reset
  # The file is good, but not who asks.
  if setpriv --reuid=65534 --regid=65534 --clear-groups true 2>/dev/null; then
    for verb in enable disable; do
      echo "$entry" >"$file"
      setpriv --reuid=65534 --regid=65534 --clear-groups sh "$preload" $verb \
        --root "$tree" >"$work/out" 2>"$work/err"
      status=$? out='' err=$(cat "$work/err")
      expect 1; one_line; says "be root"; holds "$entry_line"
    done
    ok "refused, a user"
  else report "skip refused, a user: no setpriv"
  fi
  reset
  for wrong in "" "enable disable" "--root" "enable --bad" "enabled"; do
    # shellcheck disable=SC2086
    sh "$preload" $wrong >"$work/out" 2>"$work/err"
    status=$? out='' err=$(cat "$work/err")
    expect 2; one_line
  done
  ok "refused, wrong command lines"
fi

# ------------------------------------------------------- after it was enabled

if wanted back; then
  # A program that is content before and prints when the file is in force.
  mv "$tree/usr/bin/ls" "$work/ls"
  cat >"$tree/usr/bin/ls" <<'END'
#!/bin/sh
[ -e /etc/ld.so.preload ] || exit 0
while read -r line; do
  case $line in *libhakmem*) echo "a late word" >&2 ;; esac
done </etc/ld.so.preload
END
  chmod 755 "$tree/usr/bin/ls"
  for old in '' "# mine
"; do
    reset
    [ -z "$old" ] || printf %s "$old" >"$file"
    run enable; expect 1; one_line; says "a late word"; says "as it was"
    holds "$old"; nothing_left
  done
  ok "rolled back"
  # The same with a signal in place of a word.
  # shellcheck disable=SC2016 # that shell's
  sed -i 's/echo .*>&2/kill -TERM $(cat \/tmp\/pid)/' "$tree/usr/bin/ls"
  reset
  printf %s "$old" >"$file"
  sh -c 'echo $$ >"$1/tmp/pid"; exec sh "$2" enable --root "$1"' sh "$tree" \
    "$preload" >"$work/out" 2>"$work/err"
  status=$? out='' err=''
  expect 1; holds "$old"; nothing_left
  ok "rolled back when it is ended by a signal"
  rm "$tree/usr/bin/ls" "$tree/tmp/pid"; mv "$work/ls" "$tree/usr/bin/ls"
fi

# Killed at any moment: the old file or the new one, and the next run mends.
if wanted killed; then
  old="# mine
"
  new=0 kept=0
  for hundredths in 02 06 12 18 24 30 36 42 50 60; do
    reset
    printf %s "$old" >"$file"
    TMPDIR=$work timeout -s KILL "0.$hundredths" sh "$preload" enable \
      --root "$tree" >/dev/null 2>&1
    if [ "$(cat "$file")" = "# mine" ]; then kept=$((kept + 1))
    else holds "$old$entry_line"; new=$((new + 1))
    fi
  done
  [ "$kept" -gt 0 ] || fault "never killed before the change"
  run enable; expect 0; holds "$old$entry_line"; nothing_left
  report "# killed: $kept times the old file, $new times the new"
  ok "killed at any moment"
fi

if wanted together; then
  reset
  echo "# mine" >"$file"
  for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    sh "$preload" enable --root "$tree" >"$work/out.$i" 2>&1 || : >"$work/bad.$i" &
  done
  wait
  for bad in "$work"/bad.*; do
    [ ! -e "$bad" ] || fault "$(cat "$work/out.${bad##*.}")"
  done
  holds "# mine
$entry_line"
  nothing_left
  [ "$(cat "$work"/out.* | grep -c '^enabled')" = 1 ] || fault "not one did it"
  ok "20 at once"
fi

# -------------------------------------------------------------- broken preload

if wanted broken; then
  reset
  mkdir -p "$tree/opt"
  cp "$fixtures/nothing.so" "$tree/opt/nothing.so"
  cp "$preload" "$tree/tmp/hakmem-preload"
  old="# mine
/opt/nothing.so
"
  for before in '' "$old"; do
    printf %s "$before$entry_line" >"$file"
    head -c 5000 "$work/library" >"$library"
    in_tree true >/dev/null 2>&1 && fault "the library is not broken"
    run disable; expect 0; quiet; holds "$before"
    rm -f "$library"; cp -p "$work/library" "$library"
  done
  ok "disable with a broken library, from outside"
  # The shell below starts before the file is there.
  for old in '' "# mine
/opt/nothing.so
"; do
    reset
    head -c 5000 "$work/library" >"$library"
    printf %s "$old$entry_line" >"$tree/tmp/broken"
    # shellcheck disable=SC2016 # that shell's
    in_tree sh -c '
      line= text=
      while IFS= read -r line; do text="$text$line
"; done </tmp/broken
      printf %s "$text" >/etc/ld.so.preload
      (/bin/true) 2>/dev/null && echo "programs run"
      (set -- disable; . /tmp/hakmem-preload) || echo "exit status $?"
      /bin/true || echo "programs do not run"' >"$work/out" 2>"$work/err"
    status=$? out=$(cat "$work/out") err=$(grep -v ': note: ' "$work/err")
    expect 0; says disabled
    case $out in *"programs"*run*) fault "$out" ;; esac
    if [ -n "$old" ]; then holds "$old"
    else [ ! -s "$file" ] || fault "the file holds: $(cat "$file")"
    fi
    rm -f "$library"; cp -p "$work/library" "$library"
  done
  ok "disable with a broken library, by a shell alone"
  rm -f "$tree/tmp/hakmem-preload"
  reset
fi

# ------------------------------------------------------------- options, $LIB

if wanted options; then
  reset
  HAKMEM_LERN=1 HAKMEM_RETAIN=much; export HAKMEM_LERN HAKMEM_RETAIN
  run check; expect 1
  says "problem: no variable HAKMEM_LERN"; says "problem: HAKMEM_RETAIN=much"
  unset HAKMEM_LERN HAKMEM_RETAIN
  ok "check shows wrong variables"
  mkdir -p "${conf%/*}"
  printf '%s\n' '[one]' 'retian = 1' '[two]' 'retain = much' >"$conf"
  run check; expect 1
  says "hakmem.conf"; says RETAIN; says "valid:"
  [ "$(grep -c '^problem: ' "$work/out")" = 2 ] || fault "not two: $out"
  run enable; expect 0; quiet; run disable
  ok "check shows wrong lines of the configuration file"
  echo 'disable = 1' >"$conf"
  run check; expect 0; says "note: a configuration file turns"
  run enable; expect 0; holds "$entry_line"
  grep -q "note: a configuration file turns" "$work/err" || fault "no note"
  serves || fault "the library is not in programs"
  run disable; expect 0
  ok "off for most"
  rm "$conf"
fi

if wanted lib; then
  reset
  case $entry in
    /usr/lib/*-linux-*/libhakmem.so.1 | /usr/lib64/libhakmem.so.1)
      # shellcheck disable=SC2016 # ld.so's
      for lib in '$LIB' '${LIB}'; do
        run enable --library "/usr/$lib/libhakmem.so.1"
        expect 0; quiet; holds "/usr/$lib/libhakmem.so.1
"
        serves || fault "the library is not in programs"
        run check; expect 0; says "enabled by line 1"
        run disable; holds ''
      done
      ok "by \$LIB"
      head -c 5000 "$work/library" >"$library"
      # shellcheck disable=SC2016
      refused '$LIB, truncated' truncated --library '/usr/$LIB/libhakmem.so.1'
      rm "$library"
      # shellcheck disable=SC2016
      refused '$LIB, missing' "is for the programs" --library '/usr/$LIB/libhakmem.so.1'
      ;;
    *) report "skip by \$LIB: the library is not where it leads" ;;
  esac
  reset
fi

if wanted bits; then
  reset
  if [ -e /lib/ld-linux.so.2 ] && [ -e /lib32/libc.so.6 ] &&
     [ ! -e "$tree/lib/ld-linux.so.2" ]; then
    mkdir -p "$tree/lib32"
    cp -L /lib/ld-linux.so.2 "$tree/lib/ld-linux.so.2"
    cp -L /lib32/libc.so.6 "$tree/lib32/libc.so.6"
    run enable; expect 0; holds "$entry_line"
    grep -q ": note: programs of /lib/ld-linux.so.2 " "$work/err" ||
      fault "no note: $(cat "$work/err")"
    [ "$(wc -l <"$work/err")" = 1 ] || fault "says: $(cat "$work/err")"
    run disable; expect 0; holds ''
    rm -f "$tree/lib/ld-linux.so.2" "$tree/lib32/libc.so.6"
    ok "programs of another word size"
  else report "skip programs of another word size: no 32-bit libc here"
  fi
fi

# ---------------------------------------------------------------------- status

# idle NAME [VAR=VALUE...] PROGRAM: start it in the tree, waiting for the end
# of its input; its number goes into $NAME.
idle ()
{
  name=$1
  shift
  mkfifo "$work/$name" "$work/$name.out"
  chroot "$tree" env -i "$@" <"$work/$name" >"$work/$name.out" &
  eval "$name=\$!"
}
# up NAME: it runs.  (Its input is open for writing.)
up () { read -r _ <"$work/$1.out" || fault "$1 does not run"; }
# verdict NUMBER: what status says of that process.
verdict () { sed -n "s/^ *$1 [^ ]* *//p" "$work/out"; }

if wanted status; then
  reset
  mkdir -p "$tree/opt"
  for name in idle idle_static own_malloc; do
    [ ! -e "$fixtures/$name" ] || cp "$fixtures/$name" "$tree/opt/$name"
  done
  idle before /opt/idle; exec 4>"$work/before"; up before
  run enable; expect 0
  idle user /opt/idle; exec 5>"$work/user"; up user
  idle opted HAKMEM_DISABLE=1 /opt/idle; exec 6>"$work/opted"; up opted
  idle owner /opt/own_malloc; exec 7>"$work/owner"; up owner
  idle static /opt/idle_static; exec 8>"$work/static"; up static
  mkdir -p "${conf%/*}"
  cp "$fixtures/idle" "$tree/opt/quiet"
  printf '[quiet]\ndisable = 1\n' >"$conf"
  idle quiet /opt/quiet; exec 3>"$work/quiet"; up quiet
  run status --verbose
  expect 0
  # shellcheck disable=SC2154 # set by idle
  for pair in "$user=use it" "$before=started before" "$opted=opted out" \
    "$quiet=opted out" \
    "$owner=have another malloc" "$static=are statically linked" \
    "$$=see another"; do
    case $(verdict "${pair%%=*}") in
      "${pair#*=}"*) ;;
      *) fault "${pair#*=}: $(verdict "${pair%%=*}")" ;;
    esac
  done
  ok "status of processes"
  grep -q '^ *1 use it$' "$work/out" || fault "the sum of users: $out"
  ok "status sums"
  rm "$library"; cp -p "$work/library" "$library"
  run status --verbose
  case $(verdict "$user") in "use a copy that"*) ;; *) fault "$(verdict "$user")" ;; esac
  ok "status after the library was replaced"
  run disable
  run status --verbose; expect 3
  case $(verdict "$before") in "not enabled") ;; *) fault "$(verdict "$before")" ;; esac
  ok "status after disable"
  rm "$conf"
  exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&-
  wait
fi
reset
rm -rf "$work"
echo "done"
