#!/bin/sh
# make check-day: days of a whole Debian system on the library, which is installed
# from its packages and enabled by hakmem-preload.  In a tree made by debootstrap,
# in namespaces of its own, on loopback alone:
#
#   build/      the packages, and those of the next version
#   DAY/on/     installed from a repository of the day's packages, enabled
#   DAY/web/    nginx comes and serves; from then on apt gets its packages there
#   DAY/apt/    what the day needs is installed; a package goes, and comes back
#   DAY/serve/  redis, postgresql, rsyslog, dbus: started, used, in each of their
#               processes the library
#   DAY/users/  useradd, passwd, su, sshd with a key, scp, sudo, su to root
#   DAY/make/   a user compiles; what came out runs
#   DAY/cron/   a job ran
#   DAY/upgrade/  to the next version by apt while all is in use; restarts
#   DAY/off/    purged while all is in use: services go on, new programs start on
#               libc's malloc, nothing of ours is left
#   DAY/end/    the services are purged: the packages are those of the morning
#   DAY/said/   in no output and no log a word of ld.so or of the library
#
# There are two such days in one tree.  On the `recorded' one each process writes a
# report at its exit (/etc/hakmem.conf), and DAY/.../seen demands those of the
# programs that did the step; the `plain' one is as installed.
#
# Prints `ok NAME' and `not ok NAME' lines and at last `N passed, N failed, N
# skipped'.  Root, debhelper, debootstrap and a Debian mirror are needed, or else
# it is skipped.
#
# Environment: MAKE, builddir (a configured build; default: here), srcdir (the
# top of the source, a checkout), HAKMEM_TEST_TREE (a system made before, which
# is copied), HAKMEM_TEST_SUITE (bookworm), HAKMEM_TEST_MIRROR, HAKMEM_TEST_DAYS
# ("recorded plain").  Writes only to $builddir/day.work.
set -u
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
target=check-day
# shellcheck source=testsuite/whole-system.sh
. "$srcdir/testsuite/whole-system.sh"
# shellcheck source=testsuite/debian-packages.sh
. "$srcdir/testsuite/debian-packages.sh"
days=${HAKMEM_TEST_DAYS-recorded plain}
web='nginx curl'
others='redis-server redis-tools postgresql rsyslog dbus openssh-server
  openssh-client sudo cron gcc libc6-dev make'
services='nginx redis-server postgres rsyslogd dbus-daemon sshd cron'
port=http://127.0.0.1
repository=$tree/srv/debian

# ---------------------------------------------------------------- the system

make_packages ()
{
  unpack
  verdict build/one build "$work/one" "$work/one/libhakmem-$version" -b
  verdict build/next build "$work/next" "$work/next/libhakmem-$version" -b
}

# The day has no network: what it installs is fetched here.
make_tree ()
{
  debian_tree iproute2
  if [ ! -e "$repository/Packages" ]; then
    # shellcheck disable=SC2086 # lists
    { chroot "$tree" apt-get -q update &&
        chroot "$tree" apt-get -q -y --no-install-recommends -d install \
          $web $others; } >"$work/log" 2>&1 ||
      { tail -n 3 "$work/log" >&2; skip "apt can't fetch $web $others"; }
    mkdir -p "$repository" &&
      mv "$tree"/var/cache/apt/archives/*.deb "$repository" || exit 1
  fi
  rm -rf "$tree"/etc/apt/sources.list* "$tree"/var/lib/apt/lists/*
}

# Services start when they are installed, as they do where there is an init.
start_services ()
{
  printf '#!/bin/sh\nexit 0\n' >"$tree/usr/sbin/policy-rc.d" &&
    chmod +x "$tree/usr/sbin/policy-rc.d" || exit 1
}

# offer DIR: its packages of ours are the repository's.
offer ()
{
  rm -f "$repository"/*hakmem*.deb
  cp "$work/$1"/*.deb "$repository" &&
    (cd "$repository" && dpkg-scanpackages -m . >Packages) 2>>"$work/log"
}

# source_of URL: where apt looks.
source_of ()
{
  echo "deb [trusted=yes] $1 ./" >"$tree/etc/apt/sources.list"
  apt update
}

# ------------------------------------------------------------------ questions

# step NAME COMMAND...
step ()
{
  name=$day/$1
  shift
  verdict "$name" "$@"
}

# await COMMAND...: until it succeeds, 90 seconds at most.
await ()
{
  last=$(($(date +%s) + 90))
  until "$@" >"$work/awaited" 2>&1; do
    [ "$(date +%s)" -lt "$last" ] ||
      { cat "$work/awaited"; echo "not in time: $*"; return 1; }
    sleep 0.1
  done
}

# gives WORDS COMMAND...: it succeeds, and says each of the words.
gives ()
{
  words=$1
  shift
  on "$@" >"$work/given"
  ended=$?
  cat "$work/given"
  [ $ended = 0 ] || { echo "status $ended: $*"; return 1; }
  for word in $words; do
    grep -q -- "$word" "$work/given" || { echo "no word of $word"; return 1; }
  done
}

# Fills $maps with the memory maps of the processes called NAME.
maps_of ()
{
  found=0
  rm -rf "$work/maps"
  mkdir "$work/maps"
  for process in /proc/[0-9]*; do
    if [ "$(cat "$process/comm" 2>/dev/null)" = "$1" ] &&
       cat "$process/maps" >"$work/maps/${process##*/}" 2>/dev/null &&
       [ -s "$work/maps/${process##*/}" ]; then # or it has ended
      found=$((found + 1))
    fi
  done
  [ $found != 0 ] || { echo "no process called $1"; return 1; }
}

