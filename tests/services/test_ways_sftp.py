"""Files on a real OpenSSH server: who it is, who we are, and what it does while files are read."""

import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import paramiko
import pytest
from pydantic import ValidationError

from lifecycle.services.visits import Visits
from lifecycle.services.ways import sftp
from lifecycle.services.ways.deadline import Deadline
from lifecycle.services.ways.sftp import SftpWay
from lifecycle.services.ways.way import CannotFetch, Look, check_name
from lifecycle.settings import SftpSettings
from tests.conftest import need
from tests.servers.sshd import PASSWORD, Sshd
from tests.services.intake import Recorder, visits

LIMIT = 24_000_000
"""More than all that can be on its way: the window of the conversation, and what the kernel keeps of a connection."""


@dataclass
class Site:
    """One folder on the server, and what remembers."""

    server: Sshd
    folder: Path
    every_file: bool = False
    seen: dict[str, Any] = field(default_factory=dict)

    def settings(self, **changes: Any) -> dict[str, Any]:
        given = {
            "way": "sftp", "host": "127.0.0.1", "port": self.server.port, "username": self.server.user,
            "key": {"file": str(self.server.key)}, "host_key": self.server.host_key(), "path": str(self.folder),
            "pattern": "*.csv",
        }  # fmt: skip
        return {name: value for name, value in {**given, **changes}.items() if value is not None}

    def way(self, **changes: Any) -> SftpWay:
        settings = SftpSettings.model_validate(self.settings(**changes))
        return SftpWay(settings, self.folder, self.every_file, LIMIT, answer_seconds=5.0)

    def look(self, copy: Any = None, seconds: float = 20.0, **changes: Any) -> Look:
        """Look once and remember."""
        with Deadline(seconds) as deadline:
            look = self.way(**changes).look(self.seen, BytesIO() if copy is None else copy, deadline)
        self.seen = look.seen
        return look

    def put(self, name: str, content: bytes | str = "", at: int = 1_700_000_000) -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else (content or f"content of {name}").encode())
        os.utime(path, (at, at))
        return path

    def taken(self) -> list[str]:
        """Look until nothing is new, and name what was taken."""
        found = []
        for _ in range(20):
            look = self.look()
            if look.file is not None:
                found.append(look.file.name)
            elif not look.settling:
                return found
        raise AssertionError("there is no end")


@pytest.fixture
def site(sshd: Sshd, request: pytest.FixtureRequest) -> Site:
    folder = sshd.files / request.node.name.replace("/", "_")[:80].encode("ascii", "replace").decode()
    folder.mkdir()
    return Site(sshd, folder)


def refusal(site: Site, **changes: Any) -> str:
    with pytest.raises(CannotFetch) as caught:
        site.look(**changes)
    return str(caught.value)


def test_a_file_is_taken_at_the_second_look_and_stays_there(site: Site) -> None:
    site.put("roster.csv", "a,b\n")
    assert site.look().settling
    copy = BytesIO()
    look = site.look(copy)
    assert look.file is not None
    assert (look.file.name, look.file.as_of and look.file.as_of.timestamp()) == ("roster.csv", 1_700_000_000)
    assert copy.read() == b"a,b\n"
    assert site.look() == Look(site.seen)
    assert [path.name for path in site.folder.iterdir()] == ["roster.csv"]


@pytest.mark.parametrize("host_key", ["host", "host-rsa"])
def test_a_host_key_of_either_kind_is_proven(site: Site, host_key: str) -> None:
    site.put("roster.csv")
    assert site.look(host_key=site.server.host_key(host_key)).settling


def test_another_host_key_is_not_spoken_to(site: Site) -> None:
    words = refusal(site, host_key=site.server.foreign_key.with_suffix(".pub").read_text().strip())
    assert "shows another host key than the configured one (SHA256:" in words
    assert "Nothing was sent" in words


def test_a_host_key_of_another_type_is_not_spoken_to(site: Site) -> None:
    ecdsa = paramiko.ECDSAKey.generate()
    words = refusal(site, host_key=f"ecdsa-sha2-nistp256 {ecdsa.get_base64()}")
    assert "shows no host key of type ecdsa-sha2-nistp256" in words


