"""Messages by SMTP, with TLS."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

from lifecycle.services.delivery import ChannelDown, NotDelivered, Told
from lifecycle.settings import SmtpSettings

TIMEOUT_SECONDS = 20
NO_ADDRESS = (ValueError, IndexError, AttributeError, TypeError, HeaderParseError)
"""What the email package raises on what is no address, or more than one."""


@dataclass
class Mail:
    """Sends through one server. A connection is opened for each message: they are few, and servers drop idle ones."""

    settings: SmtpSettings
    password: str
    folder: Path

    def send(self, recipient: str, told: Sequence[Told]) -> None:
        """See `lifecycle.services.delivery.Channel.send`."""
        try:
            message = self._message(recipient, told)
        except NO_ADDRESS as exc:
            raise NotDelivered(f"{recipient!r} is no e-mail address: {exc}") from exc
        with self._connected() as server:
            self._hand_over(server, message, recipient)

    def _hand_over(self, server: smtplib.SMTP, message: EmailMessage, recipient: str) -> None:
        try:
            server.send_message(message)
        except smtplib.SMTPRecipientsRefused as exc:
            code, words = next(iter(exc.recipients.values()))
            raise NotDelivered(f"the mail server refuses {recipient}: {code} {_text(words)}") from exc
        except smtplib.SMTPResponseException as exc:
            raise NotDelivered(f"the mail server answered {exc.smtp_code} {_text(exc.smtp_error)}") from exc
        except (smtplib.SMTPException, OSError, ValueError) as exc:
            raise NotDelivered(f"the mail server did not take the message: {exc}") from exc

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """Lend a connection that is secured and signed in; whoever cannot have one can tell nobody."""
        try:
            server = self._connect()
            self._log_in(server)
        except (smtplib.SMTPException, OSError, ValueError) as exc:
            where = f"{self.settings.host}:{self.settings.port}"
            raise ChannelDown(f"the mail server {where} cannot be used: {exc}") from exc
        try:
            yield server
        finally:
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()

    def _log_in(self, server: smtplib.SMTP) -> None:
        if not self.settings.username:
            return
        try:
            server.login(self.settings.username, self.password)
        except (smtplib.SMTPException, OSError):
            server.close()
            raise

    def _connect(self) -> smtplib.SMTP:
        settings = self.settings
        ca_file = str(self.folder / settings.ca_file) if settings.ca_file else None
        context = ssl.create_default_context(cafile=ca_file)
        if settings.tls == "implicit":
            return smtplib.SMTP_SSL(settings.host, settings.port, timeout=TIMEOUT_SECONDS, context=context)
        server = smtplib.SMTP(settings.host, settings.port, timeout=TIMEOUT_SECONDS)
        try:
            if settings.tls == "starttls":
                server.starttls(context=context)  # raises where the server does not offer it: never in the clear
        except (smtplib.SMTPException, OSError):
            server.close()
            raise
        return server

    def _message(self, recipient: str, told: Sequence[Told]) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"] = self.settings.sender, Address(addr_spec=recipient)
        message["Subject"] = _line(told[0].subject if len(told) == 1 else f"{len(told)} things need you")
        message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="lifecycle.invalid")
        message["Auto-Submitted"] = "auto-generated"
        parts = [f"{t.subject}\n\n{t.body}\n\n{t.url}" for t in told]
        message.set_content("\n\n----\n\n".join(parts) + "\n")
        return message


def _line(words: str) -> str:
    """Make one header line of *words*, whatever a roster put into them."""
    return " ".join(words.split())[:200]


def _text(words: bytes | str) -> str:
    return words.decode(errors="backslashreplace") if isinstance(words, bytes) else words
