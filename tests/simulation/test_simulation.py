"""Many seeds of a world with faults: it converges, a seed replays exactly, and broken handlers are caught."""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from blockbuster import BlockBuster

from tests.simulation.loop import run
from tests.simulation.world import World, check, live

SEEDS = [int(os.environ["SIM_SEED"])] if os.environ.get("SIM_SEED") else list(range(24))
FACTS = 30


@pytest.fixture(autouse=True)
def in_place(blockbuster: BlockBuster) -> Iterator[None]:
    """Here everything runs on the loop, on purpose: there are no threads whose order could differ."""
    blockbuster.deactivate()
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.CRITICAL)  # tens of thousands of lines about faults that are meant
    yield
    logging.getLogger().setLevel(level)


def play(seed: int, folder: Path, **kind: bool) -> World:
    """One whole life of a world."""
    random.seed(seed)  # trace ids
    world = World(seed, folder, **kind)
    run(lambda: live(world, facts=FACTS))
    return world


def story(world: World) -> list[str]:
    """What happened, in order."""
    counts = sorted(world.counts().items())
    return [*world.trouble.log, *map(str, world.discord.posts), *map(str, counts), str(world.database.units)]


def play_all(seeds: Sequence[int], folder: Path) -> tuple[int, int]:
    """Every seed; how many faults struck and how many processes died. A seed that fails is named."""
    faults = crashes = 0
    for seed in seeds:
        world = play(seed, folder)
        try:
            check(world)
        except AssertionError as error:
            error.add_note(f"replay it alone: SIM_SEED={seed} make test ARGS=tests/simulation")
            raise
        finally:
            world.database.close()
        faults += len(world.trouble.log)
        crashes += world.crashes
    return faults, crashes


@pytest.mark.parametrize("part", range(4))
def test_it_converges_when_the_faults_stop(part: int, tmp_path: Path) -> None:
    seeds = SEEDS[part::4]
    faults, crashes = play_all(seeds, tmp_path)
    assert not seeds or faults > 0
    assert len(seeds) < 6 or crashes > 0


def test_a_seed_replays_exactly(tmp_path: Path) -> None:
    stories = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        world = play(7, folder)
        stories.append(story(world))
        world.database.close()
    assert len(stories[0]) > 50
    assert stories[0] == stories[1]


@pytest.mark.parametrize("kind", [{"cheat": True}, {"remembers_nonces": False}], ids=["effect apart", "no nonces"])
def test_what_is_broken_is_caught(kind: dict[str, bool], tmp_path: Path) -> None:
    for seed in range(20):
        world = play(seed, tmp_path, **kind)
        try:
            check(world)
        except AssertionError:
            return
        finally:
            world.database.close()
    pytest.fail("twenty seeds have shown nothing")


@pytest.mark.soak
def test_thousands_of_seeds(tmp_path: Path) -> None:
    faults, crashes = play_all(range(1000, 1000 + int(os.environ.get("SIM_SEEDS", "3000"))), tmp_path)
    assert faults > 0
    assert crashes > 0
