"""What libhakmem's own report says of some workloads, run apart.

The report is written when the process exits (HAKMEM_STATS=exit).
"""
import json
import os
import tempfile

from measure import Failed, read
from peers import OURS
from workloads import WORKLOADS, synthetic


def atomics(report):
    """Pushes and notices per block; retries and the owner's side are not
    counted by the library."""
    counters = report["counters"]
    return ((counters["REMOTE_PUSH"] + counters["REMOTE_NOTIFY"])
            / counters["REMOTE_FREE"])


def large_share(which):
    """Of the large blocks handed out, those that counter WHICH counts."""
    def share(report):
        counters = report["counters"]
        return counters[which] / counters["RUN_ALLOC"]
    return share


def bundle_atomics(report):
    counters = report["counters"]
    return counters["RUN_BUNDLE"] / counters["RUN_BUNDLE_BLOCKS"]


def superslabs(report):
    return report["counters"]["SS_MAP"]


def map_calls(report):
    return report["system_calls"]["mmap"] + report["system_calls"]["munmap"]


def big_misses(report):
    counters = report["counters"]
    return 1 - counters["BIG_CACHE_HIT"] / counters["BIG_ALLOC"]


def madvise_calls(report):
    return report["system_calls"]["madvise"]


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
    ("share of big blocks not from the BigCache, big", BY_NAME["big"],
     big_misses, 0.02, 4, "big"),
    ("mmap and munmap calls, big", BY_NAME["big"], map_calls, None, 0, "big"),
    ("madvise calls, big", BY_NAME["big"], madvise_calls, None, 0, "big"),
    ("share of big blocks not from the BigCache, oscillate",
     BY_NAME["oscillate"], big_misses, None, 4, "oscillate"),
    ("mmap and munmap calls, oscillate", BY_NAME["oscillate"], map_calls, None,
     0, "oscillate"),
    ("madvise calls, oscillate", BY_NAME["oscillate"], madvise_calls, None, 0,
     "oscillate"),
    ("large blocks from the thread's cache, large_mix", BY_NAME["large_mix"],
     large_share("RUN_CACHE_HIT"), None, 3, "large_mix"),
    ("large blocks from the shared pool, large_mix", BY_NAME["large_mix"],
     large_share("RUN_SHARED_HIT"), None, 3, "large_mix"),
    ("of both, longer than asked for, large_mix", BY_NAME["large_mix"],
     large_share("RUN_WMAX_HIT"), None, 3, "large_mix"),
    ("large blocks from the superslabs, large_mix", BY_NAME["large_mix"],
     large_share("RUN_NEW"), 0.25, 3, "large_mix"),
    ("atomics per large block in the shared pool, large_mix",
     BY_NAME["large_mix"], bundle_atomics, 1, 3, "large_mix"),
    ("mmap and munmap calls, large_mix", BY_NAME["large_mix"], map_calls,
     None, 0, "large_mix"),
    # Perl leaves its data alone when it exits.
    ("metadata bytes per live byte, perl at its exit", BY_NAME["perl"],
     metadata, None, 4, "perl"),
)


def report_of(bench, workload, library):
    """The library's report on a run of WORKLOAD; Failed if there is none."""
    with tempfile.TemporaryDirectory(dir=bench.work) as directory:
        path = os.path.join(directory, "report")
        bench.run_in(directory, workload, library, {
            "HAKMEM_STATS": "exit", "HAKMEM_STATS_FORMAT": "json",
            "HAKMEM_STATS_FILE": path})
        try:
            return json.loads(read(path))
        except ValueError:
            raise Failed("no report") from None


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
                reports[workload.name] = report_of(bench, workload, library)
            row["measured"] = value(reports[workload.name])
        except Failed as why:
            row["why"] = str(why)
        except (KeyError, TypeError, ZeroDivisionError) as why:
            row["why"] = "not in the report: %s" % why
        rows.append(row)
    return rows
