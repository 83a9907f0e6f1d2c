# Look at what `make bench-learn' wrote, and at what it computes:
# learn.py BENCH-DIRECTORY bench-learn.json bench-learn.svg NAME...
#
# Each line printed is a test.
import json
import math
import sys
from xml.etree import ElementTree

sys.path.insert(0, sys.argv[1])
import learn
import learn_chart
import learn_cost
import learn_count
import learn_figures
import learn_run
from learn_workloads import AGAIN, FILE, LEARNING, SHIPPED, WORKLOADS

ALL = {SHIPPED, AGAIN, LEARNING, FILE}


def test(name, good, why=""):
    print("ok " + name if good else "not ok %s: %s" % (name, why))


def near(a, b):
    return a is not None and abs(a - b) < 1e-9


def look_at(run, names):
    rows = {row["name"]: row for row in run["workloads"]}
    test("all workloads are there", sorted(rows) == sorted(names), rows.keys())
    test("none fails", not any(r["failed"] for r in rows.values()))
    test("all runs are there",
         all(ALL | {r["oracle"]} <= set(r["runs"]) for r in rows.values()))
    halves = [h for r in rows.values() for runs in r["runs"].values()
              for one in runs for h in one]
    test("two halves of every phase, with figures",
         halves and all(h["half"] in (1, 2) and h["ops"] > 0 and h["cpu"] > 0
                        and h["kib"] > 500 for h in halves))
    test("memory is that of the program", max(
        h["kib"] for h in halves) > 50000 and len(
            {round(h["kib"]) for h in halves}) > 8)
    wrong = []
    for row in rows.values():
        for label in "whole", "late":
            figures = row[label]
            gap, cost = figures["gap"], figures["cost"]
            for name, share in figures["share"].items():
                if (share is None) != (gap is None) or (
                        gap and not near(share, math.log(cost[name])
                                         / math.log(cost[row["oracle"]]))):
                    wrong.append((row["name"], label, name, share))
            if gap is not None and gap <= max(0.02, figures["noise"]):
                wrong.append((row["name"], label, "a gap within the noise"))
    test("shares", not wrong, wrong)
    test("every setting was tried", all(
        len(row["search"]) == len(learn.settings_of(w))
        for w in WORKLOADS for row in [rows.get(w.name)] if row))
    wrong = [r["name"] for r in rows.values()
             if len(r["log"]) != r["report"].count("; reward ")]
    test("every line of the log is understood", not wrong, wrong)


def samples_of(**costs):
    """Samples of one round; CPU time of the halves 2 and 4, memory alike."""
    samples = learn_figures.Samples()
    for name, cost in costs.items():
        samples.add(name, [{"phase": "a", "half": i, "ops": 10,
                            "cpu": 2 * i, "kib": cost} for i in (1, 2)])
    return samples


def shipped_of(samples):
    return learn_figures.Shipped(samples, (SHIPPED, AGAIN))


def look_at_figures():
    samples = samples_of(shipped=100, again=100, oracle=50, learning=60)
    shipped = shipped_of(samples)
    gap = shipped.gap(samples.cost("oracle"))
    test("gap", near(gap, math.log(2)), gap)
    share = shipped.share(samples.cost(LEARNING), gap)
    test("share", near(share, math.log(0.6) / math.log(0.5)), share)
    test("CPU time of a half", samples.cpu(SHIPPED, (2,)) == 4
         and samples.cpu(SHIPPED) == 3)
    samples.add(SHIPPED, [{"phase": "a", "half": i, "ops": 10, "cpu": 1,
                           "kib": 300} for i in (1, 2)])
    test("quickest run, median memory", samples.cpu(SHIPPED) == 1
         and samples.kib(SHIPPED) == 200)
    for name, again, oracle in (("small", 100, 99), ("noise", 80, 82),
                                ("none", 100, 110)):
        samples = samples_of(shipped=100, again=again, oracle=oracle)
        gap = shipped_of(samples).gap(samples.cost("oracle"))
        test("no gap: " + name, gap is None, gap)
    test("no gap, no share", shipped.share(1, None) is None)
    noisy = shipped_of(samples_of(shipped=100, again=80))
    test("noise", near(noisy.noise, math.log(1.25)), noisy.noise)
    test("both names' runs", near(noisy.kib, 90), noisy.kib)
    many = learn_figures.Samples()
    for kib in range(100, 124):
        many.add(AGAIN if kib % 2 else SHIPPED, [
            {"phase": "a", "half": i, "ops": 10, "cpu": 1, "kib": kib}
            for i in (1, 2)])
    shipped = shipped_of(many)
    test("noise of many runs", 0.01 < shipped.noise < math.log(1.23)
         and abs(shipped.kib - 111.5) < 0.1, (shipped.noise, shipped.kib))
    memory = learn_run.Memory(1)
    memory.seen = [(0, 0, 10), (1, 3, 10), (2, 4, 30), (9, 9, 99)]
    test("memory weighs as much as its CPU time",
         near(memory.mean(0, 2), (3 * 10 + 1 * 20) / 4), memory.mean(0, 2))
    test("the nearest look", memory.mean(5, 8) == 99)
    median, most = learn_cost.bound([[1.1] * 5, [1.1] * 5])
    test("bound of equal ratios", near(median, 1.1) and near(most, 1.1))
    median, most = learn_cost.bound([[0.9, 1.0, 1.1, 1.2, 1.3]])
    test("bound", near(median, 1.1) and 1.2 <= most <= 1.3, most)
    counts = learn_count.callgrind_counts(
        "fn=a\n1 5\ncfn=hkm_tick_slow\ncalls=2 0\n1 40\n"
        "fn=hkm_tick_slow\n1 10\ncfn=tick\ncalls=1 0\n1 30\n"
        "fn=tick\ncfn=b\ncalls=1 0\n1 20\n"
        "totals: 1000\n")
    test("callgrind", counts == (1000, 40, 30), counts)


def look_at_chart(path, names):
    def words(root):
        return {e.text for e in root.iter("{http://www.w3.org/2000/svg}text")}

    root = ElementTree.parse(path).getroot()
    test("chart", root.tag.endswith("}svg") and set(names) <= words(root))
    trial = {"window": "7", "who": "dyn", "what": "MID_DYN1", "from": "0",
             "to": "8240", "verdict": "kept", "why": "better", "before": "-1",
             "after": "-0.5"}
    root = ElementTree.fromstring(learn_chart.draw({"workloads": [
        {"name": "a", "failed": "why", "log": [trial]}]}).encode())
    test("chart of a trial", {"dyn", "8240", "why"} <= words(root))


with open(sys.argv[2], encoding="utf-8") as file:
    look_at(json.load(file), sys.argv[4:])
look_at_figures()
look_at_chart(sys.argv[3], sys.argv[4:])
found = [m.groupdict() for m in learn.DECISION.finditer(
    "\n  window 85  magazine: batch of class 24 16 -> 32 and 10 more; "
    "taken back, worse (slow path); reward -1.424 -> 1.457\n")]
test("a line of the log", [(d["who"], d["what"], d["to"], d["verdict"],
                            d["why"], d["after"]) for d in found]
     == [("magazine", "batch of class 24", "32", "taken back",
          "worse (slow path)", "1.457")], found)
print("done")
