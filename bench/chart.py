"""The chart of a run, from its JSON: chart.py bench.json bench.svg

Above, where each library stands: cost against memory.  Below, each workload:
libhakmem, the best of its peers, and the others as ticks.  All axes are
logarithmic and libc is 1.
"""
import json
import math
import sys
from xml.sax.saxutils import escape

from peers import FLOOR, LIBC, OURS

# Blue and orange differ in every kind of colour vision, and so do the shapes.
BLUE, ORANGE, GREY, INK, PALE = ("#0063a8", "#d55e00", "#8a8f98", "#22252a",
                                 "#e3e5e9")
WIDTH, MARGIN = 960, 36
TICKS = (.01, .02, .05, .1, .2, .3, .4, .5, .6, .7, .8, .9, 1, 1.2, 1.5, 2,
         2.5, 3, 4, 5, 6, 8, 10, 20, 50, 100, 200, 500, 1000, 1.1, .95)
DISPLAY = {OURS: "libhakmem"}


class Svg:
    """A drawing: a list of elements, and shorthands for those used here."""

    def __init__(self):
        self.parts = []

    def text(self, x, y, words, size=12, fill=INK, anchor="start",
             weight="normal"):
        self.parts.append(
            '<text x="%.1f" y="%.1f" font-size="%g" fill="%s" '
            'text-anchor="%s" font-weight="%s" stroke="#fff" stroke-width="3" '
            'paint-order="stroke">%s</text>'
            % (x, y, size, fill, anchor, weight, escape(words)))

    def line(self, x1, y1, x2, y2, stroke=PALE, width=1.0):
        self.parts.append(
            '<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" '
            'stroke-width="%g"/>' % (x1, y1, x2, y2, stroke, width))

    def rect(self, x, y, width, height, fill):
        self.parts.append(
            '<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>'
            % (x, y, width, height, fill))

    def dot(self, x, y, radius, fill):
        self.parts.append(
            '<circle cx="%.1f" cy="%.1f" r="%g" fill="%s" stroke="#fff" '
            'stroke-width="1"/>' % (x, y, radius, fill))

    def diamond(self, x, y, radius, stroke):
        self.parts.append(
            '<path d="M%.1f %.1f l%g %g l-%g %g l-%g -%g z" fill="#fff" '
            'stroke="%s" stroke-width="1.6"/>'
            % ((x, y - radius) + (radius,) * 6 + (stroke,)))

    def document(self, height):
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
            'viewBox="0 0 %d %d" font-family="Helvetica, Arial, sans-serif">\n'
            '<rect width="100%%" height="100%%" fill="#fff"/>\n%s\n</svg>\n'
            % (WIDTH, height, WIDTH, height, "\n".join(self.parts)))


class Axis:
    """A logarithmic scale from values to pixels."""

    def __init__(self, values, start, end):
        low, high = min(values, default=1), max(values, default=1)
        room = max(math.log(high / low) * 0.08, 0.06)
        self.low = math.log(low) - room
        self.high = math.log(high) + room
        self.start, self.end = start, end

    def at(self, value):
        part = (math.log(value) - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)

    def ticks(self, apart):
        """Round values inside, APART pixels or more; 1 is always there."""
        chosen = [1.0]
        for value in sorted(TICKS, key=lambda v: (v not in (.01, .1, 10, 100),
                                                  v not in (.2, .5, 2, 5))):
            inside = self.low <= math.log(value) <= self.high
            if inside and all(abs(self.at(value) - self.at(other)) >= apart
                              for other in chosen):
                chosen.append(value)
        return chosen


def plain(value):
    return "%g" % value


def label_places(points, box):
    """Where the label of each point goes: beside, above or below it, where it
    hides least.  POINTS: (x, y, words); the result: (x, y, anchor) of each."""
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y, _ in points]

    def overlap(a, b):
        wide = min(a[2], b[2]) - max(a[0], b[0])
        high = min(a[3], b[3]) - max(a[1], b[1])
        return wide * high if wide > 0 and high > 0 else 0

    places = []
    for x, y, words in points:
        width = 6.8 * len(words)
        rated = []
        for order, (dx, dy, anchor) in enumerate((
                (9, 4, "start"), (-9, 4, "end"), (0, -10, "middle"),
                (0, 18, "middle"), (8, -7, "start"), (8, 15, "start"),
                (-8, -7, "end"), (-8, 15, "end"))):
            left = x + dx - {"start": 0, "end": width,
                             "middle": width / 2}[anchor]
            place = (left, y + dy - 10, left + width, y + dy + 3)
            hidden = sum(overlap(place, other) for other in taken)
            out = place[0] < box[0] or place[2] > box[2]
            rated.append((hidden + 1e4 * out, order, place,
                          (x + dx, y + dy, anchor)))
        best = min(rated)
        taken.append(best[2])
        places.append(best[3])
    return places


