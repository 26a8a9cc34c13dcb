"""Who may see what of the server: sharing, filters, tokens that end, accounts that come and go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from simulators.plex.details import digest
from simulators.plex.restrictions import OPEN, parse
from simulators.plex.server import Server
from simulators.plex.world import Account


def restrict(
    server: Server, account: Account, *, sections: Iterable[int] | None = None, filter_all: str | None = None,
    filter_movies: str | None = None, filter_television: str | None = None, filter_music: str | None = None,
    filter_photos: str | None = None,
) -> Account:  # fmt: skip
    """Share these sections with the account and hide what its filters say; what is None stays as it is.

    `filter_movies="label=Kids,Family"` shows films with one of these labels only, `"label!=Late Night"` hides some,
    "" lifts it. ValueError for the owner, whom nobody restricts, and for a text that is no filter.
    """
    if account.is_owner:
        raise ValueError("nobody restricts the owner")
    texts = {
        "every": filter_all, "movies": filter_movies, "television": filter_television, "music": filter_music,
        "photos": filter_photos,
    }  # fmt: skip
    known = {name: text for name, text in texts.items() if text is not None}
    for text in known.values():
        parse(text)
    changed = replace(account, filters=replace(account.filters, **known))
    if sections is not None:
        changed = replace(changed, sections=frozenset(sections))
    server.world.change_account(changed)
    return changed


def share_everything(server: Server, account: Account) -> Account:
    """All libraries, also those to come, and no filter."""
    changed = replace(account, sections=None, filters=OPEN)
    server.world.change_account(changed)
    return changed


def sign_out(server: Server, token: str) -> None:
    """End one token of plex.tv; what its account was given for servers goes on working. LookupError."""
    account = server.world.by_token(token)
    if account is None:
        raise LookupError("nobody has this token")
    if server.world.sign_ins.pop(token, None) is None:
        _renew(server, account)


def _renew(server: Server, account: Account) -> Account:
    server.tokens_revoked += 1
    fresh = digest(server.machine_id, "token", account.id, server.tokens_revoked)[:20]
    changed = replace(account, token=fresh)
    server.world.change_account(changed)
    return changed


def revoke(server: Server, token: str) -> Account:
    """End whatever its account has signed in with: 401 from now on, here and at plex.tv.

    The account gets other tokens when it signs in again. LookupError for a token that nobody has.
    """
    account = server.world.by_token(token) or server.world.by_server_token(token)
    if account is None:
        transient = server.transient_tokens.pop(token, 0)
        if not transient:
            raise LookupError("nobody has this token")
        return server.world.accounts[transient]
    changed = _renew(server, account)
    for each in [each for each, owner in server.world.sign_ins.items() if owner == account.id]:
        del server.world.sign_ins[each]
    if not account.is_owner:
        fresh = digest(server.machine_id, "access", account.id, server.tokens_revoked)[:20]
        changed = replace(changed, access_token=fresh)
        server.world.change_account(changed)
    for each in [each for each, owner in server.transient_tokens.items() if owner == account.id]:
        del server.transient_tokens[each]
    server.notifications.drop(account.id)
    return changed


def unshare(server: Server, account: Account) -> None:
    """Nothing is shared with the account any more; its token is of no use here. ValueError for the owner."""
    if account.is_owner:
        raise ValueError("nobody restricts the owner")
    server.world.change_account(replace(account, is_shared=False, sections=frozenset()))
    server.notifications.drop(account.id)


def invite(server: Server, name: str, *, sections: Iterable[int] | None = None, is_managed: bool = False) -> Account:
    """Somebody new with whom these sections are shared (None: all). ValueError when the name is taken."""
    if any(account.name == name for account in server.world.accounts.values()):
        raise ValueError(f"there is an account {name!r}")
    number = max(server.world.accounts) + 211
    mark = digest(server.world.seed, "account", number)
    email = "" if is_managed else f"{name.casefold().replace(' ', '.')}@example.invalid"
    made = Account(
        number, name, number, email, mark[:20], mark[20:36], None if sections is None else frozenset(sections),
        is_managed, access_token=digest(server.world.seed, "access", number)[:20],
    )  # fmt: skip
    server.world.change_account(made)
    return made