# mapped NAME...: there are processes of each, all with the library.
mapped ()
{
  for program; do
    maps_of "$program" || return
    lacking=$(cd "$work/maps" && grep -L 'libhakmem\.so' ./*)
    [ -z "$lacking" ] || { echo "$program without it: $lacking"; return 1; }
  done
}

# fresh NAME...: with that which is installed, not one that was replaced.
fresh ()
{
  for program; do
    mapped "$program" || return
    ! grep 'libhakmem\.so.*(deleted)' "$work"/maps/* || return
  done
}

# without NAME...
without ()
{
  for program; do
    maps_of "$program" || return
    ! grep libhakmem "$work"/maps/* || return
  done
}

# On a recorded day: each program has left a report since the last step.
reports=$tree/var/tmp/reports
seen ()
{
  [ -d "$reports" ] || return 0
  step "$1/seen" have_reported "$@"
}
have_reported ()
{
  shift
  bad=0
  for program; do
    set -- "$reports/$program".*
    [ -s "$1" ] || { echo "no report of $program"; bad=1; }
  done
  count=$(find "$reports" -type f | wc -l)
  total=$((total + count))
  find "$reports" -type f -delete
  return $bad
}

as_ann ()
{
  ssh='ssh -i /root/day -o BatchMode=yes -o LogLevel=ERROR -o StrictHostKeyChecking=no'
  # shellcheck disable=SC2086 # words
  gives "$1" $ssh ann@127.0.0.1 "$2"
}

# -------------------------------------------------------------------- the day

switch_on ()
{
  offer one
  step on/update source_of file:/srv/debian
  # shellcheck disable=SC2086 # a list
  step on/install apt install $all
  step on/default_is_no is_off
  if [ "$day" = recorded ]; then
    mkdir -m 1777 "$reports"
    chmod 1777 "$reports"
    printf '%s\n' 'stats = exit' 'stats_format = summary' \
      'stats_file = /var/tmp/reports/%n.%p' >"$tree/etc/hakmem.conf"
  fi
  step on/enable on hakmem-preload enable
  step on/in_force all_of is_on maps 'version_is libhakmem1 1'
  seen on cat dpkg-query
}

serve_packages ()
{
  # shellcheck disable=SC2086
  step web/install apt install $web
  seen web apt-get dpkg dpkg-deb tar perl
  echo "the page of the day" >"$tree/var/www/html/index.html"
  ln -sfn /srv/debian "$tree/var/www/html/debian"
  step web/serves await gives 'the.page.of.the.day' curl -fsS "$port/"
  step web/mapped mapped nginx
  step web/requests on curl -fsS "$port/?[1-500]" -o /dev/null
  step web/update source_of "$port/debian"
  seen web curl apt-get
}

install_day ()
{
  # shellcheck disable=SC2086
  step apt/install apt install $others
  step apt/remove apt remove cron
  step apt/removed sh -c '[ ! -e "$1/usr/sbin/cron" ]' sh "$tree"
  step apt/again apt install cron
  step apt/purge apt purge cron
  step apt/and_again apt install cron
  seen apt apt-get dpkg dpkg-deb tar perl sed grep ssh-keygen
  # Looked at in the evening.
  echo '* * * * * root (id -un; cat /proc/self/maps) >/root/new; mv /root/new /root/job' \
    >"$tree/etc/cron.d/day"
}

serve ()
{
  step serve/redis await gives PONG redis-cli ping
  step serve/redis_used on redis-benchmark -q -n 20000 -t set,get,lpush
  step serve/redis_keeps gives '^5$' redis-cli eval \
    "for i = 1, 5 do redis.call ('rpush', 'day', i) end
     return redis.call ('llen', 'day')" 0
  step serve/postgresql await gives '^1$' su postgres -c 'psql -Atc "SELECT 1"'
  step serve/postgresql_used gives '^5000050000$' su postgres -c \
    'psql -qAtc "CREATE TEMP TABLE t AS SELECT generate_series (1, 100000) AS n;
                 CREATE INDEX ON t (n); SELECT sum (n) FROM t"'
  # It is not to read the kernel's messages.
  sed -i '/imklog/s/^/#/' "$tree/etc/rsyslog.conf"
  step serve/rsyslog on rsyslogd
  step serve/rsyslog_used on logger -p user.notice "a word in the log"
  step serve/rsyslog_wrote await grep "a word in the log" "$tree/var/log/syslog"
  step serve/dbus await gives org.freedesktop.DBus dbus-send --system \
    --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames
  # shellcheck disable=SC2086 # a list
  step serve/mapped mapped $services
  seen serve redis-cli redis-benchmark psql logger dbus-send
}

users ()
{
  step users/add on useradd -m -s /bin/bash ann
  step users/password on sh -c \
    'printf "%s\n" ann:quiet.Evening7 root:early.Morning9 | chpasswd'
  step users/su gives '^ann$ ^/home/ann$ libhakmem' su -l ann -c \
    'id -un; pwd; cat /proc/self/maps'
  rm -f "$tree"/root/day*
  step users/key on ssh-keygen -q -t ed25519 -N '' -f /root/day
  mkdir -p "$tree/home/ann/.ssh"
  cp "$tree/root/day.pub" "$tree/home/ann/.ssh/authorized_keys"
  step users/owner on chown -R ann: /home/ann
  step users/ssh await as_ann '^ann$ libhakmem' 'id -un; cat /proc/self/maps'
  # Who is asked for a password and knows it; who isn't.
  step users/su_root as_ann 'root$ libhakmem' \
    "echo early.Morning9 | su -c 'id -un; cat /proc/\$PPID/maps'"
  step users/su_refused refused "echo wrong | su -c true"
  step users/sudo_refused refused "sudo -n true"
  echo 'ann ALL=(ALL) NOPASSWD: ALL' >"$tree/etc/sudoers.d/ann"
  step users/sudo as_ann 'root$ libhakmem' \
    "sudo -n sh -c 'id -un; cat /proc/\$PPID/maps'"
  step users/scp on scp -q -i /root/day -o StrictHostKeyChecking=no \
    /bin/bash ann@127.0.0.1:copy
  step users/copied cmp "$tree/bin/bash" "$tree/home/ann/copy"
  seen users useradd chpasswd ssh-keygen su ssh scp bash id cat
}
refused () { as_ann 'was.refused' "$1 || echo was refused"; }

compile ()
{
  mkdir "$tree/home/ann/hello"
  cat >"$tree/home/ann/hello/hello.c" <<'END'
#include <stdio.h>
#include <stdlib.h>

int
main (void)
{
  char *line = malloc (4096);
  FILE *maps = fopen ("/proc/self/maps", "r");
  while (line != NULL && maps != NULL && fgets (line, 4096, maps))
    fputs (line, stdout);
  free (line);
  return puts ("hello") < 0;
}
END
  {
    echo 'hello: $(patsubst %,part%.o,1 2 3 4 5 6 7 8) hello.o'
    # shellcheck disable=SC2016 # make's
    printf '\t%s\n' '$(CC) -o $@ $^'
    # shellcheck disable=SC2016
    printf '%s\n\t%s\n' 'part%.c: hello.c' 'sed s/main/part$*/ $< >$@'
  } >"$tree/home/ann/hello/Makefile"
  on chown -R ann: /home/ann/hello
  step make/make as_ann gcc 'make -s -j2 -C hello CC="gcc -v -O2"'
  step make/runs as_ann '^hello$ libhakmem' hello/hello
  step make/gcc as_ann '^hello$ libhakmem' \
    'gcc -O2 -flto -o two hello/hello.c && ./two'
  seen make make x86_64-linux-gnu-gcc-12 cc1 x86_64-linux-gnu-as collect2 \
    x86_64-linux-gnu-ld.bfd lto1 hello two sed
}

