# Look at what `make bench` wrote: driver.py bench.json bench.svg NAME...
#
# NAMEs are the workloads asked for.  Each line printed is a test; the
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
names = sys.argv[3:]
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
