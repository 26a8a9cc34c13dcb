"""Which bot serves which module."""

from __future__ import annotations

import pytest

from daemon.core.ids import BotName, ModuleId
from integrations.discord.serving import Serving

CINEMA, REST, THIRD = BotName("cinema"), BotName("rest"), BotName("third")
PLAYBACK, OPS = ModuleId("playback"), ModuleId("ops")


@pytest.mark.parametrize(
    ("named", "playback", "ops"),
    [
        ({"cinema": ()}, {CINEMA}, {CINEMA}),
        ({"cinema": (), "rest": ()}, {CINEMA, REST}, {CINEMA, REST}),
        ({"cinema": ("playback",), "rest": ()}, {CINEMA}, {REST}),
        ({"cinema": ("playback",), "rest": (), "third": ()}, {CINEMA}, {REST, THIRD}),
        ({"cinema": ("playback",), "rest": ("playback", "ops")}, {CINEMA, REST}, {REST}),
        ({"cinema": ("playback",), "rest": ("playback",)}, {CINEMA, REST}, set()),
    ],
)
def test_a_named_module_is_served_by_who_names_it(
    named: dict[str, tuple[str, ...]], playback: set[BotName], ops: set[BotName]
) -> None:
    serving = Serving(named)
    bots = [BotName(bot) for bot in named]
    assert {bot for bot in bots if serving.serves(bot, PLAYBACK)} == playback
    assert {bot for bot in bots if serving.serves(bot, OPS)} == ops
    assert serving.unserved([PLAYBACK, OPS]) == ([] if ops else [OPS])


def test_who_serves_a_module_is_asked_first() -> None:
    serving = Serving({"cinema": ("playback",), "rest": ()})
    assert serving.rank((CINEMA, REST), OPS) == [REST, CINEMA]
    assert serving.rank((REST, CINEMA), PLAYBACK) == [CINEMA, REST]


def test_names_that_are_no_modules_are_told() -> None:
    serving = Serving({"cinema": ("playbakc", "ops"), "rest": ()})
    assert serving.unknown([PLAYBACK, OPS]) == {CINEMA: ["playbakc"]}
    assert Serving({"cinema": ()}).unknown([PLAYBACK]) == {}
