"""Rosters in tests: taken in as the product takes them in, and confirmed."""

import io

from lifecycle.runtime import Runtime
from lifecycle.services.upload_views import State, Upload


def take(runtime: Runtime, content: bytes, *, profile: str = "plain", file_name: str = "roster.csv") -> Upload:
    """Take a file as far as it goes without a person; it was made just now."""
    upload_id = runtime.uploads.receive(
        io.BytesIO(content), file_name=file_name, way="cli", actor="hr", profile=profile, as_of=runtime.clock.now()
    )
    return runtime.intake.advance(upload_id)


def apply(runtime: Runtime, content: bytes, *, profile: str = "plain", file_name: str = "roster.csv") -> Upload:
    """Take a file in and have it applied, whatever the guard says: tests of access need facts."""
    upload = take(runtime, content, profile=profile, file_name=file_name)
    if upload.state is State.APPLIED:
        return upload
    assert upload.state is State.READY, (upload.state, upload.error)
    assert not upload.unusable, [item.said for item in runtime.uploads.items(upload.id, kinds=["unusable"])]
    upload = runtime.confirmations.confirm(upload.id, actor="hr", digest=upload.digest)
    if upload.state is State.HELD:
        upload = runtime.confirmations.release(upload.id, actor="hr")
    assert upload.state is State.APPLIED, upload
    return upload
