"""Captured answers of the real plex.tv, read as the daemon reads the simulated one."""

from __future__ import annotations

from pathlib import Path

from integrations.plex.account_shapes import to_known_users, to_pin, to_user


def test_pins(captured: Path) -> None:
    folder = captured / "plex-api.rs" / "myplex" / "api" / "v2"
    new, linked = (to_pin((folder / name).read_bytes()) for name in ("pins_new.json", "pins_linked.json"))
    assert (new.pin_id, new.code, new.expires_in_s, new.token) == (111222333, "CODE", 900.0, None)
    assert (linked.pin_id, linked.token) == (111222333, "scrubbed-token")


def test_users(captured: Path) -> None:
    users = to_known_users((captured / "home-assistant" / "plextv_shared_users.xml").read_bytes())
    assert [(user.account_id, user.name) for user in users] == [(1000, "User 1000"), (1001, "User 1001")]
    assert [(one.machine_id, one.is_all) for user in users for one in user.servers] == [("unique_id_123", False)] * 2
    assert [user.filters for user in users] == [{}, {}]


def test_a_user(captured: Path) -> None:
    found = sorted((captured / "plex-api.rs" / "myplex" / "api" / "v2" / "user").glob("user_info_*.json"))
    assert found
    for path in found:
        user = to_user(path.read_bytes())
        assert user.account_id > 0
        assert user.name
