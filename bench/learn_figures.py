"""What the runs of a workload with phases say: cost, gap, share of it closed.

CPU time is that of each half's quickest run, because whatever else the machine
does can only add to it; memory is the median of the runs.
"""
import itertools
import math
import random
from statistics import median

LEAST_GAP = 0.02
MOST_LOTS = 1000
WHOLE, LATE = (1, 2), (2,)  # halves


class Samples:
    """Runs by name, each a list of halves as learn_run.py gives them."""

    def __init__(self):
        self.runs = {}

    def add(self, name, halves):
        self.runs.setdefault(name, []).append(halves)

    def has(self, name):
        return name in self.runs

    def halves(self, name):
        """One run made of all: phase, half, ops, cpu (of an operation) and
        kib of each half."""
        return [dict(same[0], cpu=min(h["cpu"] for h in same),
                     kib=median(h["kib"] for h in same))
                for same in zip(*self.runs[name])]

    def cpu(self, name, which=WHOLE):
        """CPU seconds of an operation."""
        chosen = [h for h in self.halves(name) if h["half"] in which]
        return (sum(h["cpu"] * h["ops"] for h in chosen)
                / sum(h["ops"] for h in chosen))

    def kib(self, name, which=WHOLE):
        """Mean memory; every half counts alike."""
        chosen = [h["kib"] for h in self.halves(name) if h["half"] in which]
        return sum(chosen) / len(chosen)

    def cost(self, name, which=WHOLE):
        return self.cpu(name, which) * self.kib(name, which)

    def part(self, name, rounds):
        """Samples of the runs of NAME with these indices."""
        some = Samples()
        some.runs[name] = [self.runs[name][r] for r in rounds]
        return some


def lots_of(count):
    """Halves of COUNT runs, by index, each with the other half: all there are,
    or MOST_LOTS by chance."""
    half = count // 2
    if math.comb(count, half) <= MOST_LOTS:
        return list(itertools.combinations(range(count), half))
    chance, lots = random.Random(1), set()
    while len(lots) < MOST_LOTS:
        mixed = chance.sample(range(count), count)
        lots.add(tuple(sorted(mixed[:half])))
        lots.add(tuple(sorted(mixed[half:])))
    return sorted(lots)


class Shipped:
    """The shipped policy's cost, and how much of a difference is noise: by its
    runs under both names, divided into two lots of the same size as everything
    else has runs."""

    def __init__(self, samples, names, which=WHOLE):
        pool = Samples()
        pool.runs["all"] = sum((samples.runs[name] for name in names), [])
        count = len(pool.runs["all"])
        lots = lots_of(count)
        self.cpu, self.kib, costs = 0, 0, {}
        for lot in lots:
            part = pool.part("all", lot)
            cpu, kib = part.cpu("all", which), part.kib("all", which)
            self.cpu += cpu / len(lots)
            self.kib += kib / len(lots)
            costs[lot] = cpu * kib
        self.cost = self.cpu * self.kib
        self.noise = max(
            (abs(math.log(cost / costs[rest])) for lot, cost in costs.items()
             for rest in [tuple(i for i in range(count) if i not in lot)]
             if rest in costs), default=math.inf)

    def gap(self, cost):
        """ln of what COST saves, or None if that may be noise."""
        saved = math.log(self.cost / cost)
        return saved if saved > max(self.noise, LEAST_GAP) else None

    def share(self, cost, gap):
        """Which part of GAP, which may be None, COST closes."""
        return gap and math.log(self.cost / cost) / gap
