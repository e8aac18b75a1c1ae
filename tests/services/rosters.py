"""Rosters in tests: taken in as the product takes them in, and confirmed."""

import io
from datetime import timedelta

from lifecycle.domain.approval import Verdict
from lifecycle.domain.role import Role
from lifecycle.runtime import Runtime
from lifecycle.services.signin import new_local
from lifecycle.services.upload_views import State, Upload
from lifecycle.store import members
from lifecycle.store.roster_tables import BatchReviewRow


def take(runtime: Runtime, content: bytes, *, profile: str = "plain", file_name: str = "roster.csv") -> Upload:
    """Take a file as far as it goes without a person; it was made just now."""
    upload_id = runtime.uploads.receive(
        io.BytesIO(content), file_name=file_name, way="cli", actor="hr", profile=profile, as_of=runtime.clock.now()
    )
    return runtime.intake.advance(upload_id)


def release(runtime: Runtime, upload: Upload) -> Upload:
    """Have two people of IT release a held roster."""
    now = runtime.clock.now()
    with runtime.store.write() as unit:
        for login in ("first-of-it", "second-of-it"):
            member = members.by_subject(unit, "local", login)
            if member is None:
                member = new_local(login, login, [Role.IT_OPERATOR.value], now - timedelta(days=90))
                member.email = member.email_key = f"{login}@example.com"
                unit.session.add(member)
            said = {"verdict": Verdict.APPROVE.value, "note": "looked", "digest": upload.digest, "at": now}
            unit.session.add(BatchReviewRow(upload_id=upload.id, member_id=member.id, **said))
    return runtime.confirmations.release(upload.id, actor="hr")


def apply(runtime: Runtime, content: bytes, *, profile: str = "plain", file_name: str = "roster.csv") -> Upload:
    """Take a file in and have it applied, whatever the guard says: tests of access need facts."""
    upload = take(runtime, content, profile=profile, file_name=file_name)
    if upload.state is State.APPLIED:
        return upload
    assert upload.state is State.READY, (upload.state, upload.error)
    assert not upload.unusable, [item.said for item in runtime.uploads.items(upload.id, kinds=["unusable"])]
    upload = runtime.confirmations.confirm(upload.id, actor="hr", digest=upload.digest)
    if upload.state is State.HELD:
        upload = release(runtime, upload)
    assert upload.state is State.APPLIED, upload
    return upload
