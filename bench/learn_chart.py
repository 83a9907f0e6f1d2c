"""The chart of `make bench-learn', from its JSON: learn_chart.py
bench-learn.json bench-learn.svg

A panel for each workload: above, the reward over the windows of a learning
run, before and after each trial; below, a row for each learner's trials.
"""
import json
import sys

from chart import BLUE, GREY, INK, MARGIN, ORANGE, PALE, WIDTH, Svg

LEFT, HIGH, STEP = 150, 90, 15
# Learners whose reward is not that of time and waste.
OTHER_REWARDS = ("cap-mid", "cap-large", "bigcache")


def share(row, name):
    closed = row["whole"]["share"][name]
    return "no gap" if closed is None else "%.0f %%" % (100 * closed)


def heading(row):
    if "whole" not in row:
        return row["failed"] or "not measured"
    cost = row["whole"]["cost"]
    return ("cost %.2f, with its file %.2f, oracle %.2f; closed: %s, %s"
            % (cost["learning"], cost["file"], cost[row["oracle"]],
               share(row, "learning"), share(row, "file")))


def draw_trial(svg, x, y, decision):
    if decision["verdict"] == "kept":
        svg.dot(x, y, 4.8, BLUE)
    else:
        svg.diamond(x, y, 3.4, ORANGE)


def draw_rewards(svg, log, across, top):
    """Lines from before to after, between the least and the most of all; one
    that joins what was before, if it is the same kind of reward."""
    values = [float(d[k]) for d in log for k in ("before", "after")]
    low, high = min(values), max(values)
    span = (high - low) or 1

    def up(value):
        return top + HIGH - (value - low) / span * HIGH

    for value in (low, high):
        svg.line(LEFT, up(value), WIDTH - MARGIN, up(value))
        svg.text(LEFT - 8, up(value) + 4, "%.2f" % value, 11, GREY, "end")
    last = None
    for decision in log:
        x = across(int(decision["window"]))
        before, after = float(decision["before"]), float(decision["after"])
        if decision["who"] not in OTHER_REWARDS:
            if last is not None:
                svg.line(*last, x, up(before), GREY, 1.2)
            last = (x, up(before))
        svg.line(x, up(before), x, up(after), PALE, 2)
        draw_trial(svg, x, up(after), decision)


def draw_learners(svg, log, across, top):
    """A row each; what was kept has its new number beside it."""
    names = sorted({d["who"] for d in log})
    for i, name in enumerate(names):
        y = top + STEP * i
        svg.line(LEFT, y, WIDTH - MARGIN, y)
        svg.text(LEFT - 8, y + 4, name, 11, INK, "end")
        for decision in log:
            if decision["who"] == name:
                x = across(int(decision["window"]))
                draw_trial(svg, x, y, decision)
                if decision["verdict"] == "kept":
                    svg.text(x + 7, y + 4, decision["to"], 10, BLUE)
    return top + STEP * len(names)


def draw_panel(svg, row, top):
    """Returns where it ends."""
    svg.text(MARGIN, top, row["name"], 14, weight="bold")
    svg.text(LEFT, top, heading(row), 12, GREY)
    if "oracle" in row:
        top += 16
        svg.text(LEFT, top, "oracle: " + row["oracle"], 11, GREY)
    log = row["log"]
    if not log:
        svg.text(LEFT, top + 24, "no trial", 12, GREY)
        return top + 50
    last = max(int(d["window"]) for d in log)

    def across(window):
        return LEFT + window / (last * 1.03) * (WIDTH - MARGIN - LEFT)

    top += 18
    svg.text(MARGIN, top + HIGH / 2, "reward", 12)
    draw_rewards(svg, log, across, top)
    end = draw_learners(svg, log, across, top + HIGH + 22)
    for part in range(5):
        window = last * part // 4
        svg.text(across(window), end + 6, "%d" % window, 11, GREY, "middle")
    svg.text(LEFT - 8, end + 6, "window", 11, GREY, "end")
    return end + 44


def draw(run):
    """The SVG document of RUN, as read from the JSON."""
    svg = Svg()
    svg.text(MARGIN, 44, "Learning", 20, weight="bold")
    svg.text(MARGIN, 64, "Rewards and trials of one learning run of each "
             "workload.  Cost is CPU time of an operation by mean memory, the "
             "shipped policy = 1.", 12, GREY)
    svg.dot(MARGIN + 5, 84, 4.8, BLUE)
    svg.text(MARGIN + 15, 88, "kept, and the number set", 12, BLUE)
    svg.diamond(MARGIN + 185, 84, 3.4, ORANGE)
    svg.text(MARGIN + 195, 88, "taken back", 12, ORANGE)
    y = 124
    for row in run["workloads"]:
        y = draw_panel(svg, row, y)
    return svg.document(round(y + MARGIN))


def main():
    if len(sys.argv) != 3:
        print("usage: learn_chart.py bench-learn.json bench-learn.svg",
              file=sys.stderr)
        return 2
    with open(sys.argv[1], encoding="utf-8") as file:
        run = json.load(file)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(draw(run))
    return 0


if __name__ == "__main__":
    sys.exit(main())
