"""Settings of the operations module; defaults and units stand in `manifest.toml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

SNOWFLAKE_MAX = 2**63 - 1


class Config(BaseModel):
    """What the owner may change under `modules.ops`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: Annotated[int, Field(ge=0, le=SNOWFLAKE_MAX)]
    died_every_min: Annotated[int, Field(ge=1, le=1440)]
