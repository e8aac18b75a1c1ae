"""What is told, over a real SMTP server with TLS, real HTTP calls, and what happens when nobody answers."""

import base64
import hashlib
import hmac
import json
import ssl
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from wsgiref.simple_server import make_server

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from lifecycle.services.chats import Chats
from lifecycle.services.delivery import Delivery, NotDelivered, Told
from lifecycle.services.hooks import Hooks
from lifecycle.services.notices import Notice, Topic
from lifecycle.services.outward import is_public
from lifecycle.settings import HookSettings, NoticeSettings
from lifecycle.store import notices
from tests.servers.certificates import Certificates
from tests.servers.liar import Quiet
from tests.servers.ports import free_port
from tests.services.world import World, utc

TOLD = Told("7", "grant", "Something", "Körper", "https://x/y", "request:GR-1", utc(2026, 3, 2))


@dataclass
class Mailbox:
    """Keeps what it is given; refuses whom it is told to."""

    port: int = 0
    messages: list[tuple[str, Any]] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)

    async def handle_RCPT(self, _: Any, __: Any, envelope: Any, address: str, ___: Any) -> str:  # noqa: N802
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:  # noqa: N802
        message = message_from_bytes(envelope.content, policy=policy.default)
        self.messages += [(address, message) for address in envelope.rcpt_tos]
        return "250 taken"


@pytest.fixture
def mailbox(certificates: Certificates) -> Iterator[Mailbox]:
    """A server that takes mail after STARTTLS and a password only."""
    box = Mailbox(free_port())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.certificate, certificates.key)

    def authenticate(*arguments: Any) -> AuthResult:
        return AuthResult(success=arguments[-1].password == b"mail-secret")

    controller = Controller(
        box, hostname="127.0.0.1", port=box.port, tls_context=context, require_starttls=True, auth_required=True,
        authenticator=authenticate,
    )  # fmt: skip
    controller.start()
    yield box
    controller.stop()


def world_with(tmp_path: Path, **settings: Any) -> World:
    return World(f"sqlite:///{tmp_path}/notices.db", changes={"notices": settings})


def smtp(port: int, ca: Path, **changes: Any) -> dict[str, Any]:
    return {
        "host": "localhost", "port": port, "ca_file": str(ca), "username": "lifecycle",
        "password": {"env": "SMTP_SECRET"}, "sender": "Lifecycle <access@example.com>", **changes,
    }  # fmt: skip


def tell(world: World, subject: str, *recipients: str, dedupe: str = "", topic: Topic = Topic.GRANT) -> None:
    notice = Notice(topic, subject, "Why: ünïcode", "/requests/GR-1", "request:GR-1", dedupe=dedupe)
    with world.runtime.store.write() as unit:
        world.runtime.notices.tell(unit, notice, recipients, world.clock.now())


