"""Settings of the module; defaults and units stand in `manifest.toml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

SNOWFLAKE_MAX = 2**63 - 1


class Config(BaseModel):
    """What the owner may change under `modules.leaving`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: Annotated[int, Field(ge=0, le=SNOWFLAKE_MAX)]
    exempt_days: Annotated[int, Field(ge=1, le=3650)]
