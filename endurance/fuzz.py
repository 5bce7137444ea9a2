"""Feeds what parses with inputs that nobody sane would send: ``python -m endurance.fuzz``.

Exits with 1 at the first input that something does not survive, or that takes longer than a second,
and says how to repeat it. The same seed gives the same inputs.
"""

from __future__ import annotations

import resource
import sys
import time
import traceback
import warnings
from argparse import ArgumentParser
from random import Random
from typing import TYPE_CHECKING

from endurance.targets import TARGETS

if TYPE_CHECKING:
    from argparse import Namespace

_LONGEST = 1.0  # seconds of CPU time for one input
_MEMORY = 4 << 30  # bytes: damaged pickles ask for more


def survives(seed: int, name: str, number: int) -> float:
    """Seconds that input *number* of the target *name* took. Raises whatever it raised."""
    started = time.process_time()
    TARGETS[name].parse(Random(f"{seed} {name} {number}"))
    took = time.process_time() - started
    if took > _LONGEST:
        raise TimeoutError(f"it took {took:.1f} s")
    return took


def fuzz(seed: int, name: str, inputs: int) -> bool:
    """Whether the target *name* has survived; prints one line."""
    started, longest = time.monotonic(), 0.0
    for number in range(inputs):
        try:
            longest = max(longest, survives(seed, name, number))
        except Exception:  # noqa: BLE001 - a finding, whatever it is
            traceback.print_exc()
            again = f"python -m endurance.fuzz --seed {seed} --target {name} --only {number}"
            sys.stdout.write(f"{name}: input {number} was not survived; again: {again}\n")
            return False
    took = time.monotonic() - started
    line = f"{name:14}{inputs:>10} inputs {took:>8.1f} s, the longest {1e3 * longest:.1f} ms\n"
    sys.stdout.write(line)
    sys.stdout.flush()
    return True


def _options() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--inputs", type=int, default=1_000_000, help="of all targets; default: %(default)s")
    add("--seed", type=int, default=0, help="default: %(default)s")
    add("--target", choices=TARGETS, help="only this one gets them")
    add("--only", type=int, help="the number of the one input that it gets")
    return parser.parse_args()


def main() -> int:
    """The command; 0 when all was survived."""
    options = _options()
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    if options.only is not None:
        survives(options.seed, options.target, options.only)
        return 0
    counts = {name: options.inputs * target.share // 100 for name, target in TARGETS.items()}
    if options.target:
        counts = {options.target: options.inputs}
    found = [name for name, count in counts.items() if not fuzz(options.seed, name, count)]
    sys.stdout.write(f"{sum(counts.values())} inputs, {len(found)} targets with findings\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
