#!/usr/bin/env python3
"""make bench-learn: what learning makes of workloads whose behaviour changes.

Environment: see bench/README.  Exit status: 1 if a workload fails, 2 if a
setting is bad, 130 after an interrupt.
"""
import math
import os
import re
import sys
import time

import learn_report
from learn_figures import LEAST_GAP, Samples, Shipped
from learn_run import Runner
from learn_workloads import (AGAIN, FILE, LEARNING, SHIPPED, WORKLOADS,
                             settings_of, title)
from measure import Bench, Failed
from progress import Progress, complain
from settings import Settings, run_with

# The search takes this part of a run's length; it tries all settings a third as
# often as rounds count, but LEAST_ALL times, and the BEST of them as often as
# that.  SINGLE of these may be the oracle, or all together that are better than
# noise.
PART, LEAST_ALL, BEST, SINGLE = 0.3, 2, 5, 2
WINDOW_MS = "10"  # shorter ones than usual: the runs are short
# A line of the log (lib/learn/log.c).
DECISION = re.compile(
    r"^  window (?P<window>\d+)  (?P<who>[\w-]+): (?P<what>.*?) "
    r"(?P<from>\d+) -> (?P<to>\d+)(?: and (?P<more>\d+) more)?; "
    r"(?P<verdict>[a-z ]+), (?P<why>[^;]+); reward (?P<before>-?[\d.]+) -> "
    r"(?P<after>-?[\d.]+)$",
    re.M)


class LearnSettings(Settings):
    """LEARN_PART is the length of runs, in percent."""

    def __init__(self, get):
        super().__init__(get, "LEARN", WORKLOADS, 3, "bench-learn.json")
        self.part = self.number("PART", 100, 1000) / 100

    @property
    def rounds_all(self):
        return max(LEAST_ALL, self.rounds // 3)


class Outcome:
    """All that is known of one workload."""

    def __init__(self, workload):
        self.workload = workload
        self.search = []      # (cost over shipped, cpu, memory, title)
        self.oracles = []     # settings, in the names of the samples' order
        self.samples = Samples()
        self.log = []         # decisions of the last learning run
        self.report = ""      # its text
        self.failed = None

    @property
    def complete(self):
        return self.failed is None and self.samples.has(FILE)


def variables(setting):
    return {"HAKMEM_" + name: value for name, value in setting.items()}


def rated(samples, shipped, names):
    """(cost, CPU time, memory over the shipped policy's, name), best first."""
    return sorted((samples.cost(name) / shipped.cost,
                   samples.cpu(name) / shipped.cpu,
                   samples.kib(name) / shipped.kib, name) for name in names)


def in_turns(names, turn):
    """NAMES in an order that turns from round to round."""
    names = names[turn % len(names):] + names[:turn % len(names)]
    return names[::-1] if turn % 2 else names


class Learning:
    """The whole of it."""

    def __init__(self, settings, runner):
        self.settings = settings
        self.runner = runner
        self.outcomes = []
        self.progress = Progress(sum(self.runs_of(w)
                                     for w in settings.workloads))

    def runs_of(self, workload):
        return (self.settings.rounds_all * (len(settings_of(workload)) + 2)
                + self.settings.rounds * (BEST + 2)
                + self.settings.rounds * (SINGLE + 5))

    def run(self, samples, turn, workload, name, environment, part):
        self.progress.show(turn, workload.name, name)
        samples.add(name, self.runner.run(workload, environment,
                                          part * self.settings.part))
        self.progress.done += 1

    def rounds(self, outcome, settings, count):
        """(what the shipped policy costs, SETTINGS rated, by title), by COUNT
        rounds."""
        samples = Samples()
        table = {title(s): s for s in settings}
        for turn in range(count):
            for name in in_turns([SHIPPED, *table, AGAIN], turn):
                self.run(samples, turn, outcome.workload, name,
                         variables(table.get(name, {})), PART)
        shipped = Shipped(samples, (SHIPPED, AGAIN))
        return shipped, rated(samples, shipped, table)

    def search(self, outcome):
        """Find the best of the static settings, and what to combine."""
        settings = settings_of(outcome.workload)
        table = {title(s): s for s in settings}
        _, outcome.search = self.rounds(outcome, settings,
                                        self.settings.rounds_all)
        shipped, best = self.rounds(
            outcome, [table[row[-1]] for row in outcome.search[:BEST]],
            self.settings.rounds)
        outcome.oracles = [table[row[-1]] for row in best[:SINGLE]]
        together = {}
        for cost, _, _, name in best:
            if -math.log(cost) > max(shipped.noise, LEAST_GAP):
                together = {**table[name], **together}
        if together and together not in outcome.oracles:
            outcome.oracles.append(together)

    def learn(self, outcome, turn, directory):
        """A learning run; its log, and the file it saves."""
        report = os.path.join(directory, "report")
        if os.path.exists(report):
            os.unlink(report)  # reports are added to it
        self.run(outcome.samples, turn, outcome.workload, LEARNING, {
            "HAKMEM_LEARN": "1", "HAKMEM_LEARN_SEED": "%d" % (turn + 1),
            "HAKMEM_LEARN_WINDOW_MS": WINDOW_MS, "HAKMEM_STATS": "exit",
            "HAKMEM_STATS_FILE": report,
            "HAKMEM_POLICY_SAVE": os.path.join(directory, "policy")}, 1)
        with open(report, encoding="utf-8") as file:
            outcome.report = file.read().partition("\nlearning")[2]
        outcome.log = [m.groupdict()
                       for m in DECISION.finditer(outcome.report)]

    def compare(self, outcome):
        """The rounds that count."""
        workload, directory = outcome.workload, self.runner.bench.work
        oracles = {title(s): s for s in outcome.oracles}
        for turn in range(self.settings.rounds):
            for name in in_turns([LEARNING, FILE, SHIPPED, AGAIN,
                                  *oracles], turn):
                if name == LEARNING:
                    self.learn(outcome, turn, directory)
                    continue
                environment = variables(oracles.get(name, {}))
                if name == FILE:
                    # Of this round's learning run, or of the one before.
                    environment["HAKMEM_POLICY_FILE"] = os.path.join(
                        directory, "policy")
                self.run(outcome.samples, turn, workload, name, environment,
                         1)

    def measure(self):
        for workload in self.settings.workloads:
            began = time.monotonic()
            outcome = Outcome(workload)
            self.outcomes.append(outcome)
            try:
                self.runner.bench.build(workload)
                self.search(outcome)
                self.compare(outcome)
            except Failed as why:
                outcome.failed = str(why)
                self.progress.clear()
                complain("%s: %s" % (workload.name, why))
            self.progress.finish(0, workload.name, time.monotonic() - began)


def run(settings):
    if not os.access(settings.ours, os.R_OK):
        raise Failed("no library at %s" % settings.ours)
    began = time.monotonic()
    os.makedirs(settings.work, exist_ok=True)
    runner = Runner(Bench(settings.source, settings.work, settings.compiler),
                    settings.ours)
    learning = Learning(settings, runner)
    interrupted = False
    try:
        learning.measure()
    except KeyboardInterrupt:
        interrupted = True
        complain("interrupted: these are the figures so far")
    finally:
        runner.stop()
        learning.progress.clear()
    learn_report.write(settings, learning.outcomes, interrupted,
                       time.monotonic() - began)
    if interrupted:
        return 130
    return 1 if any(o.failed for o in learning.outcomes) else 0


if __name__ == "__main__":
    sys.exit(run_with(LearnSettings, run))
