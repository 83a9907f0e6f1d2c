"""What is said on stderr while a bench runs."""
import sys
import time


def complain(text):
    print("bench: " + text, file=sys.stderr, flush=True)


class Progress:
    """One line that is written over on a terminal, else one per workload."""

    def __init__(self, runs):
        self.runs, self.done = runs, 0
        self.terminal = sys.stderr.isatty()
        self.began = time.monotonic()

    def left(self):
        if self.done == 0:
            return ""
        passed = time.monotonic() - self.began
        seconds = round(passed / self.done * (self.runs - self.done))
        return ", %d:%02d left" % divmod(seconds, 60)

    def show(self, turn, workload, library):
        if self.terminal:
            sys.stderr.write("\r\033[K%3d %%%s  round %d: %s under %s" % (
                100 * self.done // self.runs, self.left(), turn + 1, workload,
                library))
            sys.stderr.flush()

    def finish(self, turn, workload, seconds):
        if not self.terminal:
            complain("%3d %%%s  round %d: %s took %.1f s" % (
                100 * self.done // self.runs, self.left(), turn + 1, workload,
                seconds))

    def clear(self):
        if self.terminal:
            sys.stderr.write("\r\033[K")
