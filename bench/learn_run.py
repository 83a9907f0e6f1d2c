"""One run of a workload with phases: what each half of each turn cost.

Memory is looked at every few milliseconds and weighed with the CPU time that
passed between two looks, so that what else the machine does matters little.
"""
import os
import re
import signal
import subprocess
import tempfile
import threading
import time

import peers
import redis
from learn_workloads import REDIS
from measure import LIMIT, Failed, fields, read

LOOK = 0.003  # seconds between two looks
PAGE_KIB = os.sysconf("SC_PAGESIZE") // 1024
# Of redis: the bytes of a value, and by how much fewer requests there are.
VALUES = (("short", 64, 1), ("long", 3000, 2), ("longer", 20000, 8))
TURNS = 6


class Memory(threading.Thread):
    """Looks at a process until it ends: (time, CPU time, resident KiB)."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.clock = (~pid << 3) | 2  # its CPU clock, as the kernel numbers it
        self.path = "/proc/%d/statm" % pid
        self.seen = []
        self.over = threading.Event()

    def look(self):
        with open(self.path, "rb") as file:
            pages = int(file.read().split()[1])
        return (time.monotonic(), time.clock_gettime(self.clock),
                pages * PAGE_KIB)

    def run(self):
        try:
            while not self.over.wait(LOOK):
                self.seen.append(self.look())
        except (OSError, IndexError, ValueError):
            pass  # it has ended

    def mean(self, start, end):
        """Mean KiB between two times; the nearest look if there was none."""
        inside = [s for s in self.seen if start <= s[0] <= end]
        if not inside:
            near = min(self.seen, key=lambda s: abs(s[0] - end), default=None)
            if near is None:
                raise Failed("too short to be looked at")
            return near[2]
        total = weight = 0
        for before, after in zip(inside, inside[1:]):
            share = after[1] - before[1]
            weight += share
            total += share * (before[2] + after[2]) / 2
        return total / weight if weight > 0 else inside[-1][2]


def marks(out):
    """The lines of work/phase.h as dicts of numbers."""
    rows = []
    for line in re.findall(r"^phase=.*$", out, re.M):
        got = fields(line)
        rows.append({"phase": got["phase"], "half": int(got["half"]),
                     "ops": int(got["ops"]), "cpu": float(got["cpu"]),
                     "at": float(got["at"])})
    return rows


def halves_of(rows, memory):
    """What each half cost: CPU seconds of an operation, and mean KiB."""
    if len(rows) < 3 or rows[0]["half"] != 0:
        raise Failed("it printed no phases")
    halves = []
    for before, row in zip(rows, rows[1:]):
        if row["ops"] <= 0:
            raise Failed("a phase without operations")
        halves.append({"phase": row["phase"], "half": row["half"],
                       "ops": row["ops"], "cpu": row["cpu"] / row["ops"],
                       "kib": memory.mean(before["at"], row["at"])})
    return halves


class Runner:
    """Runs workloads under a library, each in a process group of its own."""

    def __init__(self, bench, library):
        self.bench = bench
        self.library = library
        self.child = None

    def start(self, command, environment, out):
        self.child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT, start_new_session=True,
            env=dict(peers.clean_environment(), LD_PRELOAD=self.library,
                     **environment))
        memory = Memory(self.child.pid)
        memory.start()
        return memory

    def finish(self, memory):
        """Await the end; the exit status must be 0."""
        try:
            status = self.child.wait(LIMIT)
        except subprocess.TimeoutExpired:
            raise Failed("it ran for more than %d s" % LIMIT) from None
        finally:
            self.stop()
            memory.over.set()
            memory.join()
        if status != 0:
            raise Failed("exit status %d" % status)

    def stop(self):
        if self.child is not None and self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()

    def run(self, workload, environment, part):
        """The halves of one run of PART of the usual length."""
        length = max(1, int(workload.length * part))
        environment = dict(workload.environment, **environment)
        with tempfile.TemporaryDirectory(dir=self.bench.work) as directory:
            if workload.name == REDIS:
                return self.run_redis(directory, environment, length)
            command = self.bench.command(workload._replace(command=[
                word.replace("{n}", str(length))
                for word in workload.command]), directory)
            path = os.path.join(directory, "out")
            with open(path, "wb") as out:
                memory = self.start(command, environment, out)
                self.finish(memory)
            out = read(path)
        if "ERROR: ld.so" in out:
            raise Failed("ld.so refused the library")
        return halves_of(marks(out), memory)

    def run_redis(self, directory, environment, requests):
        """The server is what is measured; each phase is a load on it."""
        memory = self.start(
            ["redis-server", "--port", "0", "--unixsocket", redis.SOCKET,
             "--save", "", "--appendonly", "no", "--dir", directory,
             "--logfile", ""], environment, subprocess.PIPE)
        rows = []

        def mark(name, half, ops):
            at, cpu, _ = memory.look()
            rows.append({"phase": name, "half": half, "ops": ops, "at": at,
                         "cpu": cpu - mark.cpu})
            mark.cpu = cpu

        mark.cpu = 0
        try:
            redis.await_ready(self.child.stdout)
            mark("start", 0, 0)
            for turn in range(TURNS):
                name, size, fewer = VALUES[turn % len(VALUES)]
                for half in (1, 2):
                    count = max(100, requests // fewer)
                    self.load(directory, count, size)
                    mark(name, half, count)
            redis.client(directory, "redis-cli", "shutdown", "nosave")
            self.child.stdout.read()
            self.finish(memory)
        except subprocess.TimeoutExpired:
            raise Failed("no answer for %d s" % LIMIT) from None
        except OSError:
            raise Failed("the server ended") from None
        finally:
            self.stop()
            self.child.stdout.close()
            memory.over.set()
        return halves_of(rows, memory)

    @staticmethod
    def load(directory, requests, size):
        done = redis.client(directory, "redis-benchmark", "-q", "-c", "10",
                            "-P", "8", "-n", str(requests), "-r", "2000", "-d",
                            str(size), "-t", "set,get,lpush,lpop")
        if done.returncode != 0 or "requests per second" not in done.stdout:
            raise Failed("redis-benchmark failed")
