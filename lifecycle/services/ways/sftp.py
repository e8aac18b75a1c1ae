"""
Files on somebody else's SFTP server. Nothing is ever written, moved or deleted there.

The server must prove the key that is configured: no other is spoken to, and no credential leaves before it has.
"""

from __future__ import annotations

import io
import logging
import posixpath
import socket
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import paramiko

from lifecycle.domain.errors import InvalidSettings
from lifecycle.services.ways.deadline import Deadline
from lifecycle.services.ways.way import (
    CannotFetch,
    Look,
    TakenFile,
    check_name,
    copy_up_to,
    instant_of,
    is_wanted,
    too_large,
)
from lifecycle.settings import SftpSettings

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 15.0
MOST_FILES = 10_000
"""More in one folder are not looked through."""
_PROVEN_BY = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}
"""Signatures by which a key of a type is proven, where they are not called like the type."""
_KEYS: tuple[type[paramiko.PKey], ...] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)

Mark = list[int]
"""Size and time of change in seconds, as JSON keeps them."""


@dataclass(frozen=True)
class SftpWay:
    """See `lifecycle.services.ways.way.Way`."""

    settings: SftpSettings
    folder: Path
    """That secrets are relative to."""
    every_file: bool
    """Whether each file is wanted, oldest first, as of a delta; otherwise only the newest matters."""
    largest: int
    """Octets."""
    answer_seconds: float = ANSWER_SECONDS

    @property
    def place(self) -> str:
        """See `Way.place`."""
        return f"sftp://{self.settings.host}:{self.settings.port}/{self.settings.path}"

    def problems(self) -> list[str]:
        """See `Way.problems`."""
        try:
            self._credential()
        except (InvalidSettings, CannotFetch) as exc:
            return [str(exc)]
        return []

    def look(self, seen: Mapping[str, Any], copy: BinaryIO, deadline: Deadline) -> Look:
        """See `Way.look`."""
        with self._translated(), self._connected(deadline) as client:
            marks = self._marks(client)
            before = seen.get("looked", {})
            taken = {name: mark for name, mark in seen.get("taken", {}).items() if marks.get(name) == mark}
            new = sorted((mark[1], name) for name, mark in marks.items() if name not in taken)
            remembered = {**seen, "looked": {name: marks[name] for _, name in new}, "taken": taken}
            if not new:
                return Look(remembered)
            name = new[0 if self.every_file else -1][1]
            mark = marks[name]
            if before.get(name) != mark:
                words = f"{name} is there; it is taken once it no longer changes."
                return Look(remembered, words=words, settling=True)
            if not self._take(client, name, mark, copy):
                return Look(remembered, words=f"{name} has changed while it was read.", settling=True)
            done = [name] if self.every_file else [each for _, each in new]
            settled = {each: marks[each] for _, each in new if each not in done and before.get(each) == marks[each]}
            taken |= {each: marks[each] for each in done}
            file = TakenFile(name, instant_of(mark[1]))
            return Look({**seen, "looked": settled, "taken": taken}, file, last=not self.every_file)

    def _marks(self, client: paramiko.SFTPClient) -> dict[str, Mark]:
        """List the files that are wanted; links and folders are not."""
        marks: dict[str, Mark] = {}
        for count, found in enumerate(client.listdir_iter(self.settings.path)):
            if count >= MOST_FILES:
                raise CannotFetch(f"{self.place} holds more than {MOST_FILES:,} files. Have the old ones moved away.")
            if is_wanted(found.filename, self.settings.pattern) and stat.S_ISREG(found.st_mode or 0):
                check_name(found.filename, self.place)
                marks[found.filename] = _mark_of(found)
        return marks

    def _take(self, client: paramiko.SFTPClient, name: str, mark: Mark, copy: BinaryIO) -> bool:
        """Copy a file; False when it is not, or no longer, the one of *mark*."""
        if mark[0] > self.largest:
            raise too_large(name, self.largest)
        path = posixpath.join(self.settings.path, name)
        try:
            with client.open(path, "rb") as source:
                if _mark_of(source.stat()) != mark:
                    return False
                copied = copy_up_to(source.read, copy, name=name, largest=self.largest)
                return copied.size == mark[0] and _mark_of(source.stat()) == mark == _mark_of(client.lstat(path))
        except FileNotFoundError:
            return False
        except PermissionError as exc:
            raise CannotFetch(f"{self.settings.host} does not let {self.settings.username} read {path}.") from exc

    @contextmanager
    def _connected(self, deadline: Deadline) -> Iterator[paramiko.SFTPClient]:
        sign_in = self._credential()
        # what fails is said by CannotFetch; paramiko would print its traceback beside it
        logging.getLogger("paramiko").setLevel(logging.CRITICAL)
        address = (self.settings.host, self.settings.port)
        with socket.create_connection(address, timeout=CONNECT_SECONDS) as connection:
            deadline.guard(connection)
            transport = paramiko.Transport(connection)
            transport.banner_timeout = transport.handshake_timeout = self.answer_seconds
            transport.auth_timeout = transport.channel_timeout = self.answer_seconds
            try:
                self._prove_server(transport)
                self._sign_in(transport, sign_in)
                yield self._open(transport)
            finally:
                transport.close()

    def _prove_server(self, transport: paramiko.Transport) -> None:
        kind, blob = self.settings.pinned_key
        transport.get_security_options().key_types = _PROVEN_BY.get(kind, (kind,))
        try:
            transport.start_client(timeout=self.answer_seconds)
        except paramiko.IncompatiblePeer as exc:
            raise CannotFetch(
                f"{self.settings.host}, port {self.settings.port}, shows no host key of type {kind}, or has no "
                f"algorithm in common with this product: {exc}. Ask its owner for the key, out of band, and correct "
                "host_key in config.toml."
            ) from exc
        found = transport.get_remote_server_key()
        if found.asbytes() != blob:
            raise CannotFetch(
                f"{self.settings.host} shows another host key than the configured one ({found.fingerprint}). Nothing "
                "was sent. Ask its owner, out of band, whether it was replaced; only then correct host_key."
            )

    def _sign_in(self, transport: paramiko.Transport, sign_in: Callable[[paramiko.Transport], list[str]]) -> None:
        try:
            more = sign_in(transport)
        except (paramiko.BadAuthenticationType, paramiko.AuthenticationException) as exc:
            raise self._not_let_in(f"({exc})") from exc
        if more:
            raise self._not_let_in(f"with that alone: it wants {', '.join(more)} too")

    def _not_let_in(self, why: str) -> CannotFetch:
        kind = "key" if self.settings.key else "password"
        return CannotFetch(
            f"{self.settings.host} does not let {self.settings.username} in {why}. "
            f"Check username and {kind} of this source, and whether the account there is locked."
        )

    def _open(self, transport: paramiko.Transport) -> paramiko.SFTPClient:
        client = paramiko.SFTPClient.from_transport(transport)
        channel = client.get_channel() if client is not None else None
        if client is None or channel is None:
            raise CannotFetch(f"{self.settings.host} offers no SFTP.")
        channel.settimeout(self.answer_seconds)
        return client

    def _credential(self) -> Callable[[paramiko.Transport], list[str]]:
        """Read the secret anew each time, so that a new one is used at once."""
        username = self.settings.username
        if self.settings.password is not None:
            password = self.settings.password.read(self.folder)
            return lambda transport: transport.auth_password(username, password)
        assert self.settings.key is not None  # noqa: S101 - the settings hold one of the two
        key = _private_key(self.settings.key.read(self.folder))
        return lambda transport: transport.auth_publickey(username, key)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        host = f"{self.settings.host}, port {self.settings.port},"
        try:
            yield
        except TimeoutError as exc:
            raise CannotFetch(f"{host} does not answer.") from exc
        except UnicodeDecodeError as exc:
            raise CannotFetch(f"A file in {self.place} has a name that is not UTF-8. Have it renamed.") from exc
        except FileNotFoundError as exc:
            raise CannotFetch(f"There is no folder {self.settings.path} on {self.settings.host}.") from exc
        except PermissionError as exc:
            words = f"{self.settings.host} does not let {self.settings.username} look into {self.settings.path}."
            raise CannotFetch(words) from exc
        except (paramiko.SSHException, EOFError) as exc:
            raise CannotFetch(f"{host} broke the conversation off: {exc or 'the connection ended'}.") from exc
        except OSError as exc:
            raise CannotFetch(f"{host} cannot be reached: {exc.strerror or exc}.") from exc


def _mark_of(found: paramiko.SFTPAttributes) -> Mark:
    if found.st_size is None or found.st_mtime is None:
        raise CannotFetch("The server does not say how large its files are or when they changed.")
    return [found.st_size, found.st_mtime]


def _private_key(text: str) -> paramiko.PKey:
    for kind in _KEYS:
        try:
            return kind.from_private_key(io.StringIO(text + "\n"))
        except paramiko.PasswordRequiredException as exc:
            raise CannotFetch("The private key has a passphrase; give one without, readable by nobody else.") from exc
        except (paramiko.SSHException, ValueError):
            continue
    raise CannotFetch("The private key cannot be read: it is to be an OpenSSH key (ed25519, ecdsa or rsa).")