upgrade ()
{
  busy="curl -fsS $port/ >/dev/null && redis-cli incr n >/dev/null"
  offer next
  step upgrade/update source_of "$port/debian"
  step upgrade/apt meanwhile apt upgrade
  step upgrade/done all_of is_on maps 'version_is libhakmem1 2' \
    'version_is hakmem-preload 2'
  step upgrade/in_use gives 'the.page.of.the.day' curl -fsS "$port/"
  # shellcheck disable=SC2086 # a list
  step upgrade/old_ones_go_on mapped $services
  for name in nginx redis-server ssh cron; do
    step "upgrade/restart_$name" on service "$name" restart
  done
  step upgrade/new_ones await fresh nginx redis-server sshd cron
  step upgrade/new_ones_serve await all_of "gives PONG redis-cli ping" \
    "as_ann ann id" "gives page curl -fsS $port/"
  # redis-server is a link to redis-check-rdb.
  seen upgrade apt-get dpkg curl redis-cli redis-check-rdb perl
}

switch_off ()
{
  if [ "$day" = recorded ]; then rm "$tree/etc/hakmem.conf"; fi
  # shellcheck disable=SC2086
  step off/purge meanwhile apt purge $all
  step off/file sh -c '[ ! -e "$1" ]' sh "$tree/etc/ld.so.preload"
  step off/not_in_force all_of is_off no_maps
  step off/old_ones_go_on gives PONG redis-cli ping
  step off/restart on service nginx restart
  step off/new_ones await without nginx
  step off/new_ones_serve await gives 'the.page.of.the.day' curl -fsS "$port/"
  # What it knows of packages, goes with where it knows it from.
  : >"$tree/etc/apt/sources.list"
  step off/forget all_of 'apt update' 'apt clean'
  step off/no_word no_word
  step off/no_file no_file
}
no_maps () { ! maps; }
no_file ()
{
  ! find "$tree" -xdev \( -path "$tree/srv" -o -path "$reports" \) -prune -o \
      -name '*hakmem*' -print | grep .
}