def draw_map(svg, means, title, box):
    """Each library at (peak RSS, cost) in BOX: left, top, right, bottom."""
    left, top, right, bottom = box
    spots = [(name, means["peak_kib"][name], means["time"][name])
             for name in sorted(means["time"], key=lambda n: n != OURS)
             if means["time"][name] and means["peak_kib"][name]]
    svg.text(left - 24, top - 28, title, 13, weight="bold")
    if not spots:
        svg.text(left, top + 20, "not measured", 12, GREY)
        return
    across = Axis([s[1] for s in spots], left, right)
    up = Axis([s[2] for s in spots], bottom, top)
    svg.rect(left, up.at(1), across.at(1) - left, bottom - up.at(1), "#eef5fb")
    for value in across.ticks(34):
        svg.line(across.at(value), top, across.at(value), bottom,
                 GREY if value == 1 else PALE)
        svg.text(across.at(value), bottom + 16, plain(value), 11, GREY,
                 "middle")
    for value in up.ticks(20):
        svg.line(left, up.at(value), right, up.at(value),
                 GREY if value == 1 else PALE)
        svg.text(left - 6, up.at(value) + 4, plain(value), 11, GREY, "end")
    svg.text(right, bottom + 32, "peak memory \u2192", 11, GREY, "end")
    svg.text(left - 24, top - 9, "\u2191 cost", 11, GREY)
    points = [(across.at(rss), up.at(cost), DISPLAY.get(name, name))
              for name, rss, cost in spots]
    for (name, _, _), (x, y, words), place in zip(
            spots, points, label_places(points, box)):
        colour = {OURS: BLUE, LIBC: INK}.get(name, GREY)
        svg.dot(x, y, 6.5 if name == OURS else 4.5, colour)
        svg.text(*place[:2], words, 12, BLUE if name == OURS else INK,
                 place[2], "bold" if name == OURS else "normal")


def row_values(workload, metric):
    return {name: ratio
            for name, ratio in workload["ratios"][metric].items()
            if ratio and name not in (LIBC, FLOOR)}


def draw_row(svg, y, values, best, axis):
    """One workload on one axis; BEST is the best peer's name, or None."""
    for name, value in values.items():
        if name not in (OURS, best):
            svg.line(axis.at(value), y - 4, axis.at(value), y + 4, GREY, 1.4)
    if best and OURS in values:
        svg.line(axis.at(values[best]), y, axis.at(values[OURS]), y, GREY, 1)
    if best:
        svg.diamond(axis.at(values[best]), y, 4.2, ORANGE)
    if OURS in values:
        svg.dot(axis.at(values[OURS]), y, 4.8, BLUE)


def draw_rows(svg, run, top):
    """The workloads, a row each: cost left, peak RSS right.  Returns where
    the drawing ends."""
    columns = (("time", "Cost", 142, 500), ("peak_kib", "Peak memory", 640,
                                            WIDTH - MARGIN))
    step, axes, height = 17, {}, 0
    kinds = [(title, [w for w in run["workloads"] if w["kind"] == kind])
             for title, kind in (("Synthetic", "synthetic"),
                                 ("Programs", "program"))]
    kinds = [(title, rows) for title, rows in kinds if rows]
    height = sum(step * (len(rows) + 1.6) for _, rows in kinds)
    for metric, title, left, right in columns:
        values = [v for w in run["workloads"]
                  for v in row_values(w, metric).values()] + [1]
        axis = axes[metric] = Axis(values, left, right)
        svg.text(left, top - 22, title + ", libc = 1", 13, weight="bold")
        for value in axis.ticks(30):
            svg.line(axis.at(value), top, axis.at(value), top + height,
                     GREY if value == 1 else PALE)
            svg.text(axis.at(value), top - 5, plain(value), 11, GREY, "middle")
    svg.text(512, top - 5, "over the best peer", 11, GREY)
    y = top
    for title, rows in kinds:
        y += step * 1.2
        svg.text(MARGIN, y + 4, title, 12, weight="bold")
        for workload in rows:
            y += step
            svg.text(MARGIN, y + 4, workload["name"], 12)
            for metric, _, _, _ in columns:
                draw_row(svg, y, row_values(workload, metric),
                         workload["best_peer"][metric]["name"], axes[metric])
            best, over = workload["best_peer"]["time"].values()
            if over:
                svg.text(512, y + 4, "%.2f  %s" % (over, best), 11,
                         BLUE if over <= 1 else GREY)
            if OURS in workload["failed"]:
                svg.text(150, y + 4, "failed", 11, BLUE)
        y += step * .4
    return top + height


def draw(run):
    """The SVG document of RUN, as read from the JSON."""
    svg = Svg()
    svg.text(MARGIN, 44, "libhakmem and its peers", 20, weight="bold")
    svg.text(MARGIN, 64, "Time per work against peak memory, libc = 1; "
             "medians of %d round%s of one run, logarithmic.  Shaded: less "
             "than libc of both."
             % (run["rounds"], "s" * (run["rounds"] != 1)), 12, GREY)
    top, bottom = 128, 410
    middle = WIDTH / 2
    for label, title, left, right in (
            ("synthetic", "Synthetic workloads, geometric mean", MARGIN + 24,
             middle - 14),
            ("programs", "Programs, geometric mean", middle + 38,
             WIDTH - MARGIN)):
        draw_map(svg, run["geomeans"][label], title,
                 (left, top, right, bottom))
    y = bottom + 72
    svg.dot(MARGIN + 5, y, 4.8, BLUE)
    svg.text(MARGIN + 15, y + 4, "libhakmem", 12, BLUE, weight="bold")
    svg.diamond(MARGIN + 105, y, 4.2, ORANGE)
    svg.text(MARGIN + 115, y + 4, "best peer of the row", 12, ORANGE)
    svg.line(MARGIN + 248, y - 4, MARGIN + 248, y + 4, GREY, 1.4)
    svg.text(MARGIN + 257, y + 4, "other peers", 12, GREY)
    end = draw_rows(svg, run, y + 60)
    return svg.document(round(end + MARGIN))


def main():
    if len(sys.argv) != 3:
        print("usage: chart.py bench.json bench.svg", file=sys.stderr)
        return 2
    with open(sys.argv[1], encoding="utf-8") as file:
        run = json.load(file)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(draw(run))
    return 0


if __name__ == "__main__":
    sys.exit(main())
