"""Which connectors there are, and how one is built from its table in ``config.toml``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from connectors.base import Connector


class BadOptions(ValueError):
    """A target's table cannot be used; the message names the key."""


def build(kind: str, name: str, options: Mapping[str, Any], folder: Path) -> Connector:
    """
    Make the connector for one target.

    Args:
        kind: ``connector`` in the target's table.
        name: The target's name.
        options: The rest of the table, with secrets already read.
        folder: What relative paths are relative to.

    Raises:
        BadOptions: Unknown kind, unknown or missing key, wrong type.
    """
    maker = MAKERS.get(kind)
    if maker is None:
        raise BadOptions(f"connector = {kind!r} is not one of {', '.join(sorted(MAKERS))}")
    return maker(name, options, folder)


def _local(name: str, options: Mapping[str, Any], folder: Path) -> Connector:
    from connectors.local import AccessFile

    if set(options) != {"path"} or not isinstance(options["path"], str):
        raise BadOptions("a local target takes exactly one option, path")
    return AccessFile(name, folder / options["path"])


def _ldap(name: str, options: Mapping[str, Any], folder: Path) -> Connector:
    from connectors.ldap import LdapConnector
    from connectors.ldap_wire import LdapOptions

    known = {f.name: f for f in fields(LdapOptions)}
    for key, value in options.items():
        if key not in known:
            raise BadOptions(f"unknown key {key}")
        wanted = {"str": str, "bool": bool, "int": int}[str(known[key].type)]
        if type(value) is not wanted:
            raise BadOptions(f"{key} = {value!r} is not a {wanted.__name__}")
    missing = [key for key, f in known.items() if f.default is MISSING and key not in options]
    if missing:
        raise BadOptions(f"missing {', '.join(missing)}")
    if not str(options["url"]).startswith(("ldap://", "ldaps://")):
        raise BadOptions(f"url = {options['url']!r} does not start with ldap:// or ldaps://")
    values = dict(options)
    if values.get("ca_file"):
        values["ca_file"] = str(folder / values["ca_file"])
        if not Path(values["ca_file"]).is_file():
            raise BadOptions(f"ca_file {values['ca_file']} does not exist")
    return LdapConnector(name, LdapOptions(**values))


MAKERS: dict[str, Callable[[str, Mapping[str, Any], Path], Connector]] = {"ldap": _ldap, "local": _local}