def test_no_credential_leaves_before_the_server_has_proven_itself(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(SftpWay, "_sign_in", lambda *_: sent.append("key"))
    refusal(site, host_key=site.server.foreign_key.with_suffix(".pub").read_text().strip())
    assert sent == []


def test_a_password_lets_in_and_a_wrong_one_does_not(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    need("" if site.server.has_password else "a user with a password (run the tests as root)")
    site.put("roster.csv")
    monkeypatch.setenv("SFTP_SECRET", PASSWORD)
    given: dict[str, Any] = {"key": None, "password": {"env": "SFTP_SECRET"}}
    assert site.look(**given).settling
    monkeypatch.setenv("SFTP_SECRET", "wrong")
    words = refusal(site, **given)
    assert words.startswith(f"127.0.0.1 does not let {site.server.user} in (Authentication failed")
    assert "Check username and password" in words
    assert "wrong" not in words


def test_another_key_or_name_is_not_let_in(site: Site) -> None:
    assert "Check username and key" in refusal(site, key={"file": str(site.server.foreign_key)})
    assert "does not let nobody-here in" in refusal(site, username="nobody-here")


@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "ed25519"])
def test_keys_of_all_kinds_are_read(site: Site, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(path)], check=True)
    assert site.way(key={"file": str(path)}).problems() == []
    path.chmod(0o644)
    assert "can be read by others" in site.way(key={"file": str(path)}).problems()[0]


def test_a_key_that_cannot_be_used_is_said_so_before_anything_is_connected(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "locked"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "phrase", "-f", str(path)], check=True)
    assert "has a passphrase" in site.way(key={"file": str(path)}).problems()[0]
    path.write_text("this is no key")
    assert "cannot be read" in site.way(key={"file": str(path)}).problems()[0]
    path.unlink()
    assert "cannot be read: No such file" in site.way(key={"file": str(path)}).problems()[0]


class Meddling(BytesIO):
    """A copy during whose making something happens, once."""

    def __init__(self, what: Callable[[], object]) -> None:
        super().__init__()
        self.what: Callable[[], object] | None = what

    def write(self, data: Any) -> int:
        if self.what is not None:
            self.what()
            self.what = None
        return super().write(data)


def longer(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


@pytest.mark.parametrize(
    "what",
    [
        longer,
        lambda path: os.truncate(path, 10),
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b"b" * 500_000),
    ],
    ids=["grows", "shrinks", "vanishes", "is written anew"],
)
def test_a_file_that_changes_while_it_is_read_is_not_taken(site: Site, what: Callable[[Path], object]) -> None:
    path = site.put("roster.csv", b"a" * 500_000)
    site.look()
    look = site.look(Meddling(lambda: what(path)))
    assert look.file is None
    assert look.words == "roster.csv has changed while it was read."


