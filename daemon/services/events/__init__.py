"""Events: published in a unit of work, delivered to each subscription, the effect of each delivery once."""

from daemon.services.events.catalog import CATALOG
from daemon.services.events.coding import Catalog, EventTooBig, Unreadable
from daemon.services.events.deaths import Deaths
from daemon.services.events.events import EVENTS_QUEUE, Events, Handler

__all__ = ["CATALOG", "EVENTS_QUEUE", "Catalog", "Deaths", "EventTooBig", "Events", "Handler", "Unreadable"]
