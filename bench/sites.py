"""What site rules gain: site_phases without them, learning, and with the rules
that were learned."""
import os
import tempfile

from measure import Failed, fields
from peers import OURS
from workloads import synthetic

WORKLOAD = synthetic("site_phases", "site_phases 4 1500")
NEEDS = "phases"  # asked for with this workload
RATIOS = (
    ("memory held between reloads, learning over without", "learning",
     None),
    ("memory held between reloads, learned over without", "learned",
     0.9),
)


def held(bench, library, directory, environment):
    """KiB held, on average, while requests run."""
    out, _ = bench.run_in(directory, WORKLOAD, library, environment)
    return float(fields(out)["rest_kib"])


def measured(bench, library):
    """The memory held in each way."""
    with tempfile.TemporaryDirectory(dir=bench.work) as directory:
        rules = os.path.join(directory, "rules")
        return {
            "without": held(bench, library, directory, {}),
            "learning": held(bench, library, directory, {
                "HAKMEM_SITE_LEARN": "1", "SITE_RULES_SAVE": rules}),
            "learned": held(bench, library, directory, {
                "HAKMEM_SITE_RULES": rules}),
        }


def facts(bench, results):
    """Rows as own.facts gives them."""
    library = results.library(OURS)
    if NEEDS not in results.samples or library is None:
        return []
    rows = [{"what": what, "command": " ".join(WORKLOAD.command),
             "most": most, "digits": 2, "measured": None}
            for what, _, most in RATIOS]
    try:
        bench.build(WORKLOAD)
        got = measured(bench, library)
        for row, (_, way, _) in zip(rows, RATIOS):
            row["measured"] = got[way] / got["without"]
    except Failed as why:
        for row in rows:
            row["why"] = str(why)
    except (KeyError, ValueError, ZeroDivisionError):
        for row in rows:
            row["why"] = "no figures printed"
    return rows
