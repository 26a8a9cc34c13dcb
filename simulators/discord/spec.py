"""Discord's OpenAPI document as a judge of requests and answers; jsonschema is imported only when one is given."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulators.discord.errors import Violation
from simulators.discord.objects import Json

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError
    from referencing import Registry

BASE = "urn:discord"
CODES = {
    "required": "BASE_TYPE_REQUIRED",
    "maxLength": "BASE_TYPE_BAD_LENGTH",
    "minLength": "BASE_TYPE_BAD_LENGTH",
    "maxItems": "BASE_TYPE_BAD_LENGTH",
    "minItems": "BASE_TYPE_BAD_LENGTH",
    "maximum": "NUMBER_TYPE_MAX",
    "minimum": "NUMBER_TYPE_MIN",
    "enum": "BASE_TYPE_CHOICES",
    "const": "BASE_TYPE_CHOICES",
    "oneOf": "UNION_TYPE_CHOICES",
    "anyOf": "UNION_TYPE_CHOICES",
    "pattern": "STRING_TYPE_REGEX",
    "type": "BASE_TYPE_BAD_TYPE",
    "uniqueItems": "SET_TYPE_ALREADY_CONTAINS_VALUE",
}


class SpecDocument:
    """Checks bodies by operationId. `load` blocks (1 MB of JSON): call it in a thread."""

    def __init__(self, document: Json) -> None:
        from jsonschema import Draft202012Validator
        from referencing import Registry, Resource
        from referencing.jsonschema import DRAFT202012

        _relax(document)
        resource: Resource[Any] = Resource.from_contents(document, default_specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource(BASE, resource)
        self._validator: type[Draft202012Validator] = Draft202012Validator
        self._operations = _operations(document)
        self._known: dict[str, Draft202012Validator] = {}

    @classmethod
    def load(cls, path: Path) -> SpecDocument:
        """Read the document."""
        return cls(json.loads(path.read_bytes()))

    def __contains__(self, op: str) -> bool:
        return op in self._operations

    def request_violations(self, op: str, body: Any) -> list[Violation]:
        """What is wrong with a request body; nothing is said about operations without a described body."""
        pointer, operation = self._operations.get(op, ("", {}))
        if "application/json" not in operation.get("requestBody", {}).get("content", {}):
            return []
        if body == {} and not operation["requestBody"].get("required", False):
            return []
        return self._check(f"{pointer}/requestBody/content/application~1json/schema", body)

    def response_violations(self, op: str, status: int, body: Any) -> list[Violation]:
        """What is wrong with an answer; a status that the document does not name is one violation."""
        if op not in self._operations:
            return []
        pointer, operation = self._operations[op]
        for key in (str(status), f"{str(status)[0]}XX"):
            response = operation["responses"].get(key)
            if response is None:
                continue
            if "application/json" not in response.get("content", {}):
                return []
            return self._check(f"{pointer}/responses/{key}/content/application~1json/schema", body)
        return [Violation("", "STATUS", f"status {status} is not described")]

    def schema_violations(self, schema: str, value: Any) -> list[Violation]:
        """What is wrong with a value by one of the document's named schemas."""
        return self._check(f"/components/schemas/{schema}", value)

    def _check(self, pointer: str, value: Any) -> list[Violation]:
        if pointer not in self._known:
            self._known[pointer] = self._validator({"$ref": f"{BASE}#{pointer}"}, registry=self._registry)
        return [_violation(error) for error in self._known[pointer].iter_errors(value)]


def _violation(error: ValidationError) -> Violation:
    deepest = _deepest(error)
    path = ".".join(str(part) for part in deepest.absolute_path)
    rule, limit, given = str(deepest.validator), deepest.validator_value, deepest.instance
    text = f"{rule} {str(limit)[:80]}, got {str(given)[:80]!r}"
    if rule in ("maxLength", "minLength", "maxItems", "minItems"):
        text = f"{rule} is {limit}, got {len(given)}"  # type: ignore[arg-type]
    elif rule == "required":
        missing = next(name for name in limit if name not in given)  # type: ignore[union-attr,operator]
        path, text = f"{path}.{missing}".lstrip("."), "This field is required"
    return Violation(path, CODES.get(rule, "BASE_TYPE_INVALID"), text)


def _deepest(error: ValidationError) -> ValidationError:
    """Inside a union, the complaint of the branch that was meant: the one whose `type` fits, else the mildest."""
    while error.context:
        branches: dict[Any, list[ValidationError]] = {}
        for inner in error.context:
            branches.setdefault(inner.schema_path[0], []).append(inner)
        meant = [found for found in branches.values() if not any(_is_about_type(one, error) for one in found)]
        chosen = min(meant or list(branches.values()), key=len)
        error = max(chosen, key=lambda one: len(one.absolute_path))
    return error


def _is_about_type(inner: ValidationError, outer: ValidationError) -> bool:
    tail = list(inner.absolute_path)[len(outer.absolute_path) :]
    return tail == ["type"] or (not tail and inner.validator == "type")


def _operations(document: Json) -> dict[str, tuple[str, Json]]:
    found: dict[str, tuple[str, Json]] = {}
    for path, item in document["paths"].items():
        escaped = path.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
        for method in ("get", "post", "put", "patch", "delete"):
            if method in item:
                operation = item[method]
                found[operation["operationId"]] = (f"/paths/{escaped}/{method}", operation)
    return found


def _relax(node: Any) -> None:
    """Discord takes a snowflake as a JSON number too, the document only as a string."""
    if isinstance(node, dict):
        if node.get("format") == "snowflake" and "type" in node:
            kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
            node["type"] = sorted({*kinds, "string", "integer"})
        _relax_all(node.values())
    elif isinstance(node, list):
        _relax_all(node)


def _relax_all(nodes: Iterable[Any]) -> None:
    for node in nodes:
        _relax(node)
