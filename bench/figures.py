"""From samples to medians, ratios, geometric means and verdicts.

Samples: workload name -> library name -> list by turn, the turns of one index
measured side by side.  Every comparison is the median over turns of the
quotient of two samples of the same turn, so that what else the machine does
hits both sides.
"""
import fnmatch
import math
from statistics import median

from peers import FLOOR, LIBC, OURS
from workloads import PROGRAM, SYNTHETIC

KINDS = (("synthetic", SYNTHETIC), ("programs", PROGRAM), ("all", None))
METRICS = (("time", "time"), ("cpu", "CPU time"), ("peak_kib", "peak RSS"),
           ("end_kib", "RSS at the end"))


class Results:
    """The samples of a run, and what follows from them."""

    def __init__(self, workloads, libraries):
        self.workloads = workloads
        self.libraries = libraries
        self.names = [lib.name for lib in libraries if lib.name != FLOOR]
        self.peers = [lib.name for lib in libraries if lib.peer]
        self.samples = {w.name: {} for w in workloads}
        self.failed = {w.name: {} for w in workloads}

    def library(self, name):
        """The library called NAME, or None."""
        return next((lib for lib in self.libraries if lib.name == name), None)

    def add(self, workload, library, sample):
        self.samples[workload].setdefault(library, []).append(sample)

    def fail(self, workload, library, why):
        self.failed[workload][library] = why
        self.samples[workload].pop(library, None)

    def values(self, workload, library, metric):
        return [sample.get(metric)
                for sample in self.samples.get(workload, {}).get(library, ())]

    def median(self, workload, library, metric):
        values = [v for v in self.values(workload, library, metric)
                  if v is not None]
        return median(values) if values else None

    def quotient(self, workload, library, other, metric):
        """LIBRARY's METRIC as a multiple of OTHER's, or None."""
        pairs = zip(self.values(workload, library, metric),
                    self.values(workload, other, metric))
        quotients = [a / b for a, b in pairs if a is not None and b]
        return median(quotients) if quotients else None

    def ratios(self, workload, metric):
        """Of each library to libc."""
        return {name: self.quotient(workload, name, LIBC, metric)
                for name in self.names}

    def best_peer(self, workload, metric):
        """(peer, ours as a multiple of it) for the peer nearest to zero."""
        rated = [(ratio, name)
                 for name, ratio in self.ratios(workload, metric).items()
                 if name in self.peers and ratio is not None]
        if not rated:
            return None, None
        best = min(rated)[1]
        return best, self.quotient(workload, OURS, best, metric)

    def of_kind(self, kind):
        return [w.name for w in self.workloads if kind in (None, w.kind)]

    def geomean(self, library, other, metric, kind):
        """(mean of the quotients, how many there were) over a kind of
        workload; None: all."""
        logs = [math.log(q) for q in (
            self.quotient(name, library, other, metric)
            for name in self.of_kind(kind)) if q]
        if not logs:
            return None, 0
        return math.exp(sum(logs) / len(logs)), len(logs)

    def paired(self, term):
        """Median over turns of TERM, called with a function that gives the
        time of (workload, library) in that turn; None if one is missing."""
        results = []
        for turn in range(max((len(v) for by_name in self.samples.values()
                               for v in by_name.values()), default=0)):
            try:
                results.append(term(lambda w, lib, t=turn:
                                    self.samples[w][lib][t]["time"]))
            except (KeyError, IndexError):
                continue
        return median(results) if results else None

    # ------------------------------------------------------------- verdicts

    def worst(self, pattern):
        """(ours over its best peer, workload, peer) of the synthetic workload
        that fares worst among those called like PATTERN."""
        rated = []
        for name in fnmatch.filter(self.of_kind(SYNTHETIC), pattern):
            peer, ratio = self.best_peer(name, "time")
            if ratio is not None:
                rated.append((ratio, name, peer))
        return max(rated, default=(None, "none", "none"))

    def targets(self):
        """The list of (what, measured, sense, bound, unit, remark)."""
        geomeans = [(self.geomean(OURS, peer, "time", SYNTHETIC)[0] or 0, peer)
                    for peer in self.peers]
        cost, nearest = max(geomeans, default=(None, "no peer"))
        count = self.geomean(OURS, LIBC, "time", SYNTHETIC)[1]
        worst, where, peer = self.worst("*")
        mixed, mixed_at, mixed_peer = self.worst("random_*")
        mid, _, mid_peer = self.worst("mid_large_mt")
        mimalloc = self.paired(lambda t: t("tiny_hot", "mimalloc")
                               / t("tiny_hot", OURS))
        floor = self.paired(lambda t: t("tiny_hot", OURS)
                            / t("tiny_hot", FLOOR))
        scaling = self.paired(lambda t: (
            t("independent_1", OURS) / t("independent_2", OURS))
            / (t("independent_1", FLOOR) / t("independent_2", FLOOR)))
        start = self.paired(lambda t: t("startup", OURS) / t("startup", LIBC))
        phases = self.median("phases", OURS, "end_kib")
        rows = [
            ("cost, synthetic, over the best peer's", cost, "<=", 0.90, "",
             "geometric mean of %d; the best is %s" % (count, nearest)),
            ("cost of the worst workload over its best peer's", worst, "<=",
             1.15, "", "%s against %s" % (where, peer)),
        ]
        for title, kind in KINDS[:2]:
            rss, count = self.geomean(OURS, LIBC, "peak_kib", kind)
            rows.append(("peak RSS, %s, over libc's" % title, rss, "<=", 1.00,
                         "", "geometric mean of %d" % count))
        rows += [
            ("tiny_hot: throughput over mimalloc's", mimalloc, ">=", 1.18, "",
             "paired"),
            ("tiny_hot: time over the floor's", floor, "<=", 1.10, "",
             "paired"),
            ("random_*: time over the best peer's", mixed, "<=", 1.05, "",
             "%s against %s" % (mixed_at, mixed_peer)),
            ("mid_large_mt: throughput over the best peer's",
             1 / mid if mid else None, ">=", 1.00, "", "against " + mid_peer),
            ("two threads: gain over the floor's gain", scaling, ">=", 0.95,
             "", "independent, paired"),
            ("startup: time of /bin/true over libc's", start, "<=", 1.05, "",
             "paired"),
            ("phases: resident 2 s after freeing all",
             phases / 1024 if phases is not None else None, "<=", 8, "MiB",
             ""),
        ]
        return [Target(*row) for row in rows]


class Target:
    """One line of what must hold."""

    def __init__(self, what, measured, sense, bound, unit, remark):
        self.what, self.measured, self.sense = what, measured, sense
        self.bound, self.unit, self.remark = bound, unit, remark

    @property
    def met(self):
        """True, False, or None if it was not measured."""
        if self.measured is None:
            return None
        if self.sense == "<=":
            return self.measured <= self.bound
        return self.measured >= self.bound