@pytest.fixture
def world(
    mailbox: Mailbox, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    monkeypatch.setenv("SMTP_SECRET", "mail-secret")
    world = world_with(tmp_path, smtp=smtp(mailbox.port, certificates.ca))
    yield world
    world.close()


def test_what_belongs_to_one_person_goes_out_as_one_message(world: World, mailbox: Mailbox) -> None:
    for n in range(30):
        tell(world, f"Request {n}", "ada@example.com", "ADA@example.com", "grace@example.com", "", "no address")
    assert world.runtime.delivery.run() == 0, "what is not urgent waits a moment for what belongs to it"
    world.clock.move(seconds=20)
    assert world.runtime.delivery.run() == 60
    assert [address for address, _ in mailbox.messages] == ["ada@example.com", "grace@example.com"]
    message = mailbox.messages[0][1]
    assert message["Subject"] == "30 things need you"
    text = message.get_content()
    assert "Request 29" in text
    assert "Why: ünïcode" in text
    assert "http://localhost:8731/requests/GR-1" in text
    assert world.runtime.delivery.run() == 0


def test_the_same_is_told_once(world: World, mailbox: Mailbox) -> None:
    for _ in range(3):
        tell(world, "Once", "ada@example.com", dedupe="once")
    world.clock.move(minutes=1)
    world.runtime.delivery.run()
    tell(world, "Once", "ada@example.com", dedupe="once")
    world.clock.move(minutes=1)
    world.runtime.delivery.run()
    assert len(mailbox.messages) == 1


def test_a_line_break_in_a_name_makes_no_header(world: World, mailbox: Mailbox) -> None:
    tell(world, "Name\r\nBcc: everybody@example.com", "ada@example.com")
    world.clock.move(minutes=1)
    world.runtime.delivery.run()
    message = mailbox.messages[0][1]
    assert message["Bcc"] is None
    assert message["Subject"] == "Name Bcc: everybody@example.com"


@pytest.mark.parametrize("answer", ["550 no such mailbox", "451 try later"])
def test_one_who_cannot_be_told_delays_nobody_and_is_tried_for_ever(
    world: World, mailbox: Mailbox, answer: str
) -> None:
    mailbox.refuse["gone@example.com"] = answer
    tell(world, "Hello", "gone@example.com", "ada@example.com")
    for _ in range(12):
        world.clock.move(hours=1, minutes=1)
        world.runtime.delivery.run()
    assert [address for address, _ in mailbox.messages] == ["ada@example.com"]
    with world.runtime.store.read() as unit:
        channel, recipient, count, since, why = notices.failing(unit)[0]
    assert (channel, recipient, count) == ("mail", "gone@example.com", 1)
    assert answer[:3] in why
    assert since == utc(2026, 3, 2, 10, 1)
    mailbox.refuse.clear()
    world.clock.move(hours=1, minutes=1)
    assert world.runtime.delivery.run() == 1
    with world.runtime.store.read() as unit:
        assert notices.failing(unit) == []


def test_mail_is_never_sent_in_the_clear_or_to_an_unknown_server(
    mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certificates: Certificates
) -> None:
    monkeypatch.setenv("SMTP_SECRET", "mail-secret")
    other = make_other_ca(tmp_path)
    for settings in (
        smtp(mailbox.port, other),
        smtp(free_port(), certificates.ca),
        smtp(mailbox.port, certificates.ca, username=""),
    ):
        world = world_with(tmp_path, smtp=settings)
        tell(world, "Secret", "ada@example.com")
        world.clock.move(minutes=1)
        assert world.runtime.delivery.run() == 0
        world.close()
    assert mailbox.messages == []
    with pytest.raises(ValueError, match="must be protected"):
        NoticeSettings.model_validate({"smtp": {**smtp(25, other), "host": "mail.example.com", "tls": "none"}})


def make_other_ca(folder: Path) -> Path:
    from tests.servers.certificates import make_certificates

    (folder / "other").mkdir(exist_ok=True)
    return make_certificates(folder / "other").ca


def test_messages_wait_where_there_is_no_server(tmp_path: Path) -> None:
    world = world_with(tmp_path)
    tell(world, "Patience", "ada@example.com")
    world.clock.move(minutes=1)
    assert world.runtime.delivery.run() == 0
    with world.runtime.store.read() as unit:
        assert notices.waiting(unit, "mail") == 1
    world.close()


@dataclass
class Receiver:
    """A hook's other side."""

    url: str = ""
    status: str = "204 No Content"
    headers: list[tuple[str, str]] = field(default_factory=list)
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    def app(environ: dict[str, Any], start: Any) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        sent = {k[5:].replace("_", "-").lower(): v for k, v in environ.items() if k.startswith("HTTP_")}
        receiver.calls.append((sent, body))
        start(receiver.status, receiver.headers)
        return []

    server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield receiver
    server.shutdown()
    server.server_close()


def hooks(url: str, *, allow_private: bool = True, **options: Any) -> Hooks:
    settings = {"url": url, "secret": {"env": "X"}, "allow_private": allow_private}
    return Hooks({"siem": HookSettings.model_validate(settings)}, {"siem": "hook-secret"}, Path(), **options)


def test_a_hook_is_signed_and_a_receiver_can_check_it(receiver: Receiver) -> None:
    hooks(receiver.url).send("siem", [TOLD])
    headers, body = receiver.calls[0]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(b"hook-secret", signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-id"] == "notice-7"
    assert json.loads(body)["data"]["body"] == "Körper"


def test_redirects_are_not_followed_and_errors_are_failures(receiver: Receiver) -> None:
    receiver.status, receiver.headers = "302 Found", [("Location", receiver.url + "/elsewhere")]
    with pytest.raises(NotDelivered, match="redirects are not followed"):
        hooks(receiver.url).send("siem", [TOLD])
    assert len(receiver.calls) == 1
    receiver.status = "500 Broken"
    with pytest.raises(NotDelivered, match="500"):
        hooks(receiver.url).send("siem", [TOLD])


@pytest.mark.parametrize(
    "inside",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "::1",
        "fd00::1",
        "::ffff:10.0.0.1",
        "0.0.0.0",
        "192.0.0.8",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "fec0::1",
        "::127.0.0.1",
        "ff02::1",
    ],
)
def test_a_name_that_leads_inside_is_not_called(receiver: Receiver, inside: str) -> None:
    assert not is_public(inside)
    with pytest.raises(NotDelivered, match="inside the own network"):
        hooks("https://hooks.example.com/x", allow_private=False, resolve=lambda *_: [inside]).send("siem", [TOLD])
    with pytest.raises(NotDelivered, match="inside the own network"):
        hooks("https://hooks.example.com/x", allow_private=False, resolve=lambda *_: ["93.184.216.34", inside]).send(
            "siem", [TOLD]
        )
    assert receiver.calls == []


def test_a_name_is_resolved_once_and_that_address_is_called(receiver: Receiver) -> None:
    """A second answer to the same question must not lead elsewhere (DNS rebinding)."""
    asked: list[str] = []

    def resolve(host: str, _: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    url = receiver.url.replace("127.0.0.1", "hooks.example.com")
    hooks(url, resolve=resolve).send("siem", [TOLD])
    assert asked == ["hooks.example.com"]
    assert receiver.calls[0][0]["host"].startswith("hooks.example.com:")


def test_a_hook_hears_its_topics_one_call_each(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", "hook-secret")
    hook = {"url": receiver.url, "secret": {"env": "HOOK_SECRET"}, "allow_private": True, "topics": ["grant"]}
    world = world_with(tmp_path, hooks={"siem": hook})
    tell(world, "One")
    tell(world, "Two")
    tell(world, "Not this", topic=Topic.MEMBERS)
    assert world.runtime.delivery.run() == 2
    assert [json.loads(body)["data"]["subject"] for _, body in receiver.calls] == ["One", "Two"]
    world.close()


def test_a_chat_is_told_through_apprise(receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_URL", receiver.url.replace("http://", "json://"))
    world = world_with(tmp_path, chats={"team": {"url": {"env": "CHAT_URL"}}})
    receiver.status = "200 OK"
    tell(world, "One")
    tell(world, "Two")
    world.clock.move(minutes=1)
    assert world.runtime.delivery.run() == 2
    assert len(receiver.calls) == 1, "what belongs together is one message here too"
    assert b"Two" in receiver.calls[0][1]
    world.close()


def test_without_the_extra_a_chat_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(NotDelivered, match="need the extra"):
        Chats({"team": "json://127.0.0.1"}).send("team", [TOLD])


def test_a_chat_that_cannot_be_told_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_URL", "json://127.0.0.1:9/")
    world = world_with(tmp_path, chats={"team": {"url": {"env": "CHAT_URL"}}})
    tell(world, "Hello")
    world.clock.move(minutes=1)
    assert world.runtime.delivery.run() == 0
    with world.runtime.store.read() as unit:
        assert [(c, r) for c, r, *_ in notices.failing(unit)] == [("chat", "team")]
    world.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://hooks.example.com"},
        {"url": "https://user:secret@hooks.example.com"},
        {"url": "ftp://x"},
        {"secret": "written down"},
    ],
)
def test_unsafe_hooks_stop_the_program(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        HookSettings.model_validate({"url": "https://hooks.example.com", "secret": {"env": "X"}, **wrong})


def test_a_crash_between_telling_and_noting_tells_again(
    world: World, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(world, "At least once", "ada@example.com")
    world.clock.move(minutes=1)
    monkeypatch.setattr(notices, "delivered", lambda *_: 1 / 0)
    delivery: Delivery = world.runtime.delivery
    with pytest.raises(ZeroDivisionError):
        delivery.run()
    monkeypatch.undo()
    world.clock.move(minutes=1)
    assert delivery.run() == 1
    assert len(mailbox.messages) == 2


def test_a_dead_server_is_asked_once_and_delays_no_other_channel(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certificates: Certificates
) -> None:
    monkeypatch.setenv("SMTP_SECRET", "mail-secret")
    monkeypatch.setenv("HOOK_SECRET", "hook-secret")
    hook = {"url": receiver.url, "secret": {"env": "HOOK_SECRET"}, "allow_private": True}
    world = world_with(tmp_path, smtp=smtp(free_port(), certificates.ca), hooks={"siem": hook})
    tell(world, "Hello", *(f"p{n}@example.com" for n in range(200)))
    world.clock.move(minutes=1)
    connected: list[int] = []
    mail = world.runtime.delivery.channels["mail"]
    real = mail._connect
    monkeypatch.setattr(mail, "_connect", lambda: (connected.append(1), real())[1])
    assert world.runtime.delivery.run() == 1
    assert len(connected) == 1
    assert len(receiver.calls) == 1
    with world.runtime.store.read() as unit:
        assert notices.waiting(unit, "mail") == 200
        assert notices.due(unit, world.clock.now()) == []
    world.close()


@pytest.mark.parametrize(
    "address", ["w1@", "a@[", "a\nb@example.com", "@", "ünï@example.com", "w1@example.com, spy@evil.example"]
)
def test_what_is_no_address_delays_nobody(world: World, mailbox: Mailbox, address: str) -> None:
    tell(world, "Hello", address, "ada@example.com")
    world.clock.move(minutes=1)
    world.runtime.delivery.run()
    assert [to for to, _ in mailbox.messages if to == "ada@example.com"] == ["ada@example.com"]


def test_hooks_are_called_where_mail_waits_for_a_server(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", "hook-secret")
    hook = {"url": receiver.url, "secret": {"env": "HOOK_SECRET"}, "allow_private": True}
    world = world_with(tmp_path, hooks={"siem": hook})
    tell(world, "Hello", *(f"p{n}@example.com" for n in range(501)))
    world.clock.move(minutes=1)
    assert world.runtime.delivery.run() == 1
    world.close()