def test_a_file_that_vanishes_between_listing_and_reading_is_not_taken(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = site.put("roster.csv")
    site.look()
    listed = SftpWay._marks

    def then_gone(way: SftpWay, client: paramiko.SFTPClient) -> Any:
        marks = listed(way, client)
        path.unlink()
        return marks

    with monkeypatch.context() as patch:
        patch.setattr(SftpWay, "_marks", then_gone)
        assert site.look().file is None
    assert site.look().words == "There is nothing new."


def test_a_file_that_is_still_written_to_waits(site: Site) -> None:
    for size in (1, 2, 3):
        site.put("roster.csv", b"a" * size)
        assert site.look().settling
    assert site.taken() == ["roster.csv"]


@pytest.mark.parametrize("stage", ["before it says who it is", "while a file is read"])
def test_a_server_that_hangs_is_given_up(site: Site, stage: str) -> None:
    site.put("roster.csv", b"a" * 500_000)
    site.look()
    if stage.startswith("before"):
        site.server.pause()
        try:
            assert "127.0.0.1" in refusal(site, seconds=2.0)
        finally:
            site.server.resume()
    else:
        assert "127.0.0.1" in refusal(site, copy=Meddling(site.server.pause_sessions), seconds=2.0)
        site.server.end_sessions()
    assert site.look().file is not None, "nothing was remembered of it"


def test_a_server_that_dies_while_a_file_is_read_delivers_nothing(site: Site) -> None:
    site.put("roster.csv", b"a" * LIMIT)  # what is on its way already when it dies is not all of it
    site.look()
    assert "broke the conversation off" in refusal(site, copy=Meddling(site.server.end_sessions))
    assert site.look().file is not None


def test_a_server_that_is_gone_is_said_so(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert refusal(site, port=port) == f"127.0.0.1, port {port}, cannot be reached: Connection refused."
    assert "cannot be reached" in refusal(site, host="nowhere.invalid")


@pytest.fixture
def talker() -> Iterator[Callable[[bytes], int]]:
    """Something that listens, says a few words, and keeps the line open."""
    open_ = []

    def talk(words: bytes) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        open_.append(server)

        def answer() -> None:
            connection, _ = server.accept()
            open_.append(connection)
            connection.sendall(words)

        threading.Thread(target=answer, daemon=True).start()
        port: int = server.getsockname()[1]
        return port

    yield talk
    for each in open_:
        each.close()


@pytest.mark.parametrize(
    "words", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n" + b"\xff" * 400, b"SSH-1.5-old\r\n"]
)
def test_something_else_than_an_ssh_server_is_said_so(site: Site, talker: Callable[[bytes], int], words: bytes) -> None:
    assert "127.0.0.1, port" in refusal(site, port=talker(words), seconds=3.0)


def test_a_file_over_the_limit_is_not_fetched(site: Site) -> None:
    site.put("huge.csv", b"a" * (LIMIT + 1))
    site.look()
    copy = BytesIO()
    assert "huge.csv is larger than" in refusal(site, copy=copy)
    assert copy.getvalue() == b""


@pytest.mark.parametrize("name", ["ünïcode 名簿.csv", "e\u0301tat.csv", "a'b\"c;d.csv", "[x] (1).csv", "..csv.csv"])
def test_names_of_all_kinds(site: Site, name: str) -> None:
    site.put(name)
    assert site.taken() == ([name] if not name.startswith(".") else [])


def test_a_name_that_cannot_be_shown_is_said_so(site: Site) -> None:
    path = site.put("a\nb.csv")
    assert "unusable characters: 'a\\nb.csv'" in refusal(site)
    path.unlink()
    site.put("a\\..\\b.csv")
    assert "unusable characters" in refusal(site)
    (site.folder / "a\\..\\b.csv").unlink()
    (site.folder / os.fsdecode(b"\xff.csv")).write_text("x")
    assert "not UTF-8" in refusal(site)


def test_links_folders_and_what_lies_elsewhere_are_left_alone(site: Site) -> None:
    secret = site.put("secret.txt")
    (site.folder / "link.csv").symlink_to(secret)
    (site.folder / "up.csv").symlink_to("..")
    (site.folder / "folder.csv").mkdir()
    (site.folder / "folder.csv/inner.csv").write_text("x")
    for name in (".hidden.csv", "a.csv.part", "b.csv.filepart"):
        site.put(name)
    assert site.look() == Look({"looked": {}, "taken": {}})


def test_a_link_that_takes_the_place_of_a_file_is_not_taken(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = site.put("secret.txt", b"x" * 16)
    path = site.put("roster.csv", b"y" * 16)
    site.look()
    path.unlink()
    path.symlink_to(secret)
    monkeypatch.setattr(SftpWay, "_marks", lambda *_: {"roster.csv": [16, 1_700_000_000]})
    assert site.look().file is None


@pytest.mark.parametrize("name", ["a/../up.csv", "/etc/passwd.csv", "..\\up.csv"])
def test_a_name_that_leads_elsewhere_is_not_believed(name: str) -> None:
    with pytest.raises(CannotFetch, match="unusable characters"):
        check_name(name, "sftp://there")


def test_of_full_files_only_the_newest_counts(site: Site) -> None:
    for number in range(3):
        site.put(f"{number}.csv", at=1_700_000_000 + number)
    assert site.taken() == ["2.csv"]
    assert site.taken() == []
    site.put("3.csv", at=1_700_000_003)
    assert site.taken() == ["3.csv"]
    site.put("3.csv", "written anew", at=1_700_000_004)
    assert site.taken() == ["3.csv"]
    site.put("late.csv", at=1_600_000_000)
    assert site.taken() == ["late.csv"], "whether it is too old is not decided here"
    assert site.taken() == []


def test_of_deltas_each_counts_and_the_oldest_comes_first(site: Site) -> None:
    site.every_file = True
    for number in (2, 0, 1):
        site.put(f"{number}.csv", at=1_700_000_000 + number)
    assert site.taken() == ["0.csv", "1.csv", "2.csv"]
    site.put("late.csv", at=1_600_000_000)
    assert site.taken() == ["late.csv"]


def test_what_is_gone_from_the_server_is_forgotten(site: Site) -> None:
    path = site.put("0.csv")
    site.taken()
    path.unlink()
    site.look()
    assert site.seen == {"looked": {}, "taken": {}}


def test_a_folder_that_is_not_there_or_too_full_is_said_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "There is no folder /nowhere on 127.0.0.1" in refusal(site, path="/nowhere")
    monkeypatch.setattr(sftp, "MOST_FILES", 2)
    for number in range(3):
        site.put(f"{number}.csv")
    assert "holds more than 2 files" in refusal(site)


def test_a_folder_or_file_that_may_not_be_read_is_said_so(site: Site) -> None:
    path = site.put("roster.csv")
    path.chmod(0)
    site.look()
    assert f"does not let {site.server.user} read" in refusal(site)
    site.folder.chmod(0)
    assert f"does not let {site.server.user} look into" in refusal(site)
    site.folder.chmod(0o755)


def looking(site: Site, tmp_path: Path, recorder: Recorder, profile: str) -> Visits:
    return visits(tmp_path, recorder, {"wand": {"profile": profile, "location": site.settings()}})


def test_the_whole_road(site: Site, tmp_path: Path) -> None:
    recorder = Recorder()
    watching = looking(site, tmp_path, recorder, "plain")
    site.put("roster.csv", "the content")
    watching.look("wand")
    assert watching.look("wand").words == ("roster.csv was applied.",)
    assert watching.look("wand").words == ("There is nothing new.",)
    assert recorder.delivered == [("roster.csv", b"the content")]
    assert recorder.calls[0]["way"] == "sftp"
    site.server.stop()
    assert watching.look("wand").failed
    site.server.start()
    assert not watching.look("wand").failed
    kinds = [note[0] for note in recorder.notes if note[0] != "checked"]
    assert kinds == ["answered", "answered", "answered", "failed", "answered"]


def test_a_delta_that_waits_for_a_person_keeps_the_later_ones_waiting(site: Site, tmp_path: Path) -> None:
    """Applied in another order, the earlier would be refused as older, and what it says be lost."""
    recorder = Recorder(states={"1.csv": "held"})
    watching = looking(site, tmp_path, recorder, "delta")
    for number in range(3):
        site.put(f"{number}.csv", at=1_700_000_000 + number)
    watching.look("wand")
    visit = watching.look("wand")
    assert recorder.names == ["0.csv", "1.csv"]
    assert visit.words[-1] == "The last file waits for a person; those after it are taken when that is decided."
    watching.look("wand")
    assert recorder.names == ["0.csv", "1.csv"]
    held = next(id_ for id_, upload in recorder.uploads.items() if upload.state == "held")
    del recorder.uploads[held]
    watching.look("wand")
    assert recorder.names == ["0.csv", "1.csv", "2.csv"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"host_key": "ssh-ed25519"}, "ssh-keyscan"),
        ({"host_key": "ssh-dss AAAA"}, "ssh-keyscan"),
        ({"host_key": "ssh-ed25519 AAAAB3NzaC1yc2E="}, "no key of type ssh-ed25519"),
        ({"host_key": "ssh-ed25519 AAA!"}, "cut off or mistyped"),
        ({"key": None}, "give a password or a key"),
        ({"password": {"env": "X"}}, "give a password or a key"),
        ({"password": "hunter2", "key": None}, "a secret is never written here"),
        ({"pattern": "../*"}, "no pattern of file names"),
    ],
)
def test_a_wrong_configuration_is_named(site: Site, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        site.way(**changes)
