from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import discord
import pytest

from daemon.core.access import Access
from daemon.core.errors import ModuleError
from daemon.core.ids import ModuleId
from integrations.discord.components import ComponentSet, Field, component, fields_of, modal
from integrations.discord.custom_ids import Signer
from integrations.discord.routes import Routes

DEMO = ModuleId("demo")


class Panel(ComponentSet):
    def __init__(self, name: str) -> None:
        self.name = name

    @component("pause", access=Access.CONTROLLER, audited=True)
    async def pause(self, interaction: Any, ids: tuple[str, ...], values: tuple[str, ...]) -> None: ...

    @modal("volume")
    async def volume(self, interaction: Any, ids: tuple[str, ...], fields: Mapping[str, str]) -> None: ...


class BiggerPanel(Panel):
    @component("stop")
    async def stop(self, interaction: Any, ids: tuple[str, ...], values: tuple[str, ...]) -> None: ...


@pytest.fixture
def routes() -> Routes:
    return Routes(Signer(b"k" * 32))


def test_a_button_leads_to_its_handler_with_its_ids(routes: Routes) -> None:
    panel = Panel("x")
    routes.add(DEMO, panel)
    found = routes.find(panel.button("pause", (42, "abc"), label="Pause").custom_id, is_modal=False)
    assert found is not None
    custom_id, route = found
    assert custom_id.ids == ("42", "abc")
    assert route.handler == panel.pause
    assert route.declared.policy.access is Access.CONTROLLER


def test_components_and_forms_do_not_answer_for_each_other(routes: Routes) -> None:
    panel = Panel("x")
    routes.add(DEMO, panel)
    assert routes.find(panel.button("pause", label="x").custom_id, is_modal=True) is None
    form = panel.form("volume", title="Volume", fields=[Field("level", "Level")])
    assert routes.find(form.custom_id, is_modal=False) is None
    with pytest.raises(ValueError, match="no component"):
        panel.button("volume", label="x")


def test_an_inherited_set_has_all_handlers(routes: Routes) -> None:
    routes.add(DEMO, BiggerPanel("x"))
    assert routes.count(DEMO) == 3
    assert Panel.declared.keys() < BiggerPanel.declared.keys()


def test_one_action_has_one_handler_and_a_refused_set_leaves_nothing(routes: Routes) -> None:
    routes.add(DEMO, Panel("x"))
    with pytest.raises(ModuleError, match="twice"):
        routes.add(DEMO, BiggerPanel("y"))
    assert routes.count(DEMO) == 2


def test_what_is_removed_is_out_of_date(routes: Routes) -> None:
    panel = Panel("x")
    routes.add(DEMO, panel)
    custom_id = panel.button("pause", label="x").custom_id
    routes.remove(DEMO)
    assert routes.find(custom_id, is_modal=False) is None
    assert routes.count(DEMO) == 0


def test_labels_and_placeholders_are_cut(routes: Routes) -> None:
    panel = Panel("x")
    routes.add(DEMO, panel)
    assert len(panel.button("pause", label="x" * 200).to_component_dict()["label"]) == 80
    menu = panel.select("pause", options=[discord.SelectOption(label="a")], placeholder="p" * 200)
    assert len(menu.to_component_dict()["placeholder"]) == 150
    with pytest.raises(ValueError, match="1 to 25"):
        panel.select("pause", options=[])


def test_a_form_fits_discords_limits(routes: Routes) -> None:
    panel = Panel("x")
    routes.add(DEMO, panel)
    form = panel.form("volume", (7,), title="t" * 99, fields=[Field("level", "l" * 99, "p" * 999, "v" * 999)])
    payload = form.to_dict()
    assert len(payload["title"]) == 45
    label: Any = payload["components"][0]
    assert (label["type"], len(label["label"])) == (18, 45)
    assert len(label["component"]["value"]) == 100


def test_fields_are_found_in_labels_and_in_rows() -> None:
    sent = [
        {"type": 18, "component": {"type": 4, "custom_id": "level", "value": "40"}},
        {"type": 1, "components": [{"type": 4, "custom_id": "why", "value": ""}]},
        {"type": 10, "id": 3},
    ]
    assert fields_of(sent) == {"level": "40", "why": ""}
