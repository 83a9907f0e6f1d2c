"""libhakmem against itself: which settings, on what, and what is looked at.

Everything here is data; own.py runs it.  A sample, of which columns are made,
has what the launcher measured, what the workload printed, and the library's
own report as "report"; a value that cannot be had from it is left out.
"""
from collections import namedtuple

from workloads import synthetic

# title: what is varied.  settings: (label, environment), the first of which
# the others are compared with.  once: counters alone, the same in each round.
# parts: from a sample to (label, sample) pairs, each of which is a line.
Experiment = namedtuple(
    "Experiment", "name title settings workloads columns goals once parts",
    defaults=((), False, None))
# of: a function of a sample.  relative: shown as a multiple of the first
# setting's, turn by turn.
Column = namedtuple("Column", "head of digits relative", defaults=(1, False))
# of: a function of AT, which gives the figure of (workload, setting, column).
Goal = namedtuple("Goal", "what of sense bound")

MIB = 1 << 20


def counter(name):
    return lambda sample: sample["report"]["counters"][name]


def calls(*names):
    return lambda sample: sum(sample["report"]["system_calls"][name]
                              for name in names)


def total(*names):
    """Of several counters together."""
    return lambda sample: sum(counter(name)(sample) for name in names)


def quotient(over, under, factor=1):
    return lambda sample: factor * over(sample) / under(sample)


def printed(name, factor=1):
    """What the workload or the launcher says."""
    return lambda sample: factor * float(sample[name])


def memory(name):
    return lambda sample: sample["report"]["memory"][name]


def state(name):
    return lambda sample: sample["report"]["superslabs"][name]


CPU = Column("ns CPU/op", quotient(printed("cpu"), printed("ops"), 1e9))
CPU_RATIO = Column("CPU", quotient(printed("cpu"), printed("ops")), 2, True)
TIME_RATIO = Column("time", printed("seconds"), 2, True)
PEAK = Column("peak MiB", printed("peak_kib", 1 / 1024))
MAP_CALLS = Column("map calls", calls("mmap", "munmap"), 0)
MADVISE = Column("madvise", calls("madvise"), 0)
REFILLS = Column("refills/1000", quotient(counter("REFILL"), printed("ops"),
                                          1000), 2)


def large_share(head, name):
    """Per cent of the large blocks handed out."""
    return Column(head, quotient(counter(name), counter("RUN_ALLOC"), 100))


CACHE = large_share("cache %", "RUN_CACHE_HIT")
SHARED = large_share("shared %", "RUN_SHARED_HIT")
LONGER = large_share("longer %", "RUN_WMAX_HIT")
NEW = large_share("new %", "RUN_NEW")
BUNDLE_ATOMICS = Column("atomics/moved", quotient(
    counter("RUN_BUNDLE"), counter("RUN_BUNDLE_BLOCKS")), 3)

RANDOM_MIXED = synthetic("random_mixed",
                         "random_mixed 8000000 4096 1234567 16 1024")
MIXED_LIVE = synthetic("mixed_live",
                       "random_mixed 2000000 100000 1234567 16 1024")
LARGE_MIX = synthetic("large_mix", "large_mix 2 200000")
LARGE_MT = synthetic("large_mt", "large_mt 2 200000")


def option(name, *values):
    """Settings of one variable."""
    return tuple((value, {"HAKMEM_" + name: value}) for value in values)


def on_off(name):
    return (("on", {"HAKMEM_" + name: "1"}), ("off", {"HAKMEM_" + name: "0"}))


# Blocks of a range of sizes, 64 MiB of them on and off, the same ones in each
# cycle: first so many cycles, then so many.
CYCLED = (("16 B-1 KiB", "64 1024"), ("4-32 KiB", "4096 32768"),
          ("64 KiB-1 MiB", "65536 1048576"))
FEW, MANY = 15, 40
CYCLES = tuple(synthetic("%s, %d" % (name, count),
                         "oscillate 64 %d %s 1234567 0 1" % (count, sizes))
               for name, sizes in CYCLED for count in (FEW, MANY))


def later(at, name, setting, head):
    """Of the cycles after the first FEW."""
    return (at("%s, %d" % (name, MANY), setting, head)
            - at("%s, %d" % (name, FEW), setting, head))


def more_maps(at):
    """Map calls after the first FEW cycles, in the worst row."""
    return max(later(at, name, "kept", "map calls") for name, _ in CYCLED)


def lru_hits(at):
    """Per cent of the further superslabs that were wanted after the first FEW
    cycles; of the small blocks, whose cycles are long enough for a purge."""
    hits, maps = (later(at, CYCLED[0][0], "purged", head)
                  for head in ("from LRU", "mapped"))
    return 100 * hits / (hits + maps)


def by_class(sample):
    """A part for each size class, and one for all."""
    lines = [dict(line, live_bytes=line["live"] * line["size"],
                  carved_bytes=line["carved"] * line["size"])
             for line in sample["report"]["classes"] if line["slabs"]]
    whole = {key: sum(line[key] for line in lines)
             for key in ("slabs", "slab_bytes", "live_bytes", "carved_bytes")}
    whole["asked"] = 1024 * float(sample["asked_kib"])
    whole["resident"] = 1024 * float(sample["live_kib"])
    return [("%d" % line["size"], line) for line in lines] + [("all", whole)]


