#!/usr/bin/env python3
"""make check-matrix: Debian programs under libc, libhakmem and its peers.

Each program of programs.list runs in a Debian tree of its own, as the machine
would run it: the allocator stands in the tree's /etc/ld.so.preload, so every
process has it, setuid or started by a daemon.  A run passes if standard
output, standard error and exit status are libc's.

Environment:
  MATRIX_ROOT   the tree, made if it is not there (BUILD/matrix.root)
  MATRIX_ONLY   names of programs or batches; others are left out
  MATRIX_PEERS  which peers (jemalloc mimalloc tcmalloc tbbmalloc), or none
  MATRIX_SUITE  Debian release of a new tree (bookworm)
  HAKMEM_TEST_LIB, CC, builddir, srcdir  as for the other targets

BUILD/matrix.txt and matrix.json get the results, BUILD/matrix.work what failed
runs said.  Exit status: 1 if a program that passes under libc fails under
libhakmem, 2 if nothing can be run, 130 after an interrupt.
"""
import fcntl
import json
import math
import os
import re
import shutil
import subprocess
import sys
from collections import namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))
OURS = "libhakmem"
PEERS = (
    ("jemalloc", "libjemalloc2", "libjemalloc.so.2"),
    ("mimalloc", "libmimalloc2.0", "libmimalloc.so.2"),
    ("tcmalloc", "libtcmalloc-minimal4", "libtcmalloc_minimal.so.4"),
    ("tbbmalloc", "libtbbmalloc2", "libtbbmalloc_proxy.so.2"),
)
USER = 4711
KEYS = ("batch", "packages", "loaded", "needs", "what", "flags", "seconds")
FLAGS = ("check", "apart", "root")
Run = namedtuple("Run", "status peak ms out err")


class Bad(Exception):
    """Nothing can be run: one line that says why."""


class Program:
    """One stanza of programs.list."""

    def __init__(self, name):
        self.name = name
        self.prep = self.run = ""
        self.batch = self.what = self.loaded = self.needs = ""
        self.packages, self.flags, self.seconds = [], [], 60

    def set(self, key, value):
        """A line `key: value' of the stanza's head."""
        if key not in KEYS:
            raise Bad("programs.list: %s: no such key: %s" % (self.name, key))
        if key in ("packages", "flags"):
            value = value.split()
        if key == "flags" and set(value) - set(FLAGS):
            raise Bad("programs.list: %s: no such flag" % self.name)
        setattr(self, key, int(value) if key == "seconds" else value)


def read_list(path):
    """All programs, in order."""
    programs, part = [], ""
    with open(path, encoding="ascii") as lines:
        for line in lines:
            head = re.match(r"== (\S+)$", line)
            if head:
                programs.append(Program(head[1]))
                part = "head"
            elif not programs:
                continue
            elif line in ("prep:\n", "run:\n"):
                part = line[:-2]
            elif part == "head":
                if line.strip():
                    key, _, value = line.partition(":")
                    programs[-1].set(key, value.strip())
            else:
                setattr(programs[-1], part,
                        getattr(programs[-1], part) + line)
    return programs


def choose(programs, words):
    """Those that WORDS name, one by one or by their batch; all if none."""
    known = {p.name for p in programs} | {p.batch for p in programs}
    for word in words:
        if word not in known:
            raise Bad("no program or batch is called %s" % word)
    return [p for p in programs
            if not words or p.name in words or p.batch in words]


