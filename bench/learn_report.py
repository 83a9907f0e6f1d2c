"""What `make bench-learn' prints, and its JSON."""
import json
import os
import platform

import learn_chart
from learn_figures import LATE, WHOLE, Shipped
from learn_workloads import AGAIN, FILE, LEARNING, SHIPPED, title

HALVES = (("whole", WHOLE), ("late", LATE))


def oracle_of(outcome):
    """The best of the static settings that were compared."""
    return min((title(s) for s in outcome.oracles), key=outcome.samples.cost)


def figures_of(samples, oracle, which):
    """Of some halves: cost, CPU time and memory over the shipped policy's."""
    shipped = Shipped(samples, (SHIPPED, AGAIN), which)
    cost = {name: samples.cost(name, which) for name in samples.runs}
    gap = shipped.gap(cost[oracle])
    return {"cost": {n: c / shipped.cost for n, c in cost.items()},
            "cpu": {n: samples.cpu(n, which) / shipped.cpu for n in cost},
            "kib": {n: samples.kib(n, which) / shipped.kib for n in cost},
            "noise": shipped.noise, "gap": gap,
            "share": {n: shipped.share(cost[n], gap)
                      for n in (LEARNING, FILE)}}


def figures(outcome):
    """Of one workload, for JSON and for the table."""
    row = {"name": outcome.workload.name,
           "command": " ".join(outcome.workload.command),
           "failed": outcome.failed, "log": outcome.log,
           "report": outcome.report,
           "search": [dict(zip(("cost", "cpu", "kib", "setting"), r))
                      for r in outcome.search]}
    if not outcome.complete:
        return row
    samples, oracle = outcome.samples, oracle_of(outcome)
    row.update(oracle=oracle, runs=samples.runs)
    for label, which in HALVES:
        row[label] = figures_of(samples, oracle, which)
    row["phases"] = {name: samples.halves(name) for name in samples.runs}
    return row


def share_words(row, label, name):
    share = row[label]["share"][name]
    return "no gap" if share is None else "%.0f %%" % (100 * share)


def table(rows):
    print("Cost (CPU time of an operation by mean memory) over the shipped "
          "policy's, memory\nover its memory, and the share of the gap to the "
          "oracle that is closed.  late: the\nsecond half of each phase; +-: "
          "what is noise")
    print("%-8s %5s %6s  %-18s %-18s %-18s %s" % (
        "", "", "+-", "learning", "with its file", "oracle", "its setting"))
    for row in rows:
        if "oracle" not in row:
            print("%-8s %s" % (row["name"],
                               row["failed"] or "not measured"))
            continue
        for label, _ in HALVES:
            figure, cells = row[label], []
            for name in (LEARNING, FILE, row["oracle"]):
                cells.append("%.3f %.3f %s" % (
                    figure["cost"][name], figure["kib"][name],
                    share_words(row, label, name)
                    if name in figure["share"] else ""))
            print("%-8s %5s %6.3f  %-18s %-18s %-18s %s" % (
                row["name"] if label == "whole" else "", label,
                figure["noise"], *cells,
                row["oracle"] if label == "whole" else ""))


def phase_table(row):
    """CPU time and memory of each half of each phase over shipped's."""
    print("\n%s: CPU time of an operation, memory, over shipped"
          % row["name"])
    names = [LEARNING, FILE, row["oracle"]]
    shipped = row["phases"][SHIPPED]
    for i, half in enumerate(shipped):
        cells = ["%5.2f %5.2f" % (row["phases"][n][i]["cpu"] / half["cpu"],
                                  row["phases"][n][i]["kib"] / half["kib"])
                 for n in names]
        print("  %-8s %d %9.1f ns %8.0f KiB   learning %s   file %s   "
              "oracle %s" % (half["phase"], half["half"], half["cpu"] * 1e9,
                             half["kib"], *cells))
    kept = [d for d in row["log"] if d["verdict"] == "kept"]
    print("  %d decisions in the log, %d kept%s" % (
        len(row["log"]), len(kept), "".join(
            "\n    window %(window)s %(who)s: %(what)s %(from)s -> %(to)s" % d
            for d in kept)))
    print("  best settings: " + ", ".join(
        "%(setting)s %(cost).2f" % s for s in row["search"][:4]))


def write(settings, outcomes, interrupted, took):
    """Print the tables; write the JSON file and the chart."""
    rows = [figures(outcome) for outcome in outcomes]
    table(rows)
    for row in rows:
        if "oracle" in row:
            phase_table(row)
    run = {"format": 1, "rounds": settings.rounds, "part": settings.part,
           "seconds": round(took, 1), "interrupted": interrupted,
           "machine": {"processors": os.cpu_count(),
                       "kernel": platform.release(),
                       "architecture": platform.machine()},
           "workloads": rows}
    with open(settings.out, "w", encoding="utf-8") as file:
        json.dump(run, file, indent=1)
        file.write("\n")
    with open(settings.svg, "w", encoding="utf-8") as file:
        file.write(learn_chart.draw(run))
    print("\n%d:%02d minutes; all samples: %s, chart: %s"
          % (*divmod(round(took), 60), settings.out, settings.svg))
