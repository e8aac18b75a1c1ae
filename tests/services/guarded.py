"""Twelve people of three vendors under a guard with small limits, and those who may release what it holds."""

from datetime import date
from typing import Any

from lifecycle.domain.approval import Verdict
from lifecycle.domain.role import Role
from lifecycle.services.upload_views import State, Upload
from lifecycle.store import roster_uploads
from tests.services.rosters import take
from tests.services.world import World, line, roster_bytes

BEFORE = date(2026, 2, 27)
GUARD = {"people": 4, "share": 0.5, "vendor_share": 0.9, "group_share": 0.9, "moved_share": 0.5}
WORKERS = [f"w{n}" for n in range(1, 13)]


def guarded_world(url: str) -> World:
    """Twelve people of three vendors, and those who may release."""
    world = World(url, changes={"rosters": {"guard": GUARD}, "notices": {"it": ["it@example.com"]}})
    for worker in WORKERS:
        world.account(worker)
    world.roster(*(staff(worker) for worker in WORKERS))
    world.tick()
    world.member("petra", Role.IT_ADMINISTRATOR, email="petra@example.com")
    world.member("oskar", Role.IT_OPERATOR, email="oskar@example.com")
    world.member("nora", Role.HR, email="nora@example.com")
    world.member("hans", Role.HR, email="hans@example.com")
    world.member("mia", Role.MANAGER, email="boss@example.com")
    return world


def staff(worker: str, last: date = date(2026, 12, 31), **more: Any) -> str:
    number = int(worker[1:])
    return line(worker, "agent", last=last, vendor=f"Vendor {number % 3}", **more)


def leaving(count: int, last: date = BEFORE) -> bytes:
    """Everybody, the first *count* with another last day."""
    return roster_bytes(*(staff(w, last if n < count else date(2026, 12, 31)) for n, w in enumerate(WORKERS)))


def send(world: World, content: bytes, by: str = "nora") -> Upload:
    """Upload and confirm as somebody in a browser would."""
    actor = world.actor(by)
    upload = take(world.runtime, content)
    with world.runtime.store.write() as unit:
        roster_uploads.change_upload(unit, upload.id, (State.READY,), member_id=actor.id)
    return world.runtime.confirmations.confirm(upload.id, actor=actor.trail_name, digest=upload.digest)


def review(world: World, upload: Upload, by: str, verdict: Verdict = Verdict.APPROVE, **more: Any) -> Upload:
    now = world.runtime.uploads.find(upload.id)
    said = {"digest": now.digest, "note": "looked at", "typed": now.changing, **more}
    return world.runtime.confirmations.review(upload.id, actor=world.actor(by), verdict=verdict, **said)


def held(world: World) -> int:
    world.tick()
    return sum(world.held(worker) == {"agent"} for worker in WORKERS)
