"""`python -m tests.fuzz --seconds 300 [PARSER...]`: fuzz each parser in a process of its own, and print a row for each."""

import argparse
import sys

from tests.fuzz.parsers import PARSERS
from tests.fuzz.run import Row, fuzzed


def main() -> None:
    """The command."""
    options = argparse.ArgumentParser(prog="python -m tests.fuzz")
    options.add_argument("parsers", nargs="*", choices=[*PARSERS, []], help="all by default")
    options.add_argument("--seconds", type=float, default=10.0, help="of each parser")
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    print(Row.HEAD)
    rows = []
    for name in given.parsers or PARSERS:
        rows.append(fuzzed(name, given.seconds, given.seed))
        print(rows[-1].line(), flush=True)
    sys.exit(any(row.faults for row in rows))


if __name__ == "__main__":
    main()