end ()
{
  step end/userdel on userdel -r ann
  rm -f "$tree/etc/sudoers.d/ann" "$tree/etc/cron.d/day" "$tree"/root/day* \
    "$tree/root/job"
  [ ! -s "$tree/run/rsyslogd.pid" ] || on kill "$(cat "$tree/run/rsyslogd.pid")"
  # (The last are never removed because nothing needs them.)
  # shellcheck disable=SC2086
  step end/purge apt -o APT::AutoRemove::SuggestsImportant=0 \
    -o APT::AutoRemove::RecommendsImportant=0 --auto-remove purge $web $others \
    "postgresql*" sensible-utils
  packages >"$work/evening"
  step end/packages all_of "grep -q libc6 $work/evening" \
    "diff $work/morning $work/evening"
  step end/no_process await no_process
}
packages () { on dpkg-query -W -f '${Package} ${Version} ${Status}\n'; }
no_process ()
{
  for process in /proc/[0-9]*; do
    case $(readlink "$process/root") in
      "$tree"*) tr '\0' ' ' <"$process/cmdline"; return 1 ;;
    esac
  done
}

# A word of the library begins a line; daemons may set the time before it.
said ()
{
  find "$tree/var/log" -type f -exec cat '{}' + >"$work/logs"
  step said/ld.so nothing_said "$work/session"
  step said/ld.so_to_daemons nothing_said "$work/logs"
  step said/library sh -c '! grep -w "hakmem:" "$@"' sh "$work/session" \
    "$work/logs"
}

inner ()
{
  enter_tree
  hostname day && echo '127.0.0.1 localhost day' >"$tree/etc/hosts" || exit 1
  on ip link set lo up || exit 1
  start_services
  packages >"$work/morning"
  for day in $days; do
    total=0
    switch_on
    serve_packages
    install_day
    serve
    users
    compile
    step cron/ran await grep libhakmem "$tree/root/job"
    step cron/as gives '^root$' cat /root/job
    upgrade
    switch_off
    end
    said
    [ ! -d "$reports" ] || echo "# $total processes reported"
    rm -rf "$reports"
  done
}

check "$@"
