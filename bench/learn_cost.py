#!/usr/bin/env python3
"""make bench-learn-cost: what learning costs workloads that it can't help.

Environment: see bench/README.  Exit status: 1 if a workload fails, 2 if a
setting is bad, 130 after an interrupt.
"""
import json
import math
import os
import random
import sys
from statistics import median

import peers
from learn_count import Counter
from measure import Bench, Failed
from progress import Progress, complain
from settings import Settings, run_with
from workloads import WORKLOADS

NAMES = ("tiny_hot", "fixed_size", "random_1024", "random_4096", "mixed_live",
         "mid_large_mt", "large_mix", "larson", "xmalloc_like", "python",
         "perl", "lua")
LEARN = {"HAKMEM_LEARN": "1", "HAKMEM_LEARN_SEED": "1"}
# Of the runs that are timed: a few seconds are to see trials.
SHORT = {"HAKMEM_LEARN_WINDOW_MS": "100"}
RESAMPLES = 2000
MOST_TIME, MOST_MEMORY, MOST_INSTRUCTIONS, MOST_TICK = 1.02, 1.02, 1.005, 0.001


def bound(groups):
    """(median of the ratios, its 95 % upper bound) of the geometric mean over
    GROUPS of ratios, by bootstrap over the ratios of each."""
    chance = random.Random(1)

    def mean_of(pick):
        return math.exp(sum(math.log(median(pick(g))) for g in groups)
                        / len(groups))

    means = sorted(mean_of(lambda g: chance.choices(g, k=len(g)))
                   for _ in range(RESAMPLES))
    return mean_of(list), means[int(0.95 * RESAMPLES)]


class Row:
    """One workload: ratios, learning to frozen, of pairs of runs."""

    def __init__(self, workload):
        self.workload = workload
        self.cpu, self.memory = [], []
        self.counts = None  # of a run without, with learning, and its ticks
        self.failed = None


def pair(bench, library, row, turn):
    """Two runs, each first every other time."""
    samples = {}
    for learning in (False, True) if turn % 2 else (True, False):
        samples[learning] = bench.run(row.workload, library,
                                      {**LEARN, **SHORT} if learning else {})
    row.cpu.append(samples[True]["cpu"] / samples[False]["cpu"])
    row.memory.append(samples[True]["peak_kib"] / samples[False]["peak_kib"])


def measure(bench, library, settings, rows):
    counter = Counter(bench, library, LEARN)
    progress = Progress(len(rows) * (settings.rounds + 1))
    try:
        for turn in range(-1, settings.rounds):
            for row in rows:
                progress.show(max(turn, 0), row.workload.name, library.name)
                try:
                    if row.failed:
                        pass
                    elif turn < 0:
                        bench.build(row.workload)
                        row.counts = counter.counts(row.workload)
                    else:
                        pair(bench, library, row, turn)
                except Failed as why:
                    row.failed = str(why)
                    progress.clear()
                    complain("%s: %s" % (row.workload.name, why))
                progress.done += 1
            if not progress.terminal:
                complain("%d of %d rounds" % (turn + 1, settings.rounds))
    finally:
        bench.stop()
        progress.clear()
    return counter


def figures(rows):
    """For JSON and the table."""
    out = []
    for row in rows:
        figure = {"name": row.workload.name, "failed": row.failed,
                  "cpu": row.cpu, "memory": row.memory, "counts": row.counts}
        if row.cpu:
            figure["cpu_median"], figure["cpu_bound"] = bound([row.cpu])
            figure["memory_median"] = median(row.memory)
        out.append(figure)
    return out


def target(what, measured, most, form="%.4f"):
    if measured is None:
        print("  %-12s %s" % ("not measured", what))
        return
    print("  %-12s %-50s %s <= %s" % (
        "met" if measured <= most else "not met", what, form % measured,
        form % most))


def show(table, rows, counter):
    print("Learning over frozen: CPU time of %d pairs of runs (median, 95 %% "
          "upper bound),\npeak memory, instructions (%s; +- two runs without "
          "learning), the ticks' share" % (len(rows[0].cpu),
                                           counter.how or "not counted"))
    for row in table:
        if row["failed"]:
            print("  %-14s %s" % (row["name"], row["failed"]))
            continue
        counts = row["counts"] or {}
        cells = ["%7.3f %7.3f %7.3f" % (
            row["cpu_median"], row["cpu_bound"], row["memory_median"])
            if row["cpu"] else " " * 23]
        cells.append("%9.5f +-%.5f" % (counts["ratio"], counts["noise"])
                     if counts else " " * 19)
        cells.append("%9.6f" % counts["ticks"]
                     if counts.get("ticks") is not None else "")
        print("  %-14s %s" % (row["name"], " ".join(cells)))
    good = [row for row in table if row["cpu"] and not row["failed"]]
    counted = [row["counts"] for row in table if row["counts"]]
    ticks = [row["counts"]["ticks"] for row in table
             if row["counts"] and row["name"].startswith("random_")
             and row["counts"]["ticks"] is not None]
    print("Targets")
    target("instructions, the worst workload's",
           max((c["ratio"] for c in counted), default=None),
           MOST_INSTRUCTIONS)
    target("CPU time, geometric mean, upper bound",
           bound([row["cpu"] for row in good])[1] if good else None,
           MOST_TIME)
    target("CPU time, the worst workload's upper bound",
           max((row["cpu_bound"] for row in good), default=None), MOST_TIME)
    target("peak memory, the worst workload's",
           max((row["memory_median"] for row in good), default=None),
           MOST_MEMORY)
    target("ticks, of the instructions of random_*",
           max(ticks, default=None), MOST_TICK, "%.6f")


def run(settings):
    os.makedirs(settings.work, exist_ok=True)
    why = peers.refusal(settings.ours)
    if why:
        raise Failed(why)
    bench = Bench(settings.source, settings.work, settings.compiler)
    bench.build_launcher()
    library = peers.Library(peers.OURS, settings.ours, "", False)
    rows = [Row(w) for w in settings.workloads]
    interrupted, counter = False, Counter(bench, library, LEARN)
    try:
        counter = measure(bench, library, settings, rows)
    except KeyboardInterrupt:
        interrupted = True
        complain("interrupted: these are the figures so far")
    table = figures(rows)
    show(table, rows, counter)
    with open(settings.out, "w", encoding="utf-8") as file:
        json.dump({"format": 1, "rounds": settings.rounds, "how": counter.how,
                   "interrupted": interrupted, "workloads": table}, file,
                  indent=1)
        file.write("\n")
    print("all samples: %s" % settings.out)
    if interrupted:
        return 130
    return 1 if any(row.failed for row in rows) else 0


def settings_of(get):
    return Settings(get, "LEARN_COST",
                    [w for w in WORKLOADS if w.name in NAMES], 8,
                    "bench-learn-cost.json")


if __name__ == "__main__":
    sys.exit(run_with(settings_of, run))
