"""Faults on order: which requests or sockets fail, how, and how many times."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Fault:
    """One order. Exactly what happens to a matching request:

    `delay_s` waits first; `drop` cuts the connection; `status` answers with it (503, 500, 429 ...), `code` and
    `retry_after_s`/`is_global` fill the body; `after_commit` does the work before it drops or answers the error.
    """

    op: str
    times: int | None = 1
    status: int | None = None
    code: int = 0
    delay_s: float = 0.0
    drop: bool = False
    retry_after_s: float = 1.0
    is_global: bool = False
    after_commit: bool = False
    skip: int = 0
    hits: int = 0


@dataclass(slots=True)
class Faults:
    """All orders, and the switches of the gateway. `add` for REST; the attributes for the sockets.

    `mute_acks`: heartbeats are not answered. `refuse_ws`: so many handshakes are answered 503.
    `refuse_resume`: so many RESUMEs get op 9. `repeat_interactions`: so many are dispatched twice.
    """

    orders: list[Fault] = field(default_factory=list)
    mute_acks: bool = False
    refuse_ws: int = 0
    refuse_resume: int = 0
    repeat_interactions: int = 0

    def add(self, op: str, **how: Any) -> Fault:
        """Order a fault for an operation name (`create_message`, `*` and `create_*` allowed).

        `times` requests are hit (None: all), after `skip` that are not.
        """
        fault = Fault(op, **how)
        self.orders.append(fault)
        return fault

    def take(self, op: str) -> Fault | None:
        """The fault that hits this request, counted down."""
        for fault in self.orders:
            if not fnmatch.fnmatchcase(op, fault.op) or fault.times == 0:
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.hits += 1
            if fault.times is not None:
                fault.times -= 1
            return fault
        return None

    def clear(self) -> None:
        """Everything works again."""
        self.orders.clear()
        self.mute_acks = False
        self.refuse_ws = 0
        self.refuse_resume = 0
        self.repeat_interactions = 0
