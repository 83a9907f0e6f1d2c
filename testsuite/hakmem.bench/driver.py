# Look at what `make bench` wrote: driver.py bench.json bench.svg NAME...
#
# NAMEs are the workloads asked for, and own_NAMEs the experiments.  Each line printed is a test; the
# libraries planted by driver.exp, `dies' and `talks', fail where they must.
import json
import math
import sys
from xml.etree import ElementTree

METRICS = ("time", "cpu", "peak_kib", "end_kib")


def test(name, good, why=""):
    print("ok " + name if good else "not ok %s: %s" % (name, why))


with open(sys.argv[1], encoding="utf-8") as file:
    run = json.load(file)
names = [name for name in sys.argv[3:] if not name.startswith("own_")]
trials = {trial["name"]: trial for trial in run["experiments"]}
libraries = [lib["name"] for lib in run["libraries"]]
sound = [name for name in libraries if name not in ("dies", "talks", "floor")]
by_name = {w["name"]: w for w in run["workloads"]}

test("all workloads are there", sorted(by_name) == sorted(names),
     sorted(by_name))
test("libraries", libraries[:2] == ["libc", "hakmem"]
     and {"dies", "talks"} <= set(libraries), libraries)
wrong = [(name, lib, metric)
         for name, workload in by_name.items() for lib in sound
         for metric in METRICS
         if lib not in workload["failed"]
         and not 0 < (workload["ratios"][metric].get(lib) or 0) < 1e6]
test("all ratios are there", not wrong, wrong)
test("libc is 1", all(w["ratios"][m]["libc"] == 1
                      for w in by_name.values() for m in METRICS))
test("no workload fails under libc or libhakmem",
     not any({"libc", "hakmem"} & set(w["failed"]) for w in by_name.values()))
samples = [s for w in by_name.values() for rows in w["samples"].values()
           for s in rows]
# A C program that does nothing has some hundred KiB; the driver, 10,000.
test("memory is that of the program",
     samples and all(s["peak_kib"] > 300 for s in samples)
     and min(s["peak_kib"] for s in samples) < 6000)

counted = by_name["cache_thrash"]
product = math.prod(w["ratios"]["time"]["hakmem"] for w in by_name.values()
                    if w["kind"] == "synthetic")
mean = run["geomeans"]["synthetic"]["time"]["hakmem"]
test("geometric mean", abs(mean ** 2 - product) < 1e-9, (mean, product))
best = counted["best_peer"]["time"]["name"]
peers = [lib["name"] for lib in run["libraries"]
         if lib["peer"] and lib["name"] not in counted["failed"]]
test("best peer", best == min(peers, key=counted["ratios"]["time"].get), best)

test("a library that ends programs fails",
     "exit status 3" in counted["failed"].get("dies", ""), counted["failed"])
test("what fails is in no mean",
     run["geomeans"]["synthetic"]["time"]["dies"] is None
     and counted["ratios"]["time"]["dies"] is None)
failed = by_name["python"]["failed"]
test("wrong output fails", failed.get("talks") == "wrong output", failed)
test("what is sound does not fail", "talks" not in counted["failed"])

test("all experiments are there",
     sorted(trials) == sorted(set(sys.argv[3:]) - set(names)), sorted(trials))
test("no setting fails", not any(t["failed"] for t in trials.values()))


def cells(trial, head):
    return {(row["workload"], row["setting"]): row["values"][head]
            for row in trials[trial]["rows"]}


quotients = cells("own_thp", "CPU")
test("a row for each workload and setting",
     set(quotients) == {(w, s) for w in ("big", "realloc_growth")
                        for s in ("off", "auto", "always")}, quotients)
test("the first setting is 1, others are quotients",
     all(q == 1 if s == "off" else 0 < q < 100
         for (_, s), q in quotients.items()), quotients)
# All of the vector's 256 MiB is written.  The kernel may fault in several pages
# at once, but not so many where huge ones are off.
faults = cells("own_thp", "faults")
pages = (256 << 20) / run["machine"]["page_bytes"]
test("page faults are counted",
     all(10 < f < 4 * pages + 4000 for f in faults.values())
     and faults["realloc_growth", "off"] > pages / 32, faults)
reports = [turn["report"] for trial in trials.values()
           for each in trial["samples"] for turn in each["turns"]]
if all(reports) and all(r["counters"] for r in reports):
    where = trials["own_large"]["rows"][0]["values"]
    test("shares of all large blocks",
         abs(where["cache %"] + where["shared %"] + where["new %"] - 100)
         < 0.01, where)
    test("experiments are judged", {t["met"] for t in
                                    trials["own_large"]["targets"]}
         <= {True, False} and len(trials["own_large"]["targets"]) == 2)
    rows = [r for r in trials["own_waste"]["rows"]
            if r["workload"] == "random_mixed"]
    parts = {r["part"]: r["values"] for r in rows}
    held = sum(v["held KiB"] for p, v in parts.items() if p != "all")
    whole = parts["all"]
    test("classes sum up", len(parts) > 9 and held == whole["held KiB"]
         and whole["held KiB"] >= whole["carved KiB"] >= whole["live KiB"]
         >= whole["asked KiB"] > 1000, whole)

test("targets", {t["met"] for t in run["targets"]} <= {True, False, None}
     and len(run["targets"]) >= 10)
test("machine", run["machine"]["processors"] > 0
     and set(run["machine"]) == {"processors", "system", "kernel",
                                 "architecture", "page_bytes"})
root = ElementTree.parse(sys.argv[2]).getroot()
words = {e.text for e in root.iter("{http://www.w3.org/2000/svg}text")}
test("chart", root.tag.endswith("}svg")
     and {"libhakmem", "libc", *names} <= words, words)
print("done")
