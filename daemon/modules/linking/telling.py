"""How people learn what came of their request: in the answer to /link while there is one, else in a direct message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from daemon.core.errors import MarqueeError
from daemon.core.ids import ModuleId
from daemon.kernel.trace import current_trace_id
from daemon.services.accounts import Accounts, Link, Request, RequestState
from daemon.services.notify import Notice, Notify

log = structlog.get_logger(__name__)

MODULE = ModuleId("linking")
GOOD, BAD = 0x23A55A, 0xDA373C
_WAITING_MAX = 1_000

ENDS = {
    RequestState.LINKED: "Your Plex account is linked.",
    RequestState.RENEWED: "Your Plex account was linked already; the link is up to date now.",
    RequestState.EXPIRED: "Nobody signed in within the time that Plex gives. Nothing was linked; `/link` starts anew.",
    RequestState.DENIED: "Plex has called the sign-in off. Nothing was linked; `/link` starts anew.",
    RequestState.TAKEN: "That Plex account belongs to somebody else here. Nothing was changed.",
    RequestState.HAS_OTHER: "You have another Plex account linked. Nothing was changed; `/unlink` comes first.",
    RequestState.RESTING: "That Plex account was unlinked less than seven days ago. Nothing was linked.",
}
_GOOD_ENDS = (RequestState.LINKED, RequestState.RENEWED)

Show = Callable[[Request], Awaitable[None]]


def is_good(state: RequestState) -> bool:
    """Whether an account is linked now."""
    return state in _GOOD_ENDS


class Telling:
    """`Show`s are of this process: answers to /link that can still be changed."""

    def __init__(self, accounts: Accounts, notify: Notify) -> None:
        self._accounts = accounts
        self._notify = notify
        self._waiting: dict[int, Show] = {}

    def wait(self, request_id: int, show: Show) -> None:
        """Call `show` once the request has ended."""
        self._waiting[request_id] = show
        while len(self._waiting) > _WAITING_MAX:
            del self._waiting[next(iter(self._waiting))]

    async def shown(self, request: Request) -> None:
        """The person has seen how it ended, by pressing the button."""
        if request.state is not RequestState.OPEN:
            self._waiting.pop(request.request_id, None)
            await self._accounts.note_told(request.request_id)

    async def tell_all(self, after_s: float) -> None:
        """Tell everybody whose request has ended; by direct message whoever could not be told for `after_s`."""
        for request_id, show in list(self._waiting.items()):
            request = await self._accounts.request(request_id)
            if request is not None and request.state is RequestState.OPEN:
                continue
            self._waiting.pop(request_id, None)
            if request is None:
                continue
            try:
                await show(request)
            except MarqueeError as error:
                log.info("link_answer_not_changed", request_id=request_id, error=str(error))
                continue
            await self._accounts.note_told(request_id)
        for request in await self._accounts.untold(after_s):
            notice = self._notice(request)
            await self._accounts.note_told(request.request_id, lambda tx, n=notice: self._notify.post(tx, n))  # type: ignore[misc]

    async def token_revoked(self, link: Link) -> None:
        """Plex does not take the token any more that somebody let us keep."""
        text = (
            "Plex no longer accepts the access that you let me keep, so I have deleted it. Your account stays linked; "
            "`/link keep_access:True` gives new access."
        )
        await self._accounts.tell(link, lambda tx, member_id: self._notify.post(tx, Notice(
            MODULE, f"linking:revoked:{link.account_id}:{link.linked_at:%Y%m%d%H%M%S}", text, member_id=member_id,
            title="Access to Plex ended", accent=BAD, source="linking", trace_id=current_trace_id() or "",
        )))  # fmt: skip

    def _notice(self, request: Request) -> Notice:
        return Notice(
            MODULE,
            f"linking:{request.member_id}:{request.request_id}",
            ENDS[request.state],
            member_id=request.member_id,
            title="Linking Plex",
            accent=GOOD if is_good(request.state) else BAD,
            source="linking",
        )
