"""Instructions of a program, with learning and without: by the processor's
counter if perf can read it, else by callgrind, which also knows how many of
them the ticks take.

Under callgrind all is some fifty times slower but the clock: there are as many
times more windows in the same work.  So the windows' part of the ticks is
counted apart, and put in proportion by the time that the work takes without
callgrind.
"""
import os
import re
import shutil
import subprocess
import tempfile
import time

import peers
from measure import LIMIT, Failed, read

# Shorter ones than those that are timed.
COMMANDS = {
    "tiny_hot": "tiny_hot 1000000 32 1",
    "fixed_size": "fixed_size 100 16",
    "random_1024": "random_mixed 1000000 4096 1234567 16 1024",
    "random_4096": "random_mixed 1000000 4096 1234567 16 4096",
    "mixed_live": "random_mixed 600000 100000 1234567 16 1024",
    "mid_large_mt": "independent 2 300000 128 1234567 8192 32768",
    # Two threads wait for each other, under callgrind, as chance has it.
    "large_mix": "large_mix 1 40000",
    "larson": "larson 2 5 30000",
    "xmalloc_like": "xmalloc_like 2 600",
}
TICK, WINDOW = "hkm_tick_slow", "tick"  # the second is called by the first
PERF = ("perf", "stat", "-x", ",", "-e", "instructions:u")


def perf_counts():
    """Whether perf can count here."""
    if shutil.which("perf") is None:
        return False
    run = subprocess.run([*PERF, "true"], capture_output=True, text=True,
                         check=False)
    return run.returncode == 0 and bool(re.search(r"^\d+,", run.stderr, re.M))


def callgrind_counts(text):
    """(instructions in all, those of the ticks, those of windows in these)."""
    whole = re.search(r"^(?:summary|totals): (\d+)", text, re.M)
    if not whole:
        raise Failed("callgrind says nothing")
    cost = {TICK: 0, WINDOW: 0}
    inside = called = None
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("fn="):
            inside = line[3:]
        elif line.startswith("cfn="):
            called = line[4:]
        elif line.startswith("calls="):
            inclusive = int(next(lines).split()[1])
            if called == TICK or (called == WINDOW and inside == TICK):
                cost[called] += inclusive
    return int(whole[1]), cost[TICK], cost[WINDOW]


class Counter:
    """Counts; HOW says with what, or is None."""

    def __init__(self, bench, library, learn):
        self.bench, self.library, self.learn = bench, library, learn
        self.how = ("perf" if perf_counts()
                    else "callgrind" if shutil.which("valgrind") else None)

    def counts(self, workload):
        """A dict of what was counted in short runs, or None: without, again
        (without, once more), with, ratio, noise; ticks: their share."""
        if self.how is None or workload.name not in COMMANDS:
            return None
        command = self.bench.command(
            workload._replace(command=COMMANDS[workload.name].split()), "")
        without, again = self.count(command, {})[0], self.count(command, {})[0]
        began = time.monotonic()
        learning, ticks, windows = self.count(command, self.learn)
        slow = time.monotonic() - began
        share = None
        if ticks is not None:
            began = time.monotonic()
            self.run(command, self.learn)
            quick = min((time.monotonic() - began) / slow, 1)
            too_many = windows * (1 - quick)
            learning -= too_many
            share = (ticks - too_many) / learning
        return {"without": without, "again": again, "with": learning,
                "ratio": 2 * learning / (without + again),
                "noise": abs(without / again - 1), "ticks": share}

    def run(self, command, environment):
        try:
            run = subprocess.run(
                command, capture_output=True, text=True, check=False,
                timeout=LIMIT, env=dict(peers.clean_environment(),
                                        LD_PRELOAD=self.library.path,
                                        **environment))
        except subprocess.TimeoutExpired:
            raise Failed("%s is too slow" % self.how) from None
        if run.returncode != 0 or "ld.so: object" in run.stderr:
            raise Failed("%s fails: %s" % (self.how, run.stderr.strip()[:80]))

    def count(self, command, environment):
        """(instructions, those of the ticks or None, of their windows)."""
        with tempfile.TemporaryDirectory(dir=self.bench.work) as directory:
            out = os.path.join(directory, "out")
            if self.how == "perf":
                tool = [*PERF, "-o", out]
            else:
                tool = ["valgrind", "--tool=callgrind", "-q",
                        "--compress-strings=no", "--compress-pos=no",
                        "--callgrind-out-file=" + out]
            self.run([*tool, *command], environment)
            text = read(out)
        if self.how == "callgrind":
            return callgrind_counts(text)
        found = re.search(r"^(\d+),", text, re.M)
        if not found:
            raise Failed("perf says nothing")
        return int(found[1]), None, None
