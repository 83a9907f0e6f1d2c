"""libhakmem against itself, and what its own report says of some workloads.

The report is written when the process exits (HAKMEM_STATS=exit).
"""
import json
import os
import tempfile
from statistics import median

from figures import Target
from measure import Failed, fields, read
from peers import OURS
from workloads import WORKLOADS, synthetic


def atomics(report):
    """Pushes and notices per block; retries and the owner's side are not
    counted by the library."""
    counters = report["counters"]
    return ((counters["REMOTE_PUSH"] + counters["REMOTE_NOTIFY"])
            / counters["REMOTE_FREE"])


def superslabs(report):
    return report["counters"]["SS_MAP"]


def map_calls(report):
    return report["system_calls"]["mmap"] + report["system_calls"]["munmap"]


def metadata(report):
    return report["memory"]["meta_bytes"] / report["memory"]["live_bytes"]


CANONICAL = synthetic("random_mixed", "random_mixed 200000 4096 1234567 16 "
                                      "1040")
BY_NAME = {w.name: w for w in WORKLOADS}
# what, of which workload, how, most, digits, asked for with which workload
FACTS = (
    ("atomics per remote free, pushes and notices", BY_NAME["xmalloc_like"],
     atomics, 0.2, 3, "xmalloc_like"),
    ("superslabs mapped, canonical random_mixed", CANONICAL, superslabs, 4, 0,
     "random_1040"),
    ("mmap and munmap calls, canonical random_mixed", CANONICAL, map_calls,
     40, 0, "random_1040"),
    # Perl leaves its data alone when it exits.
    ("metadata bytes per live byte, perl at its exit", BY_NAME["perl"],
     metadata, None, 4, "perl"),
)


def observe(bench, workload, library, settings=None):
    """(what WORKLOAD printed, the launcher's sample, the library's report or
    None) of a run with SETTINGS."""
    with tempfile.TemporaryDirectory(dir=bench.work) as directory:
        path = os.path.join(directory, "report")
        out, sample = bench.run_in(directory, workload, library, dict(
            settings or {}, HAKMEM_STATS="exit", HAKMEM_STATS_FORMAT="json",
            HAKMEM_STATS_FILE=path))
        try:
            report = json.loads(read(path))
        except ValueError:
            report = None
    return out, sample, report


def facts(bench, results):
    """A list of dicts, one per fact whose workload is among those run."""
    rows, reports = [], {}
    library = results.library(OURS)
    for what, workload, value, most, digits, needs in FACTS:
        if needs not in results.samples or library is None:
            continue
        row = {"what": what, "command": " ".join(workload.command),
               "most": most, "digits": digits, "measured": None}
        try:
            if workload.name not in reports:
                reports[workload.name] = observe(bench, workload, library)[2]
            row["measured"] = value(reports[workload.name])
        except Failed as why:
            row["why"] = str(why)
        except (KeyError, TypeError, ZeroDivisionError) as why:
            row["why"] = "not in the report: %s" % why
        rows.append(row)
    return rows


class Trial:
    """An experiment and its samples, by (workload, setting), a list by turn;
    None for a run that failed."""

    def __init__(self, experiment):
        self.experiment = experiment
        self.keys = [(workload.name, label)
                     for workload in experiment.workloads
                     for label, _ in experiment.settings]
        self.samples = {key: [] for key in self.keys}
        self.failed = {}

    def turns(self, rounds):
        return 1 if self.experiment.once else rounds

    def runs(self, rounds):
        return self.turns(rounds) * len(self.keys)

    def turn(self, bench, library, workload, turn):
        """WORKLOAD once under each setting; nobody always comes first."""
        settings = self.experiment.settings
        first = turn % len(settings)
        for label, environment in settings[first:] + settings[:first]:
            key = (workload.name, label)
            try:
                out, sample, report = observe(bench, workload, library,
                                              environment)
                self.samples[key].append(
                    dict(fields(out), **sample, report=report))
            except Failed as why:
                self.samples[key].append(None)
                self.failed[key] = str(why)

    def lines(self):
        """(workload, setting, part, values by the columns' heads)."""
        parts = self.experiment.parts or (lambda sample: [("", sample)])
        first = self.experiment.settings[0][0]
        for name, label in self.keys:
            split, base = (
                [dict(attempt(parts, sample) or ())
                 for sample in self.samples[name, which]]
                for which in (label, first))
            for part in dict.fromkeys(p for each in split for p in each):
                yield name, label, part, {
                    column.head: value_of(column, part, split, base)
                    for column in self.experiment.columns}

    def targets(self):
        figures = {(name, label): values
                   for name, label, part, values in self.lines()
                   if part == ""}
        return [Target(goal.what, attempt(
            goal.of, lambda name, label, head: figures[name, label][head]),
                       goal.sense, goal.bound, "", "")
                for goal in self.experiment.goals]


def attempt(function, argument):
    """What FUNCTION makes of ARGUMENT; None if something is missing there."""
    try:
        return function(argument)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


def value_of(column, part, samples, base):
    """The median over turns of COLUMN, of PART of the SAMPLES; if it is
    relative, of its quotients by that of BASE in the same turn."""
    values = []
    for mine, other in zip(samples, base):
        value = attempt(column.of, mine.get(part))
        if column.relative:
            under = attempt(column.of, other.get(part))
            value = value / under if value is not None and under else None
        values.append(value)
    known = [value for value in values if value is not None]
    return median(known) if known else None


def as_json(trial):
    """A trial's settings, samples and figures."""
    experiment = trial.experiment
    commands = {w.name: " ".join(w.command) for w in experiment.workloads}

    def plain(sample):
        """Classes are in the rows of those who look at them."""
        if sample is None or sample["report"] is None:
            return sample
        return dict(sample, report={key: value for key, value
                                    in sample["report"].items()
                                    if key != "classes"})
    return {
        "name": experiment.name, "title": experiment.title,
        "settings": dict(experiment.settings), "commands": commands,
        "rows": [{"workload": name, "setting": label, "part": part,
                  "values": values}
                 for name, label, part, values in trial.lines()],
        "samples": [{"workload": name, "setting": label,
                     "turns": [plain(sample) for sample in turns]}
                    for (name, label), turns in trial.samples.items()],
        "failed": [{"workload": name, "setting": label, "why": why}
                   for (name, label), why in trial.failed.items()],
        "targets": [dict(vars(t), met=t.met) for t in trial.targets()],
    }
