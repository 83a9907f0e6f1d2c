#!/usr/bin/env python3
"""make bench: every workload under every library, in turns, and what came out.

Environment: see bench/README.  Exit status: 1 if a workload fails under
libhakmem, 2 if a setting is bad, 130 after an interrupt.
"""
import fnmatch
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import own
import peers
import report
from experiments import EXPERIMENTS
import sites
from figures import Results
from measure import Bench, Failed
from workloads import WORKLOADS


class BadSetting(Exception):
    """A variable of the environment that makes no sense."""


class Settings:
    """What the environment asks for."""

    def __init__(self, get):
        self.source = os.path.dirname(os.path.abspath(__file__))
        builddir = os.path.abspath(get("builddir") or ".")
        self.work = os.path.join(builddir, "bench.work")
        self.compiler = get("CC") or "cc"
        self.ours = os.path.abspath(get("HAKMEM_TEST_LIB") or os.path.join(
            builddir, ".libs", "libhakmem.so.1"))
        self.rounds = self.number("BENCH_ROUNDS", get("BENCH_ROUNDS") or "4")
        try:
            self.extra = peers.parse(get("BENCH_LIBS") or "")
        except peers.BadLibraries as bad:
            raise BadSetting("BENCH_LIBS: %s" % bad) from None
        self.workloads, self.experiments = self.chosen(
            get("BENCH_ONLY") or "*")
        self.out = get("BENCH_OUT") or os.path.join(builddir, "bench.json")
        directory = os.path.dirname(os.path.abspath(self.out))
        if not self.out.endswith(".json") or not os.access(directory, os.W_OK):
            raise BadSetting("BENCH_OUT: %r is not NAME.json in a directory "
                             "that can be written to" % self.out)
        self.svg = self.out[:-len("json")] + "svg"

    @staticmethod
    def number(name, text):
        if not text.isdecimal() or not 1 <= int(text) <= 99:
            raise BadSetting("%s: %r is not a number from 1 to 99"
                             % (name, text))
        return int(text)

    @staticmethod
    def chosen(text):
        """(workloads, experiments)."""
        patterns = text.split(",")
        names = [row.name for row in WORKLOADS + EXPERIMENTS]
        for pattern in patterns:
            if not fnmatch.filter(names, pattern):
                raise BadSetting("BENCH_ONLY: no workload is called %r; there "
                                 "are %s" % (pattern, " ".join(names)))
        return tuple([row for row in rows
                      if any(fnmatch.fnmatch(row.name, p) for p in patterns)]
                     for rows in (WORKLOADS, EXPERIMENTS))


def complain(text):
    print("bench: " + text, file=sys.stderr, flush=True)


class Progress:
    """One line that is written over on a terminal, else one per workload."""

    def __init__(self, runs):
        self.runs, self.done = runs, 0
        self.terminal = sys.stderr.isatty()
        self.began = time.monotonic()

    def left(self):
        if self.done == 0:
            return ""
        passed = time.monotonic() - self.began
        seconds = round(passed / self.done * (self.runs - self.done))
        return ", %d:%02d left" % divmod(seconds, 60)

    def show(self, turn, workload, library):
        if self.terminal:
            sys.stderr.write("\r\033[K%3d %%%s  round %d: %s under %s" % (
                100 * self.done // self.runs, self.left(), turn + 1, workload,
                library))
            sys.stderr.flush()

    def finish(self, turn, workload, seconds):
        if not self.terminal:
            complain("%3d %%%s  round %d: %s took %.1f s" % (
                100 * self.done // self.runs, self.left(), turn + 1, workload,
                seconds))

    def clear(self):
        if self.terminal:
            sys.stderr.write("\r\033[K")


def build(bench, settings):
    """(workloads that can be run, floor library or None, left out)."""
    bench.build_launcher()
    left_out, ready = [], []
    wanted = settings.workloads + list({
        w.command[0]: w for trial in settings.experiments
        for w in trial.workloads}.values())

    def attempt(workload):
        try:
            bench.build(workload)
            return None
        except Failed as why:
            return str(why)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for workload, why in zip(wanted, pool.map(attempt, wanted)):
            if why is not None:
                left_out.append((workload.name, why))
            elif workload in settings.workloads:
                ready.append(workload)
    floor = None
    if any(w.floor for w in ready):
        floor = peers.Library(peers.FLOOR, bench.build_floor(), "", False)
    return ready, floor, left_out


