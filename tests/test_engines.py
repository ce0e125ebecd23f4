"""Both engines on the same notebooks (``engines/*.cells``): they do what is expected, and differ only where that is said."""

from __future__ import annotations

import pytest

from frontend import FrontEnd
from scenarios import ENGINES, Scenario, play, scenarios

# Generous: it ends what hangs.
pytestmark = pytest.mark.timeout(180)

ALL = scenarios()


@pytest.mark.parametrize(
    ("engine", "scenario"),
    [pytest.param(engine, scenario, id=f"{engine}: {scenario}") for engine in ENGINES for scenario in ALL],
)
def test_scenario(front: FrontEnd, engine: str, scenario: Scenario) -> None:
    use(front, engine)
    play(scenario, engine, front)


def use(front: FrontEnd, engine: str) -> None:
    """Begins an empty notebook on an engine."""
    front.execute(f"%engine {engine}").ok().everything()
    front.execute("%reset -f").ok().everything()
