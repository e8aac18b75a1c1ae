"""Reports over real HTTP and HTTPS: what is no report is never taken for a roster in which nobody works."""

import base64
import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from lifecycle.services.ways.deadline import Deadline
from lifecycle.services.ways.https import HttpsWay
from lifecycle.services.ways.way import CannotFetch, Look
from lifecycle.settings import HttpsSettings
from tests.servers.certificates import Certificates, make_certificates
from tests.services.intake import Recorder, visits
from tests.services.world import utc

LIMIT = 100_000
CSV = b"worker,name\nW1,Ada\n"


@dataclass
class Service:
    """What the server says, and what it was asked."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/csv; charset=utf-8"})
    body: bytes = CSV
    write: Callable[[Any], None] | None = None
    """Writes the whole answer itself."""
    answer_same: bool = False
    """Whether it answers 304 to whoever names its ETag."""
    asked: list[dict[str, str]] = field(default_factory=list)
    port: int = 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: Service

    def do_GET(self) -> None:
        service = self.service
        service.asked.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
        self.close_connection = True
        if service.write is not None:
            service.write(self)
            return
        if service.answer_same and self.headers.get("if-none-match") == service.headers["ETag"]:
            self.send_response(304)
            self.end_headers()
            return
        self.send_response(service.status)
        for name, value in service.headers.items():
            self.send_header(name, value)
        if "Transfer-Encoding" not in service.headers:
            self.send_header("Content-Length", str(len(service.body)))
        self.end_headers()
        self.wfile.write(service.body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is what many of these tests are about."""


def serve(context: ssl.SSLContext | None = None) -> Iterator[Service]:
    service = Service()
    server = Server(("127.0.0.1", 0), type("Own", (Handler,), {"service": service}))
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    service.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield service
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


@pytest.fixture
def plain() -> Iterator[Service]:
    yield from serve()


@pytest.fixture
def secure(certificates: Certificates) -> Iterator[Service]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.certificate, certificates.key)
    yield from serve(context)


def way(service: Service, tmp_path: Path, **changes: Any) -> HttpsWay:
    url = f"http://127.0.0.1:{service.port}/reports/workers?format=csv"
    settings = HttpsSettings.model_validate({"way": "https", "url": url, "allow_private": True, **changes})
    return HttpsWay(settings, tmp_path, LIMIT, answer_seconds=5.0)


def look(looking: HttpsWay, seen: dict[str, Any] | None = None, seconds: float = 20.0) -> tuple[Look, bytes]:
    copy = BytesIO()
    with Deadline(seconds) as deadline:
        found = looking.look(seen or {}, copy, deadline)
    return found, copy.read()


def refusal(looking: HttpsWay, **options: Any) -> str:
    with pytest.raises(CannotFetch) as caught:
        look(looking, **options)
    return str(caught.value)


def test_a_report_is_taken_with_the_time_it_was_made(plain: Service, tmp_path: Path) -> None:
    plain.headers["Last-Modified"] = "Mon, 02 Mar 2026 08:00:00 GMT"
    found, content = look(way(plain, tmp_path))
    assert content == CSV
    assert found.file is not None
    assert (found.file.name, found.file.as_of) == ("workers.csv", utc(2026, 3, 2, 8))
    assert plain.asked[0]["path"] == "/reports/workers?format=csv"
    assert plain.asked[0]["host"] == f"127.0.0.1:{plain.port}"
    assert plain.asked[0]["accept-encoding"] == "identity"


def test_tls_is_checked_against_the_ca_given(secure: Service, tmp_path: Path, certificates: Certificates) -> None:
    url = f"https://localhost:{secure.port}/report"
    assert look(way(secure, tmp_path, url=url, ca_file=str(certificates.ca)))[1] == CSV
    other = tmp_path / "other"
    other.mkdir()
    foreign = make_certificates(other)
    for ca_file in (str(foreign.ca), ""):
        words = refusal(way(secure, tmp_path, url=url, ca_file=ca_file))
        assert words.startswith("localhost cannot be reached: ")
        assert "certificate" in words.lower()
    assert len(secure.asked) == 1, "nothing was sent to whom nobody vouches for"