def one_turn(bench, results, workload, libraries, progress, turn):
    """WORKLOAD once under each of LIBRARIES that did not fail on it yet."""
    before = time.monotonic()
    for library in libraries:
        if library.name not in results.failed[workload.name]:
            progress.show(turn, workload.name, library.name)
            try:
                results.add(workload.name, library.name,
                            bench.run(workload, library))
            except Failed as why:
                results.fail(workload.name, library.name, str(why))
                progress.clear()
                complain("%s fails under %s: %s" % (workload.name,
                                                    library.name, why))
        progress.done += 1
    progress.finish(turn, workload.name, time.monotonic() - before)


def one_trial_turn(bench, library, trial, progress, turn):
    """All of TRIAL's workloads once under each of its settings."""
    experiment = trial.experiment
    before = time.monotonic()
    for workload in experiment.workloads:
        progress.show(turn, experiment.name, workload.name)
        trial.turn(bench, library, workload, turn)
        progress.done += len(experiment.settings)
    progress.finish(turn, experiment.name, time.monotonic() - before)


def measure(bench, settings, results, trials):
    """All rounds; what is complete stays in RESULTS and TRIALS after an
    interrupt."""
    def runners(workload):
        return [lib for lib in results.libraries
                if workload.floor or lib.name != peers.FLOOR]

    ours = results.library(peers.OURS)
    progress = Progress(settings.rounds * sum(
        w.times * len(runners(w)) for w in results.workloads)
        + sum(trial.runs(settings.rounds) for trial in trials))
    try:
        for turn in range(settings.rounds):
            for place, workload in enumerate(results.workloads):
                libraries = runners(workload)
                for again in range(workload.times):
                    # Nobody always comes first, or after the same one; libc's
                    # first run says what a program is to print.
                    first = (turn + place + again) % len(libraries)
                    if turn == 0:
                        first = 0
                    one_turn(bench, results, workload,
                             libraries[first:] + libraries[:first], progress,
                             turn)
            for trial in trials:
                if turn < trial.turns(settings.rounds):
                    one_trial_turn(bench, ours, trial, progress, turn)
    finally:
        progress.clear()


def prepare(settings):
    """(what runs workloads, empty results, empty trials, left out as (name,
    why))."""
    os.makedirs(settings.work, exist_ok=True)
    bench = Bench(settings.source, settings.work, settings.compiler)
    ready, floor, missing = build(bench, settings)
    libraries, left_out = peers.find(settings.ours, settings.extra)
    for name, why in left_out + missing:
        complain("left out: %s: %s" % (name, why))
    if floor is not None:
        libraries.append(floor)
    results = Results(ready, libraries)
    trials = []
    if results.library(peers.OURS) is not None:
        trials = [own.Trial(experiment)
                  for experiment in settings.experiments]
    return bench, results, trials, left_out + missing


def run(settings):
    """Measure and report; the exit status."""
    bench, results, trials, left_out = prepare(settings)
    facts, interrupted = [], False
    began = time.monotonic()
    try:
        measure(bench, settings, results, trials)
        facts = own.facts(bench, results) + sites.facts(bench, results)
    except KeyboardInterrupt:
        interrupted = True
        bench.stop()
        complain("interrupted: these are the figures so far")
    report.write(settings, results, (facts, trials), left_out, interrupted,
                 time.monotonic() - began)
    if interrupted:
        return 130
    ours_failed = peers.OURS not in results.names or any(
        peers.OURS in failed for failed in results.failed.values()) or any(
        trial.failed for trial in trials)
    return 1 if ours_failed else 0


def main():
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return run(Settings(os.environ.get))
    except KeyboardInterrupt:
        return 130
    except BadSetting as bad:
        complain(str(bad))
        return 2
    except Failed as why:
        complain(str(why))
        return 1


if __name__ == "__main__":
    sys.exit(main())
