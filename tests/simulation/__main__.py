"""``python -m tests.simulation --seed N --years Y``: replay one life, or live through many."""

import argparse
import random
import sys
import time

from tests.simulation.plants import PLANTS
from tests.simulation.simulation import Simulation


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, help="Replay this one [default: a new one].")
    parser.add_argument("--years", type=float, default=10.0)
    parser.add_argument("--lives", type=int, default=1, help="How many seeds, counted on from the first.")
    parser.add_argument("--plant", choices=PLANTS, default="", help="Put this mistake into the product.")
    arguments = parser.parse_args()
    first = random.randrange(10**6) if arguments.seed is None else arguments.seed
    for seed in range(first, first + arguments.lives):
        simulation = Simulation(seed, arguments.years, arguments.plant)
        began = time.monotonic()
        simulation.run()
        seconds = time.monotonic() - began
        sys.stdout.write(
            f"seed {seed}: {arguments.years} years, {simulation.steps} steps, {simulation.crashes} crashes, "
            f"{seconds:.1f} s, no rule broken\n"
        )


if __name__ == "__main__":
    main()
