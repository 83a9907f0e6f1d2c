"""What the environment asks a bench for."""
import fnmatch
import os
import signal

import peers
from measure import Failed
from progress import complain


class BadSetting(Exception):
    """A variable of the environment that makes no sense."""


class Settings:
    """Variables are called PREFIX_NAME; WORKLOADS are those there are."""

    def __init__(self, get, prefix, workloads, rounds=4, out="bench.json"):
        self.get, self.prefix = get, prefix
        self.source = os.path.dirname(os.path.abspath(__file__))
        builddir = os.path.abspath(get("builddir") or ".")
        self.work = os.path.join(builddir, "bench.work")
        self.compiler = get("CC") or "cc"
        self.ours = os.path.abspath(get("HAKMEM_TEST_LIB") or os.path.join(
            builddir, ".libs", "libhakmem.so.1"))
        self.rounds = self.number("ROUNDS", rounds, 99)
        try:
            self.extra = peers.parse(self.value("LIBS", ""))
        except peers.BadLibraries as bad:
            raise self.bad("LIBS", str(bad)) from None
        self.workloads = self.chosen("ONLY", workloads)
        self.out = self.value("OUT", os.path.join(builddir, out))
        directory = os.path.dirname(os.path.abspath(self.out))
        if not self.out.endswith(".json") or not os.access(directory, os.W_OK):
            raise self.bad("OUT", "%r is not NAME.json in a directory that can "
                                  "be written to" % self.out)
        self.svg = self.out[:-len("json")] + "svg"

    def value(self, name, default):
        return self.get("%s_%s" % (self.prefix, name)) or default

    def bad(self, name, why):
        return BadSetting("%s_%s: %s" % (self.prefix, name, why))

    def number(self, name, default, most):
        """A variable that is a number from 1 to MOST."""
        text = self.value(name, str(default))
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise self.bad(name, "%r is not a number from 1 to %d"
                           % (text, most))
        return int(text)

    def chosen(self, name, workloads):
        patterns = self.value(name, "*").split(",")
        names = [w.name for w in workloads]
        for pattern in patterns:
            if not fnmatch.filter(names, pattern):
                raise self.bad(name, "no workload is called %r; there are %s"
                               % (pattern, " ".join(names)))
        return [w for w in workloads
                if any(fnmatch.fnmatch(w.name, p) for p in patterns)]


def run_with(settings, run):
    """RUN (what SETTINGS makes of the environment); the exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return run(settings(os.environ.get))
    except KeyboardInterrupt:
        return 130
    except BadSetting as bad:
        complain(str(bad))
        return 2
    except Failed as why:
        complain(str(why))
        return 1
