#!/usr/bin/env python3
"""make bench: every workload under every library, in turns, and what came out.

Environment: see bench/README.  Exit status: 1 if a workload fails under
libhakmem, 2 if a setting is bad, 130 after an interrupt.
"""
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import own
import peers
import report
import sites
from experiments import EXPERIMENTS
from figures import Results
from measure import Bench, Failed
from progress import Progress, complain
from settings import Settings, run_with
from workloads import WORKLOADS


class BenchSettings(Settings):
    """Those of `make bench', which picks experiments as it does workloads."""

    def __init__(self, get):
        super().__init__(get, "BENCH", WORKLOADS + EXPERIMENTS)
        chosen = self.workloads
        self.workloads = [row for row in chosen if row in WORKLOADS]
        self.experiments = [row for row in chosen if row in EXPERIMENTS]


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


if __name__ == "__main__":
    sys.exit(run_with(BenchSettings, run))
