"""What the bench runs: one row per workload.

A synthetic workload is a program of bench/work, built here; a program workload
is one of the system.  In a command {src} is bench/, {tmp} a directory to write
to, {python} the interpreter this bench runs in.
"""
import shlex
from collections import namedtuple

SYNTHETIC = "synthetic"
PROGRAM = "program"

# count: how often in a row the launcher runs the command; times: how often a
# round runs the workload; floor: the floor library runs it too; needs: the
# programs that must be there.
Workload = namedtuple(
    "Workload", "name kind command count times floor needs environment")


def synthetic(name, command=None, times=1, floor=False):
    return Workload(name, SYNTHETIC, (command or name).split(), 1, times,
                    floor, (), {})


def program(name, command, needs, environment=None):
    return Workload(name, PROGRAM, shlex.split(command), 1, 1, False,
                    tuple(needs.split()), environment or {})


WORKLOADS = (
    synthetic("tiny_hot", times=3, floor=True),
    # Some allocators are at their best only if a page has other blocks.
    synthetic("tiny_alive", "tiny_hot 40000000 32 64", times=3, floor=True),
    synthetic("fixed_size"),
    synthetic("c7_only"),
    synthetic("random_1024", "random_mixed 10000000 4096 1234567 16 1024"),
    synthetic("random_1040", "random_mixed 10000000 4096 1234567 16 1040"),
    synthetic("random_4096", "random_mixed 10000000 4096 1234567 16 4096"),
    synthetic("mixed_live", "random_mixed 2000000 100000 1234567 16 1024"),
    synthetic("batch_random"),
    synthetic("calloc_mix"),
    synthetic("aligned"),
    synthetic("realloc_growth"),
    synthetic("big"),
    # Fewer cycles than the program's own default: some allocators fault all
    # of it in again in each.
    synthetic("oscillate", "oscillate 256 20"),
    synthetic("oscillate_large", "oscillate 64 60 65536 1048576"),
    synthetic("oscillate_mid", "oscillate 64 60 4096 32768"),
    synthetic("phases"),
    synthetic("independent_1", "independent 1", times=2, floor=True),
    synthetic("independent_2", "independent 2", times=2, floor=True),
    synthetic("mid_large_mt", "independent 2 7000000 128 1234567 8192 32768"),
    synthetic("large_mt"),
    synthetic("large_mix"),
    synthetic("larson"),
    synthetic("shbench_like"),
    synthetic("xmalloc_like"),
    synthetic("mstress_like"),
    synthetic("cache_scratch"),
    synthetic("cache_thrash"),
    synthetic("ring"),
    synthetic("thread_churn"),
    synthetic("many_threads"),
    Workload("startup", SYNTHETIC, ["true"], 300, 1, False, ("true",), {}),
    program("python", "{python} {src}/programs/tree.py", "",
            # Its own pools would hide most blocks from malloc.
            {"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0"}),
    program("gcc", "gcc -O1 -w -c -o {tmp}/many.o {src}/programs/many.c",
            "gcc"),
    program("perl", "perl {src}/programs/words.pl", "perl",
            {"PERL_HASH_SEED": "0"}),
    program("lua", "lua {src}/programs/tables.lua", "lua"),
    program("sqlite3", "sqlite3 -init /dev/null -bail :memory: "
            "'.read {src}/programs/rows.sql'", "sqlite3"),
    program("z3", "z3 -smt2 {src}/programs/queens.smt2", "z3"),
    program("redis", "redis-server", "redis-server redis-benchmark redis-cli"),
)
