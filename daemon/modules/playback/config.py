"""Settings of the playback module; defaults and units stand in `manifest.toml`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

SNOWFLAKE_MAX = 2**63 - 1


def _split_commas(value: Any) -> Any:
    # An environment variable can only give text: "123,456".
    return [part for part in value.replace(",", " ").split() if part] if isinstance(value, str) else value


class Config(BaseModel):
    """What the owner may change under `modules.playback`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    controller_roles: Annotated[
        tuple[Annotated[int, Field(gt=0, le=SNOWFLAKE_MAX)], ...], BeforeValidator(_split_commas)
    ]
    card_refresh_s: Annotated[float, Field(ge=5, le=600)]
    card_refresh_slow_s: Annotated[float, Field(ge=60, le=3600)]
    card_slow_after_s: Annotated[float, Field(ge=0, le=86_400)]
    volume_step: Annotated[int, Field(ge=1, le=50)]
