"""A short version of the campaign, and proof that it catches what it is there to catch."""

import pytest

from tests.simulation.plants import PLANTS
from tests.simulation.simulation import RuleBroken, Simulation


@pytest.mark.parametrize("seed", [1, 2])
def test_no_rule_is_broken(seed: int) -> None:
    simulation = Simulation(seed, years=0.3)
    simulation.run()
    assert simulation.crashes > 0


@pytest.mark.parametrize("planted", PLANTS)
def test_a_planted_mistake_is_caught(planted: str) -> None:
    with pytest.raises(RuleBroken, match=f"python -m tests.simulation --seed .* --plant {planted}"):
        for seed in range(5):
            Simulation(seed, years=0.7, planted=planted).run()


def test_one_seed_is_one_story() -> None:
    def story() -> tuple[int, int, int]:
        simulation = Simulation(11, years=0.1)
        simulation.run()
        return simulation.steps, simulation.crashes, simulation.random.randrange(10**9)

    assert story() == story()
