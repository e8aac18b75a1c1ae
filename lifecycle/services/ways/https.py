"""
A report over HTTPS, such as Workday's custom reports.

A proxy, a sign-in page or a half answer must never look like a roster in which nobody works: redirects, other statuses
than 200, other content types, web pages, bodies whose length nobody states and empty ones are all refused.
"""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import httpx2

from lifecycle.domain.errors import InvalidSettings
from lifecycle.feed.kinds import BEGINNING, kind_begun_by
from lifecycle.services.outward import NotToBeCalled, Resolve, addresses_of, pinned
from lifecycle.services.ways.deadline import Deadline
from lifecycle.services.ways.way import ETAG, CannotFetch, Copied, Look, TakenFile, copy_up_to
from lifecycle.settings import HttpsSettings

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 120.0
"""A report is often computed only when it is asked for."""
TYPES = {
    "csv": ("text/csv", "application/csv", "text/comma-separated-values", "text/plain"),
    "json": ("application/json", "text/json"),
}
_NOBODY = (b"[]", b"{}", b"null")


@dataclass(frozen=True)
class HttpsWay:
    """See `lifecycle.services.ways.way.Way`."""

    settings: HttpsSettings
    folder: Path
    """That secrets and the CA file are relative to."""
    largest: int
    """Octets."""
    answer_seconds: float = ANSWER_SECONDS
    resolve: Resolve = addresses_of

    @property
    def place(self) -> str:
        """See `Way.place`; the query is left out, which may hold a key."""
        url = httpx2.URL(self.settings.url)
        return str(url.copy_with(query=None, fragment=None))

    def problems(self) -> list[str]:
        """See `Way.problems`."""
        found = []
        for check in (self._verify, self._credential):
            try:
                check()
            except (InvalidSettings, CannotFetch) as exc:
                found.append(str(exc))
        return found

    def look(self, seen: Mapping[str, Any], copy: BinaryIO, deadline: Deadline) -> Look:
        """See `Way.look`."""
        known = seen if seen.get("of") == self._fingerprint else {}
        with self._translated(), self._asked(_sendable(known.get(ETAG, "")), deadline) as answer:
            if answer.status_code == httpx2.codes.NOT_MODIFIED and known.get(ETAG):
                return self._as_before(seen)
            self._check(answer)
            copied = self._copied(answer, copy)
            as_of, etag = _instant(answer.headers.get("last-modified", "")), _sendable(answer.headers.get("etag", ""))
        if copied.sha256 == known.get("sha256"):
            return self._as_before({**seen, ETAG: etag}, TakenFile(self._file_name, as_of, made_on_asking=True))
        # what was refused is never what a later report is the same as, but nor is it refused again and again
        refused = [self._fingerprint, copied.sha256, as_of.isoformat() if as_of else ""]
        if seen.get("refused") == refused:
            return Look(dict(seen), words="The report still is the one that was refused.")
        remembered = {**seen, "of": self._fingerprint, "sha256": copied.sha256, ETAG: etag}
        remembered.pop("refused", None)
        file = TakenFile(self._file_name, as_of, made_on_asking=True)
        return Look(remembered, file, refused={**seen, "refused": refused}, last=True)

    @staticmethod
    def _as_before(seen: Mapping[str, Any], file: TakenFile | None = None) -> Look:
        return Look(dict(seen), file, "The report is the same as the last time.", last=True, unchanged=True)

    @property
    def _fingerprint(self) -> str:
        """What was asked for; when that is changed in the configuration nothing is the same as before."""
        asked = [self.settings.url, self.settings.format]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()

    @property
    def _file_name(self) -> str:
        name = PurePosixPath(httpx2.URL(self.settings.url).path).stem
        return f"{name if name.isprintable() and name else 'report'}.{self.settings.format}"

    @contextmanager
    def _asked(self, etag: str, deadline: Deadline) -> Iterator[httpx2.Response]:
        """Send the request; the body is read by whoever asks."""
        url = httpx2.URL(self.settings.url)
        address, host = pinned(url, allow_private=self.settings.allow_private, resolve=self.resolve)
        headers = {
            "host": host, "accept": ", ".join(TYPES[self.settings.format]), "user-agent": "contractor-lifecycle",
            "accept-encoding": "identity", "cache-control": "no-cache",
            **self._credential(), **({"if-none-match": etag} if etag else {}),
        }  # fmt: skip

        def guard(event: str, info: Mapping[str, Any]) -> None:
            if event == "connection.connect_tcp.complete":
                deadline.guard(info["return_value"].get_extra_info("socket"))

        extensions = {"sni_hostname": url.host, "trace": guard}
        timeout = httpx2.Timeout(self.answer_seconds, connect=CONNECT_SECONDS)
        options: dict[str, Any] = {"verify": self._verify(), "timeout": timeout, "trust_env": False}
        with (
            httpx2.Client(**options, follow_redirects=False) as client,
            client.stream("GET", address, headers=headers, extensions=extensions) as answer,
        ):
            yield answer

    def _check(self, answer: httpx2.Response) -> None:
        """Refuse everything that is not a whole report."""
        host, status = httpx2.URL(self.settings.url).host, answer.status_code
        kind = answer.headers.get("content-type", "").split(";")[0].strip().lower()
        if status in {401, 403}:
            raise CannotFetch(f"{host} answered {status}: check the credential of this source and what it may see.")
        if 300 <= status < 400:
            raise CannotFetch(
                f"{host} answered {status} and wants to lead elsewhere; redirects are not followed. It may ask for a "
                "sign-in. If the report has moved, correct url in config.toml."
            )
        if status != httpx2.codes.OK:
            raise CannotFetch(f"{host} answered {status} instead of a report. It is asked again by itself.")
        if kind not in TYPES[self.settings.format] and not (self.settings.format == "json" and kind.endswith("+json")):
            wanted = self.settings.format.upper()
            raise CannotFetch(f"{host} sent {kind or 'something without a type'} instead of {wanted}. Check url.")
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise CannotFetch(f"{host} packed the report although it was asked not to.")
        if not {"content-length", "transfer-encoding"} & answer.headers.keys():
            raise CannotFetch(f"{host} does not say how long the report is; one cut off would not be noticed.")

    def _copied(self, answer: httpx2.Response, copy: BinaryIO) -> Copied:
        """Copy the body, which is neither empty nor a page, and in the format that was asked for."""
        pieces = answer.iter_raw()
        name = f"The report of {httpx2.URL(self.settings.url).host}"
        copied = copy_up_to(lambda _: next(pieces, b""), copy, name=name, largest=self.largest)
        beginning = copy.read(BEGINNING)
        start = beginning.removeprefix(b"\xef\xbb\xbf").strip()
        copy.seek(0)
        if not start or start in _NOBODY:
            raise CannotFetch(f"{name} is empty. That means no data, never that nobody works here.")
        if start.startswith(b"<"):
            raise CannotFetch(f"{name} is a web page, perhaps one for signing in. Check url and credential.")
        kind = kind_begun_by(beginning)  # whatever its content type says: servers say text/plain of anything
        if kind != self.settings.format:
            wanted = self.settings.format.upper()
            raise CannotFetch(f"{name} is {kind.upper()} inside instead of {wanted}. Check url and format.")
        return copied

    def _credential(self) -> dict[str, str]:
        """Read the secret anew each time, so that a new one is used at once."""
        settings = self.settings
        secret = settings.password or settings.token
        if secret is None:
            return {}
        value = secret.read(self.folder)
        if not value or not value.isprintable():  # the driver's own words would show it
            raise CannotFetch("The secret is empty, or holds more than one line.")
        if settings.password is not None:
            return {"authorization": f"Basic {_encoded(settings.username, value)}"}
        if not value.isascii():
            raise CannotFetch("The token holds characters that no token has.")
        return {"authorization": f"Bearer {value}"}

    def _verify(self) -> ssl.SSLContext:
        path = self.folder / self.settings.ca_file
        try:
            return ssl.create_default_context(cafile=str(path) if self.settings.ca_file else None)
        except (OSError, ssl.SSLError) as exc:
            raise CannotFetch(f"{path} holds no certificates: {exc.strerror or exc}.") from exc

    @contextmanager
    def _translated(self) -> Iterator[None]:
        host = httpx2.URL(self.settings.url).host
        try:
            yield
        except NotToBeCalled as exc:
            raise CannotFetch(f"{exc}.") from exc
        except httpx2.TimeoutException as exc:
            raise CannotFetch(f"{host} does not answer.") from exc
        except httpx2.RemoteProtocolError as exc:
            raise CannotFetch(f"{host} broke the report off: {exc}.") from exc
        except httpx2.HTTPError as exc:
            raise CannotFetch(f"{host} cannot be reached: {exc}.") from exc


def _encoded(username: str, password: str) -> str:
    return base64.b64encode(f"{username}:{password}".encode()).decode()


def _sendable(etag: str) -> str:
    """Return what a report is known by; what cannot be sent back tells nothing."""
    return etag if etag.isascii() and etag.isprintable() else ""


def _instant(text: str) -> datetime | None:
    """Read a date as HTTP writes it; None where there is none."""
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return found.astimezone(UTC) if found.tzinfo is not None else None