def test_a_certificate_of_another_name_is_refused(secure: Service, tmp_path: Path, certificates: Certificates) -> None:
    url = f"https://reports.example.com:{secure.port}/report"
    looking = way(secure, tmp_path, url=url, ca_file=str(certificates.ca))
    object.__setattr__(looking, "resolve", lambda *_: ["127.0.0.1"])
    assert "certificate" in refusal(looking).lower()
    assert secure.asked == []


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (
            {"username": "ISU", "password": {"env": "REPORT"}},
            "Basic " + base64.b64encode("ISU:gehéim".encode()).decode(),
        ),
        ({"token": {"env": "TOKEN"}}, "Bearer abc.def"),
        ({}, None),
    ],
)
def test_credentials_come_by_reference(
    plain: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], sent: str | None
) -> None:
    monkeypatch.setenv("REPORT", "gehéim")
    monkeypatch.setenv("TOKEN", "abc.def")
    look(way(plain, tmp_path, **given))
    assert plain.asked[0].get("authorization") == sent


def test_a_secret_that_cannot_be_sent_is_not_shown(
    plain: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for secret in ("two\nlines", "", "tökén"):
        monkeypatch.setenv("TOKEN", secret)
        looking = way(plain, tmp_path, token={"env": "TOKEN"})
        words = refusal(looking)
        assert words in {
            "The secret is empty, or holds more than one line.",
            "The token holds characters that no token has.",
        }
        assert looking.problems() == [words]
    monkeypatch.delenv("TOKEN")
    assert way(plain, tmp_path, token={"env": "TOKEN"}).problems() == ["the environment variable TOKEN is not set"]
    assert "holds no certificates" in way(plain, tmp_path, ca_file="nowhere.pem").problems()[0]
    assert plain.asked == []


@pytest.mark.parametrize(
    ("status", "headers", "says"),
    [
        (302, {"Location": "https://login.example.com/"}, "redirects are not followed"),
        (301, {"Location": "/elsewhere"}, "redirects are not followed"),
        (304, {}, "redirects are not followed"),
        (401, {}, "check the credential"),
        (403, {}, "check the credential"),
        (404, {}, "answered 404 instead of a report"),
        (500, {}, "answered 500 instead of a report"),
        (503, {}, "answered 503 instead of a report"),
        (204, {}, "answered 204 instead of a report"),
        (206, {}, "answered 206 instead of a report"),
    ],
)
def test_another_status_is_no_report(
    plain: Service, tmp_path: Path, status: int, headers: dict[str, str], says: str
) -> None:
    plain.status, plain.headers = status, {**plain.headers, **headers}
    if status in {204, 304}:
        plain.body = b""
    assert says in refusal(way(plain, tmp_path))
    assert len(plain.asked) == 1


@pytest.mark.parametrize(
    "kind", ["text/html", "application/json", "application/octet-stream", "", "text/csvx", "image/png"]
)
def test_another_content_type_is_no_csv(plain: Service, tmp_path: Path, kind: str) -> None:
    plain.headers = {"Content-Type": kind} if kind else {}
    assert "instead of CSV" in refusal(way(plain, tmp_path))


@pytest.mark.parametrize("start", [b"<!DOCTYPE html>", b"\xef\xbb\xbf  \r\n<html>", b"<?xml version='1.0'?>"])
def test_a_sign_in_page_with_200_that_calls_itself_csv_is_no_report(
    plain: Service, tmp_path: Path, start: bytes
) -> None:
    plain.body = start + b"<title>Sign in</title>"
    assert "is a web page, perhaps one for signing in" in refusal(way(plain, tmp_path))


@pytest.mark.parametrize(
    ("wanted", "kind", "body", "found"),
    [
        ("csv", "text/csv", b'\xef\xbb\xbf {"Report_Entry": []}', "JSON"),
        ("csv", "text/plain", b'[{"worker": "W1"}]', "JSON"),
        ("csv", "text/csv", b"PK\x03\x04rest of a workbook", "XLSX"),
        ("json", "application/json", CSV, "CSV"),
        ("json", "application/json", b"PK\x03\x04rest of a workbook", "XLSX"),
    ],
)
def test_a_body_in_another_format_than_its_content_type_says_is_no_report(
    plain: Service, tmp_path: Path, wanted: str, kind: str, body: bytes, found: str
) -> None:
    plain.headers, plain.body = {"Content-Type": kind}, body
    assert f"is {found} inside instead of {wanted.upper()}. Check url and format." in refusal(
        way(plain, tmp_path, format=wanted)
    )


@pytest.mark.parametrize("body", [b"", b"\n", b"\xef\xbb\xbf", b"  \r\n \t"])
def test_an_empty_body_means_no_data(plain: Service, tmp_path: Path, body: bytes) -> None:
    plain.body = body
    assert "means no data, never that nobody works here" in refusal(way(plain, tmp_path))


def test_a_report_over_the_limit_is_refused_while_it_arrives(plain: Service, tmp_path: Path) -> None:
    plain.body = b"x" * LIMIT
    assert len(look(way(plain, tmp_path))[1]) == LIMIT
    plain.body += b"x"
    assert "is larger than" in refusal(way(plain, tmp_path))
    plain.headers["Transfer-Encoding"] = "chunked"
    sent = []

    def endless(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/csv")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for _ in range(100_000):
            handler.wfile.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
            sent.append(1024)

    plain.write = endless
    assert "is larger than" in refusal(way(plain, tmp_path))
    assert sum(sent) < 50 * LIMIT + 20_000_000


def broken(handler: Any, *pieces: bytes) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n" + b"".join(pieces))


@pytest.mark.parametrize(
    "pieces",
    [
        (b"Transfer-Encoding: chunked\r\n\r\n5\r\nwork", ),
        (b"Transfer-Encoding: chunked\r\n\r\n5\r\nworke\r\n", ),
        (b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n", ),
        (b"Content-Length: 1000\r\n\r\n", CSV),
        (b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", CSV),
        (b"Content-Length: 5\r\n", ),
    ],
    ids=["in a chunk", "between chunks", "no chunk", "too short", "two lengths", "in the headers"],
)  # fmt: skip
def test_a_body_that_is_cut_off_is_no_report(plain: Service, tmp_path: Path, pieces: tuple[bytes, ...]) -> None:
    plain.write = lambda handler: broken(handler, *pieces)
    assert "broke the report off" in refusal(way(plain, tmp_path))


def test_a_body_without_a_length_is_no_report(plain: Service, tmp_path: Path) -> None:
    plain.write = lambda handler: broken(handler, b"\r\n", CSV)
    assert "does not say how long the report is" in refusal(way(plain, tmp_path))


def test_a_packed_body_is_no_report(plain: Service, tmp_path: Path) -> None:
    plain.headers["Content-Encoding"], plain.body = "gzip", gzip.compress(CSV)
    assert "packed the report" in refusal(way(plain, tmp_path))


@pytest.mark.parametrize("where", ["in the headers", "in the body"])
def test_a_slow_drip_ends_at_the_deadline(plain: Service, tmp_path: Path, where: str) -> None:
    """Every single byte comes in time; only the whole does not."""
    stop = threading.Event()

    def drip(handler: Any) -> None:
        start = b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n"
        handler.wfile.write(start + (b"" if where == "in the headers" else b"Content-Length: 9999\r\n\r\n"))
        while not stop.wait(0.05):
            handler.wfile.write(b"x")

    plain.write = drip
    with Deadline(0.6) as deadline:
        with pytest.raises(CannotFetch):
            way(plain, tmp_path).look({}, BytesIO(), deadline)
        assert deadline.passed
    stop.set()


def test_a_deadline_also_ends_a_handshake_that_never_comes_to_its_end(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        service = Service(port=silent.getsockname()[1])
        url = f"https://localhost:{service.port}/report"
        assert "localhost" in refusal(way(service, tmp_path, url=url), seconds=0.6)


def test_a_server_that_is_gone_or_not_known_is_said_so(plain: Service, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert "cannot be reached" in refusal(way(plain, tmp_path, url=f"http://127.0.0.1:{port}/x"))
    assert "is not known" in refusal(way(plain, tmp_path, url="https://reports.invalid/x"))


def test_a_name_that_leads_inside_is_not_called_unless_that_is_allowed(plain: Service, tmp_path: Path) -> None:
    assert "allow_private is not set" in refusal(way(plain, tmp_path, allow_private=False))
    assert plain.asked == []


def test_a_name_is_resolved_once_and_that_address_is_called(plain: Service, tmp_path: Path) -> None:
    asked: list[str] = []

    def resolve(host: str, _: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    looking = way(plain, tmp_path, url=f"http://localhost:{plain.port}/x")
    object.__setattr__(looking, "resolve", resolve)
    look(looking)
    assert asked == ["localhost"]
    assert plain.asked[0]["host"] == f"localhost:{plain.port}"


def test_what_is_the_same_as_before_is_nothing_new(plain: Service, tmp_path: Path) -> None:
    looking = way(plain, tmp_path)
    seen = look(looking)[0].seen
    again, _ = look(looking, seen)
    assert again.unchanged
    plain.headers["ETag"] = '"1"'
    seen = look(looking, again.seen)[0].seen
    plain.status, plain.body = 304, b""
    assert look(looking, seen)[0].unchanged
    assert plain.asked[-1]["if-none-match"] == '"1"'
    plain.status, plain.body = 200, CSV + b"W2,Bo\n"
    assert look(looking, seen)[0].file is not None
    plain.body = CSV
    other = way(plain, tmp_path, url=f"http://127.0.0.1:{plain.port}/other")
    assert look(other, seen)[0].file is not None, "another report is never the same"
    assert "if-none-match" not in plain.asked[-1]


def test_what_a_report_is_known_by_is_sent_back_only_where_that_can_be_done(plain: Service, tmp_path: Path) -> None:
    """One answer with such a tag stopped the source for good: every later look failed before it was sent."""
    plain.headers["ETag"] = '"caf\xe9"'
    looking = way(plain, tmp_path)
    seen = look(looking)[0].seen
    assert look(looking, seen)[0].unchanged
    assert look(looking, {**seen, "etag": '"caf\xe9"'})[0].unchanged, "as it was kept before"
    assert "if-none-match" not in plain.asked[-1]


def test_a_json_report_is_taken_as_it_is(plain: Service, tmp_path: Path) -> None:
    plain.headers = {"Content-Type": "application/json;charset=utf-8"}
    plain.body = b'{"Report_Entry": [{"worker": "W1"}]}'
    found, content = look(way(plain, tmp_path, format="json"))
    assert content == plain.body
    assert found.file is not None
    assert found.file.name == "workers.json"
    assert plain.asked[0]["accept"].startswith("application/json")


@pytest.mark.parametrize("body", [b"[]", b" {}\n", b"null", b"<html>", b""])
def test_an_empty_document_or_a_page_is_no_json_report(plain: Service, tmp_path: Path, body: bytes) -> None:
    plain.headers, plain.body = {"Content-Type": "application/json"}, body
    assert "The report of 127.0.0.1 is" in refusal(way(plain, tmp_path, format="json"))


def test_the_whole_road_with_a_canary(plain: Service, tmp_path: Path) -> None:
    location = {"way": "https", "url": f"http://127.0.0.1:{plain.port}/x", "allow_private": True}
    recorder = Recorder()
    source = {"profile": "plain", "canary": "W-CANARY", "location": location}
    looking = visits(tmp_path, recorder, {"workday": source})
    assert looking.look("workday").words == ("x.csv was applied.",)
    assert len(plain.asked) == 1
    assert looking.look("workday").words == ("The report is the same as the last time.",)
    assert [call["canary"] for call in recorder.calls] == ["W-CANARY"]
    id_ = next(iter(recorder.uploads.values())).id
    assert recorder.notes[-2:] == [("unchanged", "workday", id_), ("answered", "workday")]
    plain.status = 500
    looking.look("workday")
    assert recorder.failures() == ["127.0.0.1 answered 500 instead of a report. It is asked again by itself."]
    assert len(recorder.calls) == 1


def test_a_look_that_takes_too_long_says_so(plain: Service, tmp_path: Path) -> None:
    plain.write = lambda _: time.sleep(3)
    recorder = Recorder()
    location = {"way": "https", "url": f"http://127.0.0.1:{plain.port}/x", "allow_private": True}
    looking = visits(tmp_path, recorder, {"workday": {"profile": "plain", "location": location}})
    threading.Timer(0.3, lambda: [deadline.expire() for deadline in looking._deadlines]).start()
    visit = looking.look("workday")
    assert visit.words == ("It took longer than 600 s and was given up (longest_seconds).",)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"url": "http://reports.example.com/x"}, "http only on loopback"),
        ({"url": "ftp://reports.example.com/x"}, "no https address"),
        ({"url": "https://user:secret@reports.example.com/x"}, "without credentials"),
        ({"token": {"env": "X"}, "username": "a", "password": {"env": "X"}}, "not both"),
        ({"username": "a"}, "go together"),
        ({"password": {"env": "X"}}, "go together"),
        ({"token": "abc"}, "a secret is never written here"),
    ],
)
def test_a_wrong_configuration_is_named(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        way(Service(), tmp_path, **changes)
