"""What a person and a program get to read: tables on stdout, and JSON."""
import json
import os
import platform

import chart
import own
from figures import KINDS, METRICS
from peers import FLOOR, LIBC, OURS

NAME_WIDTH = 15
TRIAL_WIDTH = 28


def number(value, digits=2):
    return "-" if value is None else "%.*f" % (digits, value)


def line(name, cells, widths, name_width=NAME_WIDTH):
    print("%-*s" % (name_width, name)
          + "".join(" %*s" % (width, cell)
                    for width, cell in zip(widths, cells)))


def metric_table(results, metric, title):
    """Ratios to libc, a row per workload; ours against the best peer."""
    names = [name for name in results.names if name != LIBC]
    widths = [max(8, len(name)) for name in names] + [10, 10]
    print("\n%s, libc = 1 (less is better)" % title)
    line("", names + ["over best", "best peer"], widths)
    for workload in results.workloads:
        ratios = results.ratios(workload.name, metric)
        failed = results.failed[workload.name]
        best, over = results.best_peer(workload.name, metric)
        line(workload.name,
             ["failed" if name in failed else number(ratios[name])
              for name in names] + [number(over), best or "-"], widths)
    print("geometric means")
    for label, kind in KINDS:
        means = [results.geomean(name, LIBC, metric, kind) for name in names]
        if any(count for _, count in means):
            # Marked: some workload failed, so it is a mean of fewer.
            most = max(count for _, count in means)
            line("  " + label,
                 [number(mean) + "*" * (0 < count < most)
                  for mean, count in means], widths)


def notes(results):
    """Failures, each of which is missing from its library's means."""
    rows = [(name, library, why)
            for name, failed in results.failed.items()
            for library, why in failed.items()]
    if rows:
        print("\nFailed, and missing in the means marked *:")
        for name, library, why in rows:
            print("  %s under %s: %s" % (name, library, why))


def floor_table(results):
    rows = [(w.name, results.quotient(w.name, OURS, FLOOR, "time"))
            for w in results.workloads if w.floor]
    rows = [(name, ratio) for name, ratio in rows if ratio is not None]
    if rows:
        print("\nTime over the floor's: "
              + ", ".join("%s %s" % (name, number(ratio))
                          for name, ratio in rows))


def facts_table(facts):
    if facts:
        print("\nWhat libhakmem says of itself")
    for row in facts:
        most = "" if row["most"] is None else "  at most %g" % row["most"]
        print("  %-48s %8s%s%s" % (
            row["what"], number(row["measured"], row["digits"]), most,
            "  (%s)" % row["why"] if "why" in row else ""))


def trial_table(trial):
    """An experiment's figures, a line per workload, setting and part; then
    what failed, and what it is to hold."""
    columns = trial.experiment.columns
    widths = [max(8, len(column.head)) for column in columns]
    print("\n%s: %s" % (trial.experiment.name, trial.experiment.title))
    line("", [column.head for column in columns], widths, TRIAL_WIDTH)
    for name, label, part, values in trial.lines():
        line("  " + "  ".join(filter(None, (name, label, part))),
             [number(values[column.head], column.digits)
              for column in columns], widths, TRIAL_WIDTH)
    for (name, label), why in trial.failed.items():
        print("  failed: %s  %s: %s" % (name, label, why))
    verdicts(trial.targets())


def target_lines(targets):
    print("\nTargets")
    verdicts(targets)


def verdicts(targets):
    words = {True: "met", False: "not met", None: "not measured"}
    for target in targets:
        remark = "  (%s)" % target.remark if target.remark else ""
        print("  %-12s %-48s %7s %s %.2f%s%s" % (
            words[target.met], target.what + ":", number(target.measured),
            target.sense, target.bound,
            " " + target.unit if target.unit else "", remark))


def library_lines(results, left_out, settings):
    print("libraries, medians of %d round%s:"
          % (settings.rounds, "s" * (settings.rounds != 1)))
    for library in results.libraries:
        print("  %-12s %s" % (library.name, library.version or "-"))
    for name, why in left_out:
        print("  %-12s left out: %s" % (name, why))


def as_json(settings, results, ours, left_out, interrupted, took):
    """All that was measured and all that follows."""
    def ratios(name):
        return {metric: results.ratios(name, metric) for metric, _ in METRICS}

    def best(name):
        return {metric: dict(zip(("name", "over"),
                                 results.best_peer(name, metric)))
                for metric, _ in METRICS}

    means = {
        label: {metric: {name: results.geomean(name, LIBC, metric, kind)[0]
                         for name in results.names}
                for metric, _ in METRICS}
        for label, kind in KINDS}
    return {
        "format": 1,
        "machine": {"processors": os.cpu_count(),
                    "system": platform.system(),
                    "kernel": platform.release(),
                    "architecture": platform.machine(),
                    "page_bytes": os.sysconf("SC_PAGESIZE")},
        "rounds": settings.rounds,
        "seconds": round(took, 1),
        "interrupted": interrupted,
        "libraries": [lib._asdict() for lib in results.libraries],
        "left_out": [{"name": name, "why": why} for name, why in left_out],
        "workloads": [
            {"name": w.name, "kind": w.kind, "command": " ".join(w.command),
             "ratios": ratios(w.name), "best_peer": best(w.name),
             "failed": results.failed[w.name],
             "samples": results.samples[w.name]}
            for w in results.workloads],
        "geomeans": means,
        "own": ours[0],
        "experiments": [own.as_json(trial) for trial in ours[1]],
        "targets": [dict(vars(t), met=t.met) for t in results.targets()],
    }


def write(settings, results, ours, left_out, interrupted, took):
    """Print the tables; write the JSON file and the chart.  OURS is what was
    seen of libhakmem alone: (facts, trials)."""
    facts, trials = ours
    library_lines(results, left_out, settings)
    if results.workloads:
        for metric, title in METRICS:
            metric_table(results, metric, title[0].upper() + title[1:])
        notes(results)
        floor_table(results)
        facts_table(facts)
        target_lines(results.targets())
    for trial in trials:
        trial_table(trial)
    run = as_json(settings, results, ours, left_out, interrupted, took)
    with open(settings.out, "w", encoding="utf-8") as file:
        json.dump(run, file, indent=1)
        file.write("\n")
    with open(settings.svg, "w", encoding="utf-8") as file:
        file.write(chart.draw(run))
    print("\n%d:%02d minutes; all samples: %s, chart: %s"
          % (*divmod(round(took), 60), settings.out, settings.svg))
