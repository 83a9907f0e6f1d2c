# Other objects every turn: lists of short texts, then large bytearrays, then
# dicts of numbers.  Arguments: steps of half a turn, turns.  A line for each
# half of each turn, as in work/phase.h; an operation is an object made.
import sys
import time

STEPS, TURNS = int(sys.argv[1]), int(sys.argv[2])
KEPT = 60
before = time.process_time()


def mark(name, half, operations):
    global before
    cpu = time.process_time()
    print("phase=%s half=%d ops=%d cpu=%.6f at=%.6f"
          % (name, half, operations, cpu - before, time.monotonic()),
          flush=True)
    before = cpu


def texts(i):
    return ["text %d of %d %s" % (k, i, "x" * (k % 90)) for k in range(700)]


def arrays(i):
    return [bytearray(b"y") * (3000 + (i * 7919 + k * 104729) % 70000)
            for k in range(20)]


def numbers(i):
    return {"key %d" % k: (k * i, k / 7, [k] * (k % 30)) for k in range(200)}


KINDS = (("texts", texts, 1), ("arrays", arrays, 1), ("numbers", numbers, 1))
state = 1234567
kept = [None] * KEPT
mark("start", 0, 0)
for turn in range(TURNS):
    name, make, weight = KINDS[turn % len(KINDS)]
    for half in 1, 2:
        made = 0
        for i in range(STEPS * weight):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            kept[(state >> 33) % KEPT] = one = make(i)
            made += len(one)
        mark(name, half, made)