WASTE = (
    Column("slabs", printed("slabs"), 0),
    Column("held KiB", printed("slab_bytes", 1 / 1024), 0),
    Column("carved KiB", printed("carved_bytes", 1 / 1024), 0),
    Column("live KiB", printed("live_bytes", 1 / 1024), 0),
    Column("asked KiB", printed("asked", 1 / 1024), 0),
    Column("resident KiB", printed("resident", 1 / 1024), 0),
    Column("held/live", quotient(printed("slab_bytes"),
                                 printed("live_bytes")), 2),
    Column("carved/live", quotient(printed("carved_bytes"),
                                   printed("live_bytes")), 2),
)

STAGES = total("ACQUIRE_STAGE1", "ACQUIRE_STAGE2", "ACQUIRE_STAGE3")
STAGE_COLUMNS = (
    Column("acquired", STAGES, 0),
    Column("class's %", quotient(counter("ACQUIRE_STAGE1"), STAGES, 100)),
    Column("at hand %", quotient(counter("ACQUIRE_STAGE2"), STAGES, 100)),
    Column("further %", quotient(counter("ACQUIRE_STAGE3"), STAGES, 100)),
    Column("from LRU", counter("SS_LRU_HIT"), 0),
    Column("mapped", counter("SS_MAP"), 0), MAP_CALLS)
GIB_FREED = 0.25  # by `phases 256'