class Tree:
    """The Debian system that the programs are installed and run in."""

    def __init__(self, root, work):
        self.root, self.work = root, work
        self.inside = os.path.join(work, "inside")
        self.lock = None

    def path(self, *parts):
        """A path of the tree's as the machine sees it."""
        return os.path.join(self.root, *parts)

    def build_inside(self, compiler):
        """The program that runs commands in the tree."""
        done = subprocess.run(
            compiler.split() + ["-O2", "-static", "-o", self.inside,
                                os.path.join(HERE, "inside.c")],
            capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Bad("inside.c does not compile: " + last_line(done.stderr))

    def make(self, suite):
        """Make the tree, unless it is there."""
        stamp = self.path("etc", "matrix-tree")
        if not os.path.exists(stamp):
            if os.path.exists(self.root) and os.listdir(self.root):
                raise Bad("%s is no tree of this program's, and not empty"
                          % self.root)
            self.bootstrap(suite)
            self.settle(suite)
            write(stamp, "made by make check-matrix\n")
        self.lock = open(stamp, encoding="ascii")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Bad("%s is in use by another run" % self.root) from None
        write(self.path("etc", "ld.so.preload"), "")

    def bootstrap(self, suite):
        """Debian's smallest system, by debootstrap."""
        tool = shutil.which("debootstrap",
                            path=os.environ["PATH"] + ":/usr/sbin:/sbin")
        if tool is None:
            raise Bad("debootstrap is not installed")
        say("making a tree of Debian %s in %s" % (suite, self.root))
        with open(os.path.join(self.work, "debootstrap.log"), "w",
                  encoding="ascii") as log:
            done = subprocess.run(
                [tool, "--variant=minbase", "--include=ca-certificates",
                 suite, self.root], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, check=False)
        if done.returncode != 0:
            raise Bad("debootstrap failed, see %s" % log.name)

    def settle(self, suite):
        """No services, no pages of manuals, an ordinary user."""
        write(self.path("usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 101\n",
              0o755)
        write(self.path("etc/dpkg/dpkg.cfg.d/matrix"),
              "force-unsafe-io\n" + "".join(
                  "path-exclude=/usr/share/%s/*\n" % part
                  for part in ("doc", "locale", "man")))
        mirror = "deb http://deb.debian.org/debian"
        write(self.path("etc/apt/sources.list"),
              "%s %s main\n%s %s-updates main\n%s-security %s-security main\n"
              % (mirror, suite, mirror, suite, mirror, suite))
        if self.enter(["useradd", "-u", str(USER), "-U", "-d", "/matrix",
                       "-s", "/bin/sh", "tester"]).status != 0:
            raise Bad("useradd fails in the tree")

    def enter(self, command, preload="-", user=0, seconds=0, cwd="/",
              out=None, err=None, environment=None):
        """Run COMMAND in the tree: a Run, without what it printed."""
        report = os.path.join(self.work, "report")
        setting = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C",
                   "HOME": cwd, "USER": "tester" if user else "root"}
        setting.update(environment or {})
        done = subprocess.run(
            [self.inside, self.root, preload, str(user), str(seconds), cwd,
             report] + command, stdin=subprocess.DEVNULL, stdout=out,
            stderr=err, env=setting, check=False)
        if done.returncode != 0:
            raise Bad("inside: exit status %d" % done.returncode)
        with open(report, encoding="ascii") as words:
            status, peak, ms = map(int, words.read().split())
        return Run(status, peak, ms, b"", b"")

    def apt(self, *words):
        """True if `apt-get WORDS' succeeds in the tree."""
        with open(os.path.join(self.work, "apt.log"), "ab") as log:
            return self.enter(
                ["apt-get", "-q", "-y", "--no-install-recommends", *words],
                out=log, err=log,
                environment={"DEBIAN_FRONTEND": "noninteractive"}).status == 0

    def versions(self):
        """Installed packages and their versions."""
        with open(self.path("var/lib/dpkg/status"), encoding="utf-8") as text:
            stanzas = text.read().split("\n\n")
        found = {}
        for stanza in stanzas:
            if "\nStatus: install ok installed\n" in stanza:
                name = re.match(r"Package: (\S+)", stanza)
                version = re.search(r"^Version: (\S+)$", stanza, re.M)
                found[name[1]] = version[1]
        return found

    def install(self, batch, packages):
        """Install what is missing of PACKAGES, one by one if need be."""
        wanted = [p for p in packages if p not in self.versions()]
        if not wanted:
            return
        say("%s: installing %s" % (batch, " ".join(wanted)))
        if not self.apt("update"):
            raise Bad("apt-get update fails, see %s/apt.log" % self.work)
        if not self.apt("install", *wanted):
            for package in wanted:
                if not self.apt("install", package):
                    say("%s can't be installed" % package)
        self.apt("clean")


def say(text):
    """Progress, on standard error."""
    print("matrix: " + text, file=sys.stderr, flush=True)


def last_line(text):
    """The last line of TEXT that says something."""
    return (text.strip().splitlines() or ["nothing said"])[-1]


def write(path, text, mode=0o644):
    """A small file with TEXT."""
    with open(path, "w", encoding="ascii") as out:
        out.write(text)
    os.chmod(path, mode)


class Matrix:
    """The programs, the allocators, and what came out."""

    def __init__(self, tree, work):
        self.tree, self.work = tree, work
        self.columns = []       # (name, preload file)
        self.rows = []

    # ------------------------------------------------------------ allocators

    def add_allocator(self, name, path):
        """A column, if a program of the tree runs with PATH and has it."""
        preload = os.path.join(self.work, "preload." + name)
        write(preload, path + "\n")
        run = self.run_in(["cat", "/proc/self/maps"], preload, USER, 20, "/")
        if run.status != 0 or run.err or \
           os.path.basename(path).encode() not in run.out:
            return False
        self.columns.append((name, preload))
        return True

    def add_ours(self, library):
        """Libhakmem, copied into the tree where a package puts it."""
        place = "usr/lib/libhakmem.so.1"
        shutil.copyfile(library, self.tree.path(place))
        if not self.add_allocator(OURS, "/" + place):
            raise Bad("cat fails in the tree with libhakmem")

    def add_peers(self, wanted):
        """The peers that Debian packages."""
        unknown = set(wanted) - {row[0] for row in PEERS}
        if unknown:
            raise Bad("no peer is called %s" % " ".join(sorted(unknown)))
        rows = [row for row in PEERS if row[0] in wanted]
        self.tree.install("peers", [package for _, package, _ in rows])
        for name, _, soname in rows:
            found = [os.path.join(top, soname) for top, _, files
                     in os.walk(self.tree.path("usr/lib")) if soname in files]
            path = "/" + os.path.relpath(found[0], self.tree.root) \
                if found else ""
            if not path or not self.add_allocator(name, path):
                say("%s can't be used" % name)

    # ------------------------------------------------------------------ runs

    def run_in(self, command, preload, user, seconds, cwd, environment=None):
        """A Run with what it printed."""
        out, err = (os.path.join(self.work, n) for n in ("stdout", "stderr"))
        with open(out, "wb") as o, open(err, "wb") as e:
            run = self.tree.enter(command, preload, user, seconds, cwd, o, e,
                                  environment)
        with open(out, "rb") as o, open(err, "rb") as e:
            return run._replace(out=o.read(), err=e.read())

    def run(self, program, preload, environment=None):
        """PREP on libc and then RUN on PRELOAD in a directory made anew;
        None after a PREP that fails."""
        home = self.tree.path("matrix", program.name)
        shutil.rmtree(os.path.join(home, "dir"), ignore_errors=True)
        user = 0 if "root" in program.flags else USER
        for place in (home, os.path.join(home, "dir")):
            os.makedirs(place, exist_ok=True)
            os.chown(place, user, user)
        cwd = "/matrix/%s/dir" % program.name
        head = "src=/matrix/%s part=1\nexport src\n" % os.path.basename(HERE)
        if program.prep:
            run = self.run_in(["sh", "-ec", head + program.prep], "-", user,
                              program.seconds * 2, cwd)
            if run.status != 0:
                self.keep(program, "prep", run)
                return None
        return self.run_in(["sh", "-c", head + program.run], preload, user,
                           program.seconds, cwd, environment)

    def keep(self, program, column, run):
        """What a run said, for who looks for the cause."""
        place = os.path.join(self.work, "%s.%s" % (program.name, column))
        with open(place, "wb") as out:
            out.write(b"status %d\n-- stdout\n%s\n-- stderr\n%s"
                      % (run.status, run.out, run.err))

    def run_ours(self, program, preload):
        """A run whose processes the dynamic linker reports: a Run, and those
        of `loaded' that lacked the library."""
        home = self.tree.path("matrix", program.name)
        reports = os.path.join(home, "ld")
        shutil.rmtree(reports, ignore_errors=True)
        os.mkdir(reports, 0o777)
        os.chmod(reports, 0o1777)
        debug = {"LD_DEBUG": "libs",
                 "LD_DEBUG_OUTPUT": "/matrix/%s/ld/report" % program.name}
        apart = "apart" in program.flags
        run = self.run(program, preload, None if apart else debug)
        if apart:
            self.run(program, preload, debug)
        have = set()
        for name in os.listdir(reports):
            with open(os.path.join(reports, name), encoding="utf-8",
                      errors="replace") as text:
                said = text.read()
            if re.search(r"calling init: \S*/libhakmem", said):
                have |= {os.path.basename(path) for path in re.findall(
                    r"transferring control: (.*)", said)}
        return run, [n for n in program.loaded.split() if n not in have]

    def row(self, program, versions):
        """Run one program everywhere."""
        row = {"name": program.name, "batch": program.batch,
               "version": versions.get((program.packages or [""])[0], ""),
               "what": program.what, "runs": {}}
        self.rows.append(row)
        lacking = [p for p in program.packages if p not in versions]
        if lacking:
            row["unsupported"] = "no package " + " ".join(lacking)
            return row
        want = self.run(program, "-")
        if want is None or want.status != 0:
            if want is not None:
                self.keep(program, "libc", want)
            row["unsupported"] = "fails under libc" + (
                " (preparation)" if want is None
                else " (%s)" % ending(want.status))
            return row
        row["libc"] = {"peak_kib": want.peak, "ms": want.ms}
        for name, preload in self.columns:
            if name == OURS and program.loaded:
                run, lacking = self.run_ours(program, preload)
            else:
                run, lacking = self.run(program, preload), []
            why = difference(want, run)
            if lacking and not why:
                why = "not loaded in " + " ".join(lacking)
            if why and name == OURS and "status" not in why:
                again = self.run(program, "-")
                if difference(want, again):
                    self.keep(program, "libc", want)
                    self.keep(program, "again", again)
                    row["unsupported"] = "differs from run to run under libc"
                    return row
            if why:
                self.keep(program, "libc", want)
                self.keep(program, name, run)
            row["runs"][name] = {"fails": why,
                                 "peak_kib": run.peak if run else 0,
                                 "ms": run.ms if run else 0}
        return row


def ending(status):
    """A word for an exit status."""
    words = {137: "time or KILL", 134: "ABRT", 139: "SEGV", 135: "BUS",
             132: "ILL", 133: "TRAP"}
    return "status %s" % words.get(status, status)


def difference(want, run):
    """What of RUN is not as in WANT, or ""."""
    if run is None:
        return "preparation"
    if run.status != want.status:
        return ending(run.status)
    if run.out != want.out:
        return "output"
    return "" if run.err == want.err else "errors"


# ------------------------------------------------------------------- the table

def table(rows, columns):
    """The results as lines of text."""
    head = ["program", "version", "what was run", "libc MiB"] + columns
    lines = []
    for row in rows:
        cells = [row["name"], row["version"], row["what"]]
        if "unsupported" in row:
            lines.append(cells + ["unsupported: " + row["unsupported"]])
            continue
        cells.append("%.1f" % (row["libc"]["peak_kib"] / 1024))
        for name in columns:
            run = row["runs"][name]
            cells.append(run["fails"].upper() if run["fails"] else "ok %.2f"
                         % (run["peak_kib"] / max(1, row["libc"]["peak_kib"])))
        lines.append(cells)
    full = [head] + [line for line in lines if len(line) == len(head)]
    width = [max(len(line[i]) for line in full) for i in range(len(head))]
    for i in range(3):
        width[i] = max([width[i]] + [len(line[i]) for line in lines])
    return ["  ".join(cell.ljust(width[i]) for i, cell in enumerate(line))
            .rstrip() for line in [head] + lines]


def summary(rows, columns):
    """Lines of counts: the peers', then libhakmem's, which comes last."""
    done = [row for row in rows if "unsupported" not in row]
    lines = []
    for name in columns[1:] + columns[:1]:
        bad = [row["name"] for row in done if row["runs"][name]["fails"]]
        product = count = 0.0
        for row in done:
            if not row["runs"][name]["fails"]:
                ratio = row["runs"][name]["peak_kib"] / row["libc"]["peak_kib"]
                product, count = product + math.log(ratio), count + 1
        lines.append("%s: %d passed, %d failed%s; peak memory %.2f of libc's"
                     % (name, len(done) - len(bad), len(bad),
                        " (%s)" % " ".join(bad) if bad else "",
                        math.exp(product / max(1, count))))
    failed = sum(bool(row["runs"][OURS]["fails"]) for row in done)
    lines.append("%d passed, %d failed, %d unsupported"
                 % (len(done) - failed, failed, len(rows) - len(done)))
    return lines, failed, len(done)


def save(build, rows, columns):
    """Write what there is so far: (text, failed, run)."""
    lines, failed, done = summary(rows, columns)
    text = "\n".join(table(rows, columns) + [""] + lines) + "\n"
    write(os.path.join(build, "matrix.txt"), text)
    write(os.path.join(build, "matrix.json"),
          json.dumps({"columns": columns, "programs": rows}, indent=1) + "\n")
    return text, failed, done


def main():
    """The whole of it; returns the exit status."""
    get = os.environ.get
    build = os.path.abspath(get("builddir", "."))
    work = os.path.join(build, "matrix.work")
    programs = choose(read_list(os.path.join(HERE, "programs.list")),
                      get("MATRIX_ONLY", "").split())
    library = get("HAKMEM_TEST_LIB") or build + "/.libs/libhakmem.so.1"
    if os.geteuid() != 0:
        raise Bad("needs root, for a tree of its own")
    if not os.path.exists(library):
        raise Bad("there is no %s" % library)
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    tree = Tree(os.path.abspath(get("MATRIX_ROOT")
                                or build + "/matrix.root"), work)
    tree.build_inside(get("CC", "gcc"))
    tree.make(get("MATRIX_SUITE", "bookworm"))
    shutil.rmtree(tree.path("matrix"), ignore_errors=True)
    for name in (os.path.basename(HERE), "hakmem.concur", "include"):
        shutil.copytree(os.path.join(HERE, "..", name),
                        tree.path("matrix", name))
    matrix = Matrix(tree, work)
    matrix.add_ours(library)
    words = get("MATRIX_PEERS", " ".join(row[0] for row in PEERS))
    matrix.add_peers([] if words == "none" else words.split())
    columns = [name for name, _ in matrix.columns]
    for batch in dict.fromkeys(p.batch for p in programs):
        chosen = [p for p in programs if p.batch == batch]
        tree.install(batch, list(dict.fromkeys(
            package for p in chosen for package in p.packages)))
        versions = tree.versions()
        for program in chosen:
            say(table([matrix.row(program, versions)], columns)[1])
            text, failed, done = save(build, matrix.rows, columns)
    shutil.rmtree(tree.path("matrix"), ignore_errors=True)
    print(text, end="")
    if done == 0:
        raise Bad("no program ran")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Bad as bad:
        say(str(bad))
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
