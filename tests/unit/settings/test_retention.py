from __future__ import annotations

from daemon.services.retention import Keep
from daemon.settings.model import Retention


def test_the_settings_are_what_the_service_takes() -> None:
    assert Keep(**Retention().model_dump()) == Keep()
