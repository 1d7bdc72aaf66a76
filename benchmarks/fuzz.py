"""Random inputs to everything that reads, for as long as one likes.

    python -m benchmarks.fuzz [--minutes N] [--inputs N] [--seed S] [--target NAME …]

Every target gets inputs in turn until the time is over or each has had its number. Prints a line a
target: inputs, what came of them, the slowest; then the seeds of the faults. Exit code 1 if there
are any. A fault comes again with ``--seed S --target NAME --only N``.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.fuzzing import Report, Target, stored, streams, try_one

TARGETS: dict[str, Target] = {**stored.TARGETS, **streams.TARGETS}


def main() -> int:
    """Run the targets; give the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--inputs", type=int, default=sys.maxsize, help="for each target")
    parser.add_argument("--seed", default="0")
    parser.add_argument("--target", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--only", type=int, help="the number of one input")
    asked = parser.parse_args()
    logging.getLogger("lsgcli").setLevel(logging.ERROR)
    if asked.minutes == float("inf") and asked.inputs == sys.maxsize and asked.only is None:
        asked.minutes = 1.0
    numbers = range(asked.inputs) if asked.only is None else range(asked.only, asked.only + 1)
    reports = {name: Report() for name in asked.target}
    end = time.monotonic() + 60 * asked.minutes
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            for name, report in reports.items():
                own = Path(folder, name.replace(" ", "-"))
                own.mkdir(exist_ok=True)
                try_one(name, TARGETS[name], f"{asked.seed}.{number}", own, report)
            if time.monotonic() > end:
                break
    for name, report in reports.items():
        _show(name, report)
    return int(any(report.faults for report in reports.values()))


def _show(name: str, report: Report) -> None:
    came = ", ".join(f"{count} {outcome}" for outcome, count in report.outcomes.most_common())
    print(f"{name}: {report.inputs} inputs; {came}; slowest {report.slowest:.2f} s; "
          f"{len(report.faults)} faults")  # fmt: skip
    for seed, fault in report.faults.items():
        print(f"  {seed}: {fault[:200]}")


if __name__ == "__main__":
    sys.exit(main())