EXPERIMENTS = (
    Experiment(
        "own_route", "route of the tiny layer (HAKMEM_TINY_HOTHEAP_V2)",
        (("page-local", {"HAKMEM_TINY_HOTHEAP_V2": "1"}),
         ("magazine", {"HAKMEM_TINY_HOTHEAP_V2": "0"})),
        (RANDOM_MIXED, synthetic("tiny_hot", "tiny_hot 40000000 32 1"),
         MIXED_LIVE),
        (CPU, CPU_RATIO, PEAK, REFILLS,
         Column("drains/1000", quotient(counter("MAGAZINE_DRAIN"),
                                        printed("ops"), 1000), 2))),
    Experiment(
        "own_ultra", "superslabs of their own for C6, C7 "
        "(HAKMEM_TINY_C7_ULTRA)",
        on_off("TINY_C7_ULTRA"),
        (synthetic("c7_only", "c7_only 16000000"), RANDOM_MIXED),
        (CPU, CPU_RATIO, PEAK,
         Column("superslabs", counter("SS_MAP"), 0),
         Column("acquired", STAGES, 0)),
        tuple(Goal("%s: CPU time off over on" % name,
                   lambda at, name=name: at(name, "off", "CPU"), ">=", 1)
              for name in ("c7_only", "random_mixed"))),
    Experiment(
        "own_wmax_large", "longest large block for a request, per cent "
        "(HAKMEM_WMAX_LARGE)",
        option("WMAX_LARGE", "1", "1.25", "1.5", "2"),
        (LARGE_MIX, LARGE_MT),
        (CPU, CPU_RATIO, PEAK, LONGER, CACHE, SHARED, NEW)),
    Experiment(
        "own_wmax_mid", "longest mid block for a request, per cent "
        "(HAKMEM_WMAX_MID)",
        option("WMAX_MID", "1", "1.3", "1.5", "2"),
        (synthetic("512 alive",
                   "random_mixed 3000000 512 1234567 2049 32768"),
         synthetic("40 alive",
                   "random_mixed 3000000 40 1234567 2049 32768")),
        (CPU, CPU_RATIO, PEAK, REFILLS,
         Column("lent/1000", quotient(counter("REFILL_LENT"), printed("ops"),
                                      1000), 2),
         Column("acquired/1000", quotient(STAGES, printed("ops"), 1000), 2))),
    Experiment(
        "own_bundle", "large blocks moved together (HAKMEM_LARGE_BUNDLE)",
        option("LARGE_BUNDLE", "1", "4", "8", "16"),
        (synthetic("ring 64 KiB", "ring 8000 65536"), LARGE_MIX),
        (CPU, CPU_RATIO, PEAK, BUNDLE_ATOMICS,
         Column("atomics/block", quotient(counter("RUN_BUNDLE"),
                                          counter("RUN_ALLOC")), 3),
         CACHE, SHARED, NEW)),
    Experiment(
        "own_madvise", "purges gathered (HAKMEM_BATCH_MADVISE)",
        on_off("BATCH_MADVISE"),
        (synthetic("32 KiB to 1 MiB", "phases 256 0 1234567 2"),
         synthetic("16 B to 32 KiB", "phases 256 0 1234567 0")),
        (CPU_RATIO,
         Column("purges/GiB freed", quotient(counter("PURGE"),
                                             lambda sample: GIB_FREED), 0),
         Column("madvise/GiB freed", quotient(calls("madvise"),
                                              lambda sample: GIB_FREED), 0),
         Column("purged MiB", quotient(counter("PURGE_BYTES"),
                                       lambda sample: MIB), 0),
         Column("swept MiB", quotient(counter("SWEPT_BYTES"),
                                      lambda sample: MIB), 0))),
    Experiment(
        "own_thp", "huge pages (HAKMEM_THP)",
        option("THP", "off", "auto", "always"),
        (synthetic("big"),
         synthetic("realloc_growth", "realloc_growth 256 25 1000")),
        (TIME_RATIO, CPU_RATIO, Column("faults", printed("faults"), 0), PEAK,
         Column("asked for", counter("THP_MAP"), 0))),
    Experiment(
        "own_stages", "where slabs and new runs come from, per cent",
        (("", {}),),
        (synthetic("random_mixed", "random_mixed 200000 4096 1234567 16 1040"),
         synthetic("phases", "phases 256 0"), synthetic("shifts"),
         synthetic("many_threads")),
        STAGE_COLUMNS, (), True),
    Experiment(
        "own_cycles", "the same, growing and shrinking; and with idle memory "
        "purged after 1 ms",
        (("kept", {}), ("purged", {"HAKMEM_PURGE_DELAY_MS": "1"})),
        CYCLES, STAGE_COLUMNS,
        (Goal("%s: share of the class's own slabs, per cent" % CYCLES[1].name,
              lambda at: at(CYCLES[1].name, "kept", "class's %"), ">=", 15),
         Goal("purged: further superslabs from the LRU, per cent", lru_hits,
              ">=", 90),
         Goal("kept: map calls after %d cycles, worst row" % FEW, more_maps,
              "<=", 0)),
        True),
    Experiment(
        "own_large", "where large blocks come from, per cent",
        (("", {}),), (LARGE_MIX, LARGE_MT),
        (Column("blocks", counter("RUN_ALLOC"), 0), CACHE, SHARED, LONGER,
         NEW, BUNDLE_ATOMICS, MAP_CALLS),
        (Goal("large_mix: from the thread's cache, per cent",
              lambda at: at("large_mix", "", "cache %"), ">=", 65),
         Goal("large_mix: from the shared pool, per cent",
              lambda at: at("large_mix", "", "shared %"), ">=", 10)),
        True),
    Experiment(
        "own_big", "where big blocks come from",
        (("", {}),),
        (synthetic("big"), synthetic("32 MiB, 20", "oscillate 256 20"),
         synthetic("32 MiB, 40", "oscillate 256 40")),
        (Column("blocks", counter("BIG_ALLOC"), 0),
         Column("not cached", lambda sample: counter("BIG_ALLOC")(sample)
                - counter("BIG_CACHE_HIT")(sample), 0),
         Column("BigCache %", quotient(counter("BIG_CACHE_HIT"),
                                       counter("BIG_ALLOC"), 100), 2),
         MAP_CALLS, Column("mremap", calls("mremap"), 0), MADVISE, PEAK),
        (Goal("big: from the BigCache, per cent",
              lambda at: at("big", "", "BigCache %"), ">=", 98),
         # Not by calls: how many a mapping takes depends on where it lies.
         Goal("32 MiB: blocks not from it in cycles 21 to 40",
              lambda at: at("32 MiB, 40", "", "not cached")
              - at("32 MiB, 20", "", "not cached"), "<=", 0)),
        True),
    Experiment(
        "own_packing", "what is resident in a mixed run with phases",
        (("", {}),),
        (synthetic("shifts 128", "shifts 128 10 1234567 1"),
         synthetic("shifts 32", "shifts 32 40 1234567 1")),
        (Column("live MiB", quotient(memory("live_bytes"),
                                     lambda sample: MIB)),
         Column("resident MiB", printed("live_kib", 1 / 1024)),
         Column("of it idle", quotient(memory("idle_bytes"),
                                       lambda sample: MIB)),
         Column("resident/live", quotient(printed("live_kib", 1024),
                                          memory("live_bytes")), 2),
         Column("less idle", quotient(
             lambda sample: printed("live_kib", 1024)(sample)
             - memory("idle_bytes")(sample), memory("live_bytes")), 2),
         Column("/asked, mean", printed("over_asked"), 2),
         Column("superslabs", state("count"), 0),
         Column("sparse %", quotient(
             state("sparse"), lambda sample: state("count")(sample)
             - state("lru")(sample), 100))),
        (Goal("shifts 128: resident over live",
              lambda at: at("shifts 128", "", "resident/live"), "<=", 1.15),
         Goal("shifts 128: superslabs under a quarter full, per cent",
              lambda at: at("shifts 128", "", "sparse %"), "<=", 5)),
        True),
    Experiment(
        "own_waste", "slabs held beside what is live in them, by class",
        (("", {}),),
        (synthetic("random_mixed",
                   "random_mixed 3000000 4096 1234567 16 1024 1"),
         synthetic("mixed_live",
                   "random_mixed 800000 100000 1234567 16 1024 1")),
        WASTE, (), True, by_class),
)
