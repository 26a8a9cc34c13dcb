"""What the control API does to libraries and accounts, now or between two requests of somebody else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simulators.plex import guests, upkeep
from simulators.plex.items import Item
from simulators.plex.scan import appear, scan, vanish
from simulators.plex.server import Play, Server

Action = Callable[[dict[str, Any]], dict[str, Any] | None]


class LibraryActions:
    """Actions by name, as they stand below `/__sim`; LookupError and ValueError for what makes no sense."""

    def __init__(self, server: Server) -> None:
        self._server = server

    @property
    def actions(self) -> Mapping[str, Action]:
        """Every action: it takes the body and may return what to answer."""
        return {
            "titles/add": self._add, "titles/place": self._place, "titles/remove": self._remove, "titles/rename":
            self._rename, "titles/rekey": self._rekey, "titles/trash": self._trash, "titles/lose": self._lose,
            "titles/version": self._version, "titles/ghost": self._ghost, "sections/remove": self._remove_section,
            "scan": self._scan, "accounts/restrict": self._restrict, "accounts/revoke": self._revoke,
            "accounts/invite": self._invite, "accounts/unshare": self._unshare, "history/add": self._history,
            "turns/add": self._turn, "turns/clear": self._clear_turns, "prefs": self._prefs,
        }  # fmt: skip

    def item(self, body: dict[str, Any]) -> Item:
        """The title named by `key` or `title` (and `kind`)."""
        if "key" in body:
            return self._server.world.items[int(body["key"])]
        return self._server.world.find(body["title"], body.get("kind"))

    def _made(self, body: dict[str, Any]) -> Item:
        section = int(body.get("section", 1))
        if section not in self._server.world.sections:
            raise LookupError(f"no section {section}")
        minutes, genres = int(body.get("minutes", 100)), tuple(body.get("genres", ["Drama"]))
        given = {"labels": tuple(body["labels"])} if body.get("labels") else {}
        now = int(self._server.clock.now())
        return Item(
            0, str(body.get("kind", "movie")), str(body["title"]), section, now, body.get("year", 2026),
            minutes * 60_000, genres, given=given,
        )  # fmt: skip

    def _add(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"key": appear(self._server, self._made(body)).key}

    def _place(self, body: dict[str, Any]) -> None:
        self._server.disk.put(self._made(body))

    def _remove(self, body: dict[str, Any]) -> None:
        vanish(self._server, self.item(body))

    def _rename(self, body: dict[str, Any]) -> None:
        item = self.item(body)
        self._server.world.edit(item, int(self._server.clock.now()), title=str(body["to"]))
        self._server.tell_timeline(item, 5, "processed")

    def _rekey(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"key": rekey(self._server, self.item(body))}

    def _trash(self, body: dict[str, Any]) -> None:
        upkeep.trash(self._server, self.item(body), body.get("media"))

    def _lose(self, body: dict[str, Any]) -> None:
        self._server.disk.lose(self.item(body))

    def _version(self, body: dict[str, Any]) -> dict[str, Any]:
        known = ("video_codec", "audio_codec", "size_bytes", "file", "parts")
        options = {name: body[name] for name in known if name in body}
        made = upkeep.add_version(self._server, self.item(body), str(body.get("resolution", "720")), **options)
        return {"media": made.id}

    def _ghost(self, body: dict[str, Any]) -> None:
        self._server.faults.ghosts.add(self.item(body).key)

    def _remove_section(self, body: dict[str, Any]) -> None:
        upkeep.remove_section(self._server, int(body["section"]))

    def _scan(self, body: dict[str, Any]) -> None:
        section = self._server.world.sections[int(body.get("section", 1))]
        self._server.run("scan", scan(self._server, section, path=str(body.get("path", ""))))

    def _restrict(self, body: dict[str, Any]) -> None:
        account = self._server.account(body["account"])
        texts = {name: value for name, value in body.items() if name.startswith("filter_")}
        guests.restrict(self._server, account, sections=body.get("sections"), **texts)

    def _revoke(self, body: dict[str, Any]) -> dict[str, Any]:
        token = body.get("token") or self._server.account(body["account"]).token
        return {"account": guests.revoke(self._server, str(token)).id}

    def _invite(self, body: dict[str, Any]) -> dict[str, Any]:
        made = guests.invite(
            self._server, str(body["name"]), sections=body.get("sections"), is_managed=bool(body.get("is_managed")),
        )  # fmt: skip
        return {"id": made.id, "token": made.server_token, "account_token": made.token}

    def _unshare(self, body: dict[str, Any]) -> None:
        guests.unshare(self._server, self._server.account(body["account"]))

    def _history(self, body: dict[str, Any]) -> dict[str, Any]:
        account = self._server.account(body.get("account", 1)).id
        at = int(body.get("viewed_at", self._server.clock.now()))
        return {"id": add_history(self._server, self.item(body), account, at).id}

    def _turn(self, body: dict[str, Any]) -> None:
        """`{"path": "sections/1/all", "after": 2, "do": "titles/remove", "body": {"title": ...}}`."""
        act, given = self.actions[str(body["do"])], dict(body.get("body") or {})
        self._server.turns.add(
            str(body["path"]), lambda: act(given), after=int(body.get("after", 1)), times=int(body.get("times", 1)),
        )  # fmt: skip

    def _clear_turns(self, body: dict[str, Any]) -> None:
        self._server.turns.clear()

    def _prefs(self, body: dict[str, Any]) -> None:
        unknown = set(body) - set(self._server.prefs)
        if unknown:
            raise LookupError(f"no such settings: {', '.join(sorted(unknown))}")
        self._server.prefs.update(body)


def rekey(server: Server, item: Item) -> int:
    """Give a title a new rating key, as a replaced file does: listeners hear that one went and another came."""
    server.tell_timeline(item, 9, "deleted")
    key = server.world.rekey(item)
    server.tell_timeline(item, 5, "created")
    return key


def add_history(server: Server, item: Item, account: int, at: int) -> Play:
    """Somebody watched a title at that instant: a row of history, and a view."""
    player = next(iter(server.players.values())).spec
    server.plays_total += 1
    play = Play(server.plays_total, item, account, player, at, item.duration_ms or 0)
    server.history.append(play)
    view = server.world.change_view(account, item)
    view.count, view.last_viewed_at = view.count + 1, max(view.last_viewed_at, at)
    return play
