"""One run of one workload under one library, and what it cost."""
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

import peers
from workloads import PROGRAM, SYNTHETIC

LIMIT = 60  # seconds, of one run
# Where libc is.  It is preloaded into programs that are linked with another
# allocator, as redis on Debian is, to be what the others are compared with.
LIBC_FILE = re.compile(r"\s(/\S*/libc\.so\.6)$", re.M)


class Failed(Exception):
    """A run that cannot be counted; says why in a few words."""


class Bench:
    """Where things are, and how a workload is built and run there."""

    def __init__(self, source, work, compiler):
        self.source = source
        self.work = work
        self.compiler = shlex.split(compiler)
        self.launcher = os.path.join(work, "launch")
        self.expected = {}  # workload name: what it prints under libc
        self.child = None
        with open("/proc/self/maps", encoding="utf-8") as maps:
            found = LIBC_FILE.search(maps.read())
        self.libc_file = found[1] if found else "libc.so.6"

    # ------------------------------------------------------------- building

    def compile(self, target, *arguments):
        command = [*self.compiler, "-O2", *arguments, "-o",
                   os.path.join(self.work, target)]
        run = subprocess.run(command, capture_output=True, text=True,
                             check=False)
        if run.returncode != 0:
            sys.stderr.write(run.stderr)
            raise Failed("%s cannot be compiled" % target)

    def build_launcher(self):
        self.compile("launch", "-D_GNU_SOURCE",
                     os.path.join(self.source, "launch.c"))

    def build_floor(self):
        """The floor library's path."""
        self.compile("libfloor.so", "-fPIC", "-shared", "-fno-builtin",
                     "-ftls-model=initial-exec",
                     os.path.join(self.source, "floor.c"))
        return os.path.join(self.work, "libfloor.so")

    def build(self, workload):
        """Make WORKLOAD ready to run; Failed if it can't be run here."""
        for tool in workload.needs:
            if shutil.which(tool) is None:
                raise Failed("%s is not installed" % tool)
        name = workload.command[0]
        source = os.path.join(self.source, "work", name + ".c")
        if is_built(workload):
            self.compile(name, "-fno-builtin", "-pthread", "-I",
                         os.path.dirname(source), source)

    # -------------------------------------------------------------- running

    def command(self, workload, directory):
        """The argument list that runs WORKLOAD in DIRECTORY."""
        first, *rest = [
            word.format(src=self.source, tmp=directory, python=sys.executable)
            for word in workload.command]
        if is_built(workload):
            return [os.path.join(self.work, first), *rest]
        return [shutil.which(first) or first, *rest]

    def start(self, library, command, count, environment, files):
        """Start the launcher; FILES are those of figures, stdout, stderr."""
        figures, out, err = files
        self.child = subprocess.Popen(
            [self.launcher, figures, str(LIMIT), library.path, str(count),
             *command],
            stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            env=dict(peers.clean_environment(), **environment))
        return self.child

    def run(self, workload, library, environment=None):
        """A dict of time, cpu, peak_kib, end_kib of one run, or Failed.
        ENVIRONMENT is not for redis."""
        with tempfile.TemporaryDirectory(dir=self.work) as directory:
            if workload.name == "redis":
                import redis  # here, because it needs this file whole
                return redis.run(self, library, directory)
            out, sample = self.run_in(directory, workload, library,
                                      environment)
        if workload.kind == PROGRAM:
            self.check_output(workload, library, out)
        elif is_built(workload):
            sample = with_own_figures(sample, out)
        return sample

    def run_in(self, directory, workload, library, environment=None):
        """(stdout, sample) of a run that ends by itself."""
        paths = [os.path.join(directory, name)
                 for name in ("figures", "out", "err")]
        with open(paths[1], "wb") as out, open(paths[2], "wb") as err:
            child = self.start(
                library, self.command(workload, directory), workload.count,
                dict(workload.environment, **(environment or {})),
                (paths[0], out, err))
            child.wait()
        self.child = None
        figures, out, err = (read(path) for path in paths)
        return out, sample_of(figures, err)

    def check_output(self, workload, library, out):
        """What a program prints must not depend on the allocator."""
        if library.name == peers.LIBC:
            self.expected.setdefault(workload.name, out)
        if out != self.expected.get(workload.name, out):
            raise Failed("wrong output")

    def stop(self):
        """End what is running; the launcher takes its program with it."""
        if self.child is not None and self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            self.child.wait()


def is_built(workload):
    """Whether WORKLOAD is a program of bench/work."""
    return workload.kind == SYNTHETIC and not workload.needs


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def fields(text):
    return dict(re.findall(r"(\w+)=(\S+)", text))


def sample_of(figures, err):
    """The launcher's line as a sample; Failed if the program failed."""
    got = fields(figures)
    if not got:
        raise Failed("the launcher failed: %s" % err.strip()[:80])
    if "ERROR: ld.so" in err:
        raise Failed("ld.so refused the library")
    if got["end"] != "exit:0":
        said = (err.strip().splitlines() or [""])[-1][:60]
        raise Failed(" ".join(filter(None, [
            got["end"].replace("exit:", "exit status ")
            .replace("signal:", "signal "), said])))
    known = {key: int(got[key]) if int(got[key]) >= 0 else None
             for key in ("peak_kib", "end_kib", "faults")}
    return {"time": float(got["wall"]), "cpu": float(got["cpu"]), **known}


def with_own_figures(sample, out):
    """A sample of a program that counts its operations and times them."""
    got = fields(out)
    try:
        operations, seconds = float(got["ops"]), float(got["seconds"])
    except (KeyError, ValueError):
        raise Failed("no figures printed") from None
    if operations <= 0 or seconds <= 0:
        raise Failed("figures of nothing")
    sample = dict(sample, time=seconds / operations,
                  cpu=sample["cpu"] / operations)
    if "rss_end_kib" in got:
        sample["end_kib"] = int(float(got["rss_end_kib"]))
    return sample
