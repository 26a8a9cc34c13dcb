from __future__ import annotations

from typing import Any

import pytest
from discord import app_commands
from discord.ext import commands

from daemon.core.access import Access
from integrations.discord.policy import COMMAND, PRESS, policy, policy_of


class Queue(commands.Cog):
    group = app_commands.Group(name="queue", description="d", extras=policy(Access.CONTROLLER, audited=True))

    @group.command(description="d", extras=policy(private=True))
    async def show(self, interaction: Any) -> None: ...

    @group.command(description="d")
    async def clear(self, interaction: Any) -> None: ...

    @app_commands.command(description="d")
    async def now(self, interaction: Any) -> None: ...


@pytest.fixture
def by_name() -> dict[str, Any]:
    return {command.qualified_name: command for command in Queue().walk_app_commands()}


def test_a_commands_own_policy_comes_before_its_groups(by_name: dict[str, Any]) -> None:
    assert policy_of(by_name["queue show"]).access is Access.EVERYONE
    assert policy_of(by_name["queue show"]).private is True
    assert policy_of(by_name["queue clear"]).access is Access.CONTROLLER
    assert policy_of(by_name["queue clear"]).audited
    assert policy_of(by_name["now"]) == COMMAND


def test_answers_to_commands_are_public_and_to_presses_private() -> None:
    assert not COMMAND.answers_privately
    assert PRESS.answers_privately
