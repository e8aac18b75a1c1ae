"""JSON from strangers: what two readers could understand differently is refused, and so is what is built to hurt."""

from __future__ import annotations

import json
import re
from typing import Any

from lifecycle.domain.errors import LifecycleError

DEEPEST = 16
"""Levels of nesting; a SCIM bulk request needs seven."""
UNSAFE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, half characters, and those that make text read in another order than it is stored."""


class JsonRefused(LifecycleError):
    """The text is no JSON, or says one thing twice; the message says where as far as that is known."""

    code = "json-refused"


def read(body: bytes) -> Any:
    """
    Read *body*; the names in its objects come back in lower case, since SCIM's mean the same in any.

    Raises:
        JsonRefused: No UTF-8, no JSON, a name twice in one object, NaN or Infinity, or nested too deeply.
    """
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_number)
    except UnicodeDecodeError as exc:
        raise JsonRefused("The body is not UTF-8.") from exc
    except RecursionError as exc:
        raise JsonRefused("The body is nested too deeply.") from exc
    except ValueError as exc:
        raise JsonRefused(f"The body is not JSON: {exc}") from exc
    _check_depth(value)
    return value


def unsafe_text(value: Any) -> bool:
    """Say whether a name or a text anywhere in *value* holds characters that no person would type."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += [*item, *item.values()]
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, str) and UNSAFE.search(item):
            return True
    return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name.lower() in found:
            raise JsonRefused(f"The name {ascii(name)[:80]} stands twice in one object.")
        found[name.lower()] = value
    return found


def _no_number(name: str) -> Any:
    raise JsonRefused(f"{name} is no JSON number.")


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return
    raise JsonRefused("The body is nested too deeply.")
