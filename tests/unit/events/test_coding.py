"""Events as bytes: what is written is read, strictly, and what older programs wrote as well."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar

import pytest

from daemon.core.events import (
    EVENTS,
    BackupFailed,
    BackupMade,
    BindingsChanged,
    Event,
    LinksChanged,
    MessageDied,
    PersonForgotten,
    ServerBack,
    ServerLost,
    WatcherAlarmed,
    WatcherCleared,
)
from daemon.core.limits import EVENT_BYTES_MAX
from daemon.services.events.catalog import CATALOG
from daemon.services.events.coding import Catalog, EventTooBig, Unreadable

AT = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)

SAMPLES: list[Event] = [
    ServerLost(server="attic", problem="is unreachable", occurred_at=AT),
    ServerBack(server="attic", lost_at=AT - timedelta(hours=1), occurred_at=AT),
    MessageDied(
        letter_id=7, queue="events", topic="ops.lost", reason="failed", attempts=8, source="event 12", occurred_at=AT
    ),
    WatcherAlarmed(findings={"missing": 2}, after=3, occurred_at=AT),
    WatcherCleared(after=4, occurred_at=AT),
    BackupMade(name="marquee-1.backup", size_bytes=12, occurred_at=AT),
    BackupFailed(problem="The disk is full.", occurred_at=AT),
    BindingsChanged(guild_id=12, change="bound attic 1", occurred_at=AT),
    LinksChanged(profile_id=3, change="linked", occurred_at=AT),
    PersonForgotten(profile_id=3, occurred_at=AT),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PetFed(Event):
    TYPE: ClassVar[str] = "pet_fed"
    VERSION: ClassVar[int] = 3

    pet: str
    grams: int

    def event_id(self) -> str:
        return f"fed:{self.pet}:{self.micros()}"


def to_version_2(old: dict[str, Any]) -> dict[str, Any]:
    return {"pet": old["name"], "kilos": old["kilos"], "occurred_at": old["occurred_at"]}


def to_version_3(old: dict[str, Any]) -> dict[str, Any]:
    return {"pet": old["pet"], "grams": round(old["kilos"] * 1000), "occurred_at": old["occurred_at"]}


PETS = Catalog([PetFed], {("pet_fed", 1): to_version_2, ("pet_fed", 2): to_version_3})


def body(version: int, /, event_type: str = "pet_fed", **fields: object) -> bytes:
    return json.dumps({"type": event_type, "version": version, "event": fields}).encode()


def test_every_event_has_a_sample_here() -> None:
    assert {type(event) for event in SAMPLES} == set(EVENTS)


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event.TYPE)
def test_what_is_written_is_read(event: Event) -> None:
    assert CATALOG.decode(CATALOG.encode(event)) == event


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event.TYPE)
def test_ids_and_keys_fit_their_columns(event: Event) -> None:
    assert 1 <= len(event.event_id()) <= 100
    assert event.ordering_key() != ""


def test_an_id_is_of_the_instant_and_not_of_its_spelling() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=9)))
    ids = {
        ServerLost(server="attic", problem=problem, occurred_at=at).event_id()
        for problem in "ab"
        for at in (AT, elsewhere)
    }
    assert ids == {"plex:attic:lost:1795176000123456"}


def test_a_shape_that_is_stored_stays() -> None:
    assert CATALOG.encode(SAMPLES[0]) == (
        b'{"type":"server_lost","version":1,"event":'
        b'{"occurred_at":"2026-11-20T12:00:00.123456Z","server":"attic","problem":"is unreachable"}}'
    )


def test_old_versions_are_lifted_one_by_one() -> None:
    expected = PetFed(pet="Rex", grams=1500, occurred_at=AT)
    at = AT.isoformat()
    assert PETS.decode(body(1, name="Rex", kilos=1.5, occurred_at=at)) == expected
    assert PETS.decode(body(2, pet="Rex", kilos=1.5, occurred_at=at)) == expected
    assert PETS.decode(body(3, pet="Rex", grams=1500, occurred_at=at)) == expected
    assert PETS.decode(PETS.encode(expected)) == expected


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"", "not an event"),
        (b"{", "not an event"),
        (b"[]", "not an event"),
        (b'{"type":"pet_fed","version":3}', "missing required field `event`"),
        (body(4, pet="Rex"), "has version 4; this program knows it up to 3"),
        (body(0, pet="Rex"), "has version 0"),
        (body(1, "pet_lost"), "knows no event pet_lost"),
        (body(3, pet="Rex", grams="1", occurred_at=AT.isoformat()), "Expected `int`, got `str`"),
        (body(3, pet="Rex", grams=1, colour="red", occurred_at=AT.isoformat()), "has no field colour"),
        (body(3, pet="Rex", occurred_at=AT.isoformat()), "missing required field `grams`"),
        (body(3, pet="Rex", grams=1, occurred_at="yesterday"), "Invalid RFC3339"),
        (body(1, pet="Rex"), "of version 1 cannot be lifted: KeyError('name')"),
        (PETS.encode(PetFed(pet="Rex", grams=1, occurred_at=AT))[:-1], "not an event"),
    ],
)
def test_what_cannot_be_read_says_why(bad: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        PETS.decode(bad)
    assert reason in str(caught.value)


def test_an_event_is_bounded() -> None:
    room = EVENT_BYTES_MAX - len(PETS.encode(PetFed(pet="", grams=1, occurred_at=AT)))
    assert len(PETS.encode(PetFed(pet="x" * room, grams=1, occurred_at=AT))) == EVENT_BYTES_MAX
    with pytest.raises(EventTooBig):
        PETS.encode(PetFed(pet="x" * (room + 1), grams=1, occurred_at=AT))


def test_only_events_of_the_catalog_are_written() -> None:
    with pytest.raises(ValueError, match="PetFed is not in the catalog"):
        CATALOG.encode(PetFed(pet="Rex", grams=1, occurred_at=AT))


def test_a_catalog_is_complete_and_unambiguous() -> None:
    with pytest.raises(ValueError, match="nothing lifts pet_fed from version 1"):
        Catalog([PetFed], {("pet_fed", 2): to_version_3})
    with pytest.raises(ValueError, match="two classes of events are called server_lost"):
        Catalog([ServerLost, ServerLost])
