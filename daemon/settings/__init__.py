"""What the operator decides: `model` says what can be set, `load` reads it.

Nothing is imported here, so that `marquee healthcheck` can use `layers` without paying for pydantic.
"""
