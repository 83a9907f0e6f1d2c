"""What `make bench-learn' runs: workloads whose behaviour changes, and the
static settings that a search for the best one tries.

In a command {n} stands for the length of half a turn, which is `length' or a
part of it; {src} and {python} are as in workloads.py.
"""
from collections import namedtuple

from workloads import PROGRAM, SYNTHETIC

# Its first five fields are those of workloads.Workload that building and
# running look at.  settings: further ones to be tried, dicts.
Phased = namedtuple("Phased", "name kind command length needs environment "
                              "settings")
REDIS = "redis"
# What is compared: names of runs.  AGAIN is SHIPPED once more.
SHIPPED, AGAIN, LEARNING, FILE = "shipped", "again", "learning", "file"


def synthetic(name, command, length, settings=()):
    return Phased(name, SYNTHETIC, command.split(), length, (), {}, settings)


WORKLOADS = (
    synthetic("sizes", "phased_sizes {n}", 10000000, (
        {"MID_DYN1": "8240"}, {"MID_DYN1": "12416"},
        {"MID_DYN1": "8240", "MID_DYN2": "12416"})),
    synthetic("grow", "phased_grow {n}", 14000000),
    synthetic("churn", "phased_churn {n}", 36000),
    synthetic("threads", "phased_threads {n}", 20000),
    Phased(REDIS, PROGRAM, ["redis-server"], 96000,
           ("redis-server", "redis-benchmark", "redis-cli"), {}, ()),
    Phased("python", PROGRAM,
           "{python} {src}/programs/phased.py {n} 6".split(), 4000, (),
           # Its own pools would hide most blocks from malloc.
           {"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0"}, ()),
)

# A variable, and the values of it that are tried beside its default.
STATIC = (
    ("TINY_RETURN_FRACTION", ("2", "4", "16", "32")),
    ("TINY_BUMP_CHUNK", ("1024", "16384", "65536")),
    ("TINY_SLL_CAP", ("64", "1024")),
    ("TINY_REMOTE_DRAIN_THRESH", ("16,16,16,8,4,4,4,4",
                                  "256,256,256,128,64,64,64,64")),
    ("CAP_MID", ("0", "8", "32")),
    ("CAP_LARGE", ("4", "64")),
    ("WMAX_MID", ("1.4", "2")),
    ("WMAX_LARGE", ("1", "1.5")),
    ("LARGE_BUNDLE", ("1", "32")),
    ("BIGCACHE_STRATEGY", ("lru", "decay", "keep")),
    ("RETAIN_STRATEGY", ("share", "floor")),
    ("THP_THRESHOLD", ("2097152", "536870912")),
)


def settings_of(workload):
    """All static settings that are tried on WORKLOAD, dicts by variable."""
    return [{name: value} for name, values in STATIC
            for value in values] + list(workload.settings)


def title(setting):
    return " ".join("%s=%s" % pair for pair in setting.items()) or SHIPPED
