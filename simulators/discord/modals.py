"""Filling in a modal the way a client does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from simulators.discord import components as parts
from simulators.discord.objects import Json
from simulators.discord.options import Filler, Refused, Upload

TEXT_CHARS_MAX = 4_000


def fields(components: list[Json]) -> Iterator[tuple[str, Json]]:
    """(label, input component) of each field of a modal, in order."""
    for row in components:
        if row["type"] == parts.LABEL:
            yield row["label"], row["component"]
        elif row["type"] == parts.ACTION_ROW:
            for child in row["components"]:
                yield child.get("label") or "", child


class ModalFiller:
    """Turns what a person typed into the components of a modal submission, checking each field."""

    def __init__(self, filler: Filler) -> None:
        self._filler = filler

    def fill(self, components: list[Json], values: Mapping[str, Any]) -> list[Json]:
        """The submitted components; `values` by label or custom id, left-out fields keep what they show."""
        known = {name for label, field in fields(components) for name in (label, field.get("custom_id"))}
        if unknown := set(values) - known:
            raise Refused(f"the modal has no field {', '.join(sorted(unknown))}")
        filled: list[Json] = []
        for row in components:
            if row["type"] == parts.LABEL:
                inner = self._field(row["label"], row["component"], values)
                filled.append({"type": row["type"], "id": row["id"], "component": inner})
            elif row["type"] == parts.ACTION_ROW:
                inner_all = [self._field(child.get("label") or "", child, values) for child in row["components"]]
                filled.append({"type": row["type"], "id": row["id"], "components": inner_all})
            else:
                filled.append({"type": row["type"], "id": row["id"]})
        return filled

    def _field(self, label: str, field: Json, values: Mapping[str, Any]) -> Json:
        given = values.get(label, values.get(field["custom_id"]))
        data: Json = {"type": field["type"], "id": field["id"], "custom_id": field["custom_id"]}
        match field["type"]:
            case parts.TEXT_INPUT:
                data["value"] = _text(label, field, given)
            case parts.CHECKBOX:
                data["value"] = bool(field.get("default", False) if given is None else given)
            case parts.RADIO_GROUP:
                data["value"] = self._chosen(label, field, given, 1)[0] if given is not None else _preset(field)
            case parts.FILE_UPLOAD:
                data["values"] = self._files(label, field, given)
            case _:
                data["values"] = self._chosen(label, field, given, field.get("max_values", 1))
        return data

    def _chosen(self, label: str, field: Json, given: Any, most: int) -> list[str]:
        if given is None:
            chosen = [str(o["value"]) for o in field.get("options", []) if o.get("default")]
        else:
            wanted = list(given) if isinstance(given, list | tuple) else [given]
            chosen = [self._one(field, one) for one in wanted]
        least = field.get("min_values", 1) if field.get("required", True) else 0
        if not least <= len(chosen) <= max(most, 1):
            raise Refused(f"{label}: choose {least} to {most}, not {len(chosen)}")
        return chosen

    def _one(self, field: Json, given: Any) -> str:
        match field["type"]:
            case parts.USER_SELECT:
                return self._filler.user(given)
            case parts.ROLE_SELECT:
                return self._filler.role(given)
            case parts.MENTIONABLE_SELECT:
                return self._filler.mentionable(given)
            case parts.CHANNEL_SELECT:
                return self._filler.channel(given, field.get("channel_types"))
            case _:
                return option_value(field.get("options", []), given)

    def _files(self, label: str, field: Json, given: Any) -> list[str]:
        files = [] if given is None else list(given) if isinstance(given, list | tuple) else [given]
        least = field.get("min_values", 1) if field.get("required", True) else 0
        if not least <= len(files) <= field.get("max_values", 1) or not all(isinstance(f, Upload) for f in files):
            raise Refused(f"{label}: give {least} to {field.get('max_values', 1)} files")
        stored = [self._filler.store(file) for file in files]
        self._filler.resolved.setdefault("attachments", {}).update({one["id"]: one for one in stored})
        return [one["id"] for one in stored]


def _text(label: str, field: Json, given: Any) -> str:
    text = str(field.get("value") or "" if given is None else given)
    least, most = field.get("min_length") or 0, field.get("max_length") or TEXT_CHARS_MAX
    if not text and not field.get("required", True):
        return text
    if not text or not least <= len(text) <= most:
        raise Refused(f"{label}: type {max(least, 1)} to {most} characters, not {len(text)}")
    return text


def _preset(field: Json) -> str | None:
    preset = next((str(o["value"]) for o in field.get("options", []) if o.get("default")), None)
    if preset is None and field.get("required", True):
        raise Refused("choose one")
    return preset


def option_value(options: list[Json], wanted: Any) -> str:
    """The value of the option with this label or value."""
    for option in options:
        if str(wanted) in (option["label"], str(option["value"])):
            return str(option["value"])
    labels = ", ".join(str(option["label"]) for option in options)
    raise Refused(f"there is no option {wanted}, only: {labels}")
