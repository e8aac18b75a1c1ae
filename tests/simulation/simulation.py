"""
Years of the product's life in seconds, in one process: a virtual clock, seeded faults, crashes, and every rule checked.

What is checked after every step (design, section 4):

1. A change is recorded as done only when the target shows it.
2. Nothing is abandoned: once the weather is calm, every target holds exactly what is desired, god mode first of all.
3. What the store says was observed is what the target shows.
4. The trail holds, and tells every change once.
"""

import random
import tempfile
import uuid
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import select

from lifecycle.domain.entitlement import Tier
from lifecycle.domain.grant import Grant, NothingLeftToGrant
from lifecycle.runtime import Runtime
from lifecycle.store import work
from lifecycle.store.tables import AuditRow
from tests.services.rosters import apply
from tests.services.world import World, line, record_grant, roster_bytes
from tests.simulation.faults import Crash, CrashingStore, FaultyConnector, Weather
from tests.simulation.plants import plant

WORKERS = [f"w{n}" for n in range(10)]
SITES = ("berlin", "auckland", "honolulu")
CALM = timedelta(minutes=6)
"""Longer than the longest wait between two tries."""


class RuleBroken(AssertionError):
    """A rule that is never broken was broken; the message ends with the command that replays it."""


class Inline:
    """An executor that runs everything at once, so that one seed is one story."""

    def submit(self, call: Callable[..., Any], *arguments: Any) -> Any:
        result = call(*arguments)
        return type("Finished", (), {"result": lambda _: result})()

    def shutdown(self, **_: Any) -> None:
        """Nothing runs."""


@dataclass
class Simulation:
    """One life, told by its seed."""

    seed: int
    years: float = 1.0
    planted: str = ""
    steps: int = 0
    crashes: int = 0
    _contracts: dict[str, tuple[str, date, date, str]] = field(default_factory=dict)
    _touched: set[tuple[str, str]] = field(default_factory=set)
    """What was changed by hand in the target and may not have been read back yet."""
    _told: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """What the trail says that everybody holds, replayed up to ``_replayed``."""
    _replayed: int = 0
    _patches: list[Any] = field(default_factory=list)

    @property
    def command(self) -> str:
        """What replays this life."""
        return f"python -m tests.simulation --seed {self.seed} --years {self.years}" + (
            f" --plant {self.planted}" if self.planted else ""
        )

    def run(self) -> None:
        """
        Live through it.

        Raises:
            RuleBroken: With the command that replays it.
        """
        memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
        with tempfile.TemporaryDirectory(dir=memory) as folder:
            self._prepare(Path(folder))
            try:
                until = self.world.clock.now() + timedelta(days=365 * self.years)
                while self.world.clock.now() < until:
                    self._step()
            except AssertionError as exc:
                at = self.world.clock.now().isoformat()
                raise RuleBroken(f"step {self.steps}, {at}: {exc}\nreplay: {self.command}") from exc
            finally:
                self.weather.calm = True
                self.world.close()
                for started in reversed(self._patches):
                    started.stop()

    def _prepare(self, folder: Path) -> None:
        self.random = random.Random(self.seed)
        ids = random.Random(self.seed + 1)
        self.setattr(uuid, "uuid4", lambda: uuid.UUID(int=ids.getrandbits(128), version=4))
        self.weather = Weather(self.random)
        self.world = World(f"sqlite:///{folder}/simulation.db")
        self.world.close()
        self.connector = FaultyConnector(self.world.tool, self.weather)
        for worker in WORKERS:
            self.world.account(worker)
        self._restart()

    def _restart(self) -> None:
        """Start the product anew, as after a crash: only the store and the targets remain."""
        runtime = self.world.start()
        runtime.connectors["tool"] = lambda: self.connector  # type: ignore[assignment,return-value]
        CrashingStore(runtime.store, self.weather)
        runtime.engine.threads = Inline()  # type: ignore[assignment]
        runtime.engine.provisioner.chance = self.random.random
        if self.planted:
            plant(self.planted, runtime, self)

    def setattr(self, where: Any, name: str, value: Any) -> None:
        """Patch for the length of this life."""
        started = patch.object(where, name, value)
        started.start()
        self._patches.append(started)

    @property
    def runtime(self) -> Runtime:
        """The product as it runs now."""
        return self.world.runtime

    def _step(self) -> None:
        """Let something happen, let time pass, work in bad weather, check, then calm down and check everything."""
        self.steps += 1
        self.weather.calm, self.weather.down = False, self.random.random() < 0.15
        self._survive(self._something_happens)
        self._pass_time()
        for _ in range(8 if self.weather.down else self.random.randrange(1, 4)):
            self._survive(self._work)
            self._check_recorded()
            self.world.clock.move(seconds=self.random.randrange(1, 600))
        self.weather.calm = True
        self.world.clock.move(to=self.world.clock.now() + CALM)
        for _ in range(2):
            self._survive(self._work)
            self.world.clock.move(seconds=1)
        self._check_everything()

    def _survive(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Crash:
            self.crashes += 1
            self.world.runtime.store.close()
            self._restart()

    def _work(self) -> None:
        assert self.runtime.leadership.try_to_lead()
        only = None if self.random.random() < 0.3 or self.weather.calm else Tier.GOD
        self.runtime.reconciler.reconcile("tool", only=only)
        self.runtime.engine.tick()

    def _pass_time(self) -> None:
        """Go to the next instant at which something changes, to just before it, or somewhere else."""
        now = self.world.clock.now()
        following = self.runtime.persons.next_change() or now + timedelta(days=3)
        choice = self.random.random()
        if choice < 0.5:
            to = following
        elif choice < 0.7:
            to = following - timedelta(seconds=1)
        else:
            to = now + timedelta(hours=self.random.randrange(1, 240))
        self.world.clock.move(to=max(now, min(to, now + timedelta(days=20))))

    def _something_happens(self) -> None:
        happenings = (self._roster, self._roster, self._grant, self._by_hand, self._rename, self._nothing)
        self.random.choice(happenings)()

    def _nothing(self) -> None:
        """A quiet day."""

    def _roster(self) -> None:
        """HR confirms a roster in which some contracts begin, move or end."""
        today = self.world.clock.now().date()
        for worker in self.random.sample(WORKERS, 3):
            first = today + timedelta(days=self.random.randrange(-20, 10))
            last = max(first, today + timedelta(days=self.random.randrange(-3, 60)))
            role = self.random.choice(["god", "god", "agent"])
            self._contracts[worker] = (role, first, last, self.random.choice(SITES))
        rows = [line(w, role, first, last, site=site) for w, (role, first, last, site) in self._contracts.items()]
        content = roster_bytes(*rows)
        apply(self.runtime, content)

    def _grant(self) -> None:
        """Two people have approved god mode for a while."""
        now = self.world.clock.now()
        standings = self.runtime.persons.search("")
        if not standings:
            return
        standing = self.random.choice(standings)
        contract = standing.contract
        if contract is None:
            return
        ends_at = now + timedelta(hours=self.random.randrange(1, 200))
        with suppress(NothingLeftToGrant):
            ends_at = min(ends_at, contract.timeline.falls_below(Tier.GOD, now))
            grant = Grant(f"g{self.steps}", contract.engagement.id, "tool.god", now, ends_at, "because")
            record_grant(self.runtime, grant, standing.identity.id)

    def _by_hand(self) -> None:
        """Somebody adds or removes a member in the target."""
        right, worker = self.random.choice(["god", "power", "agent"]), self.random.choice(WORKERS)
        self.world.tool.members[right] ^= {f"id-{worker}"}
        self._touched.add((worker, f"tool.{right}"))

    def _rename(self) -> None:
        account = self.world.tool.accounts[f"id-{self.random.choice(WORKERS)}"]
        account.name = f"renamed-{self.steps}"
        account.sessions += not account.disabled

    def _desired(self) -> dict[str, set[str]]:
        return {
            s.identity.worker_id: {e.locator for e in s.desired.entitlements}
            for s in self.runtime.persons.search("", limit=999)
            if s.desired.live or s.desired.has_ended  # before the first day an account is left alone
        }

    def _check_recorded(self) -> None:
        """Rule 1: whatever the store believes to be gone or given by its own doing, the target shows."""
        calm, self.weather.calm = self.weather.calm, True
        with self.runtime.store.read() as unit:
            standings = self.runtime.persons.search("", limit=999)
            doubtful = {(i.identity_id, i.aspect) for i in work.open_items(unit, [s.identity.id for s in standings])}
        for standing in standings:
            account = standing.accounts.get("tool")
            if account is None or account.observed_at is None or (standing.identity.id, work.OBSERVE) in doubtful:
                continue
            held = {f"tool.{right}" for right in self.world.held(standing.identity.worker_id)}
            certain = {
                key
                for key in held ^ account.held
                if (standing.identity.id, key) not in doubtful
                and (standing.identity.worker_id, key) not in self._touched
            }
            assert not certain, f"{standing.identity.worker_id}: recorded {sorted(account.held)}, shows {sorted(held)}"
        self.weather.calm = calm

    def _check_everything(self) -> None:
        self._touched.clear()
        now = self.world.clock.now()
        for worker, wanted in self._desired().items():
            held = self.world.held(worker)
            assert held == wanted, f"{worker} holds {sorted(held)} and should hold {sorted(wanted)}"
        for standing in self.runtime.persons.search("", limit=999):
            worker = standing.identity.worker_id
            if standing.desired.has_ended:
                account = self.world.tool.accounts[f"id-{worker}"]
                assert account.disabled, f"{worker} has left and can log in"
                assert not account.sessions, f"{worker} has left and is still logged in"
            if all(c.timeline.final_day_at <= now for c in standing.contracts):
                assert "god" not in self.world.held(worker), f"{worker} holds god mode on the last day"
        self._check_recorded()
        self._check_told_once()
        if self.steps % 20 == 0:
            verified = self.runtime.trail.verify()
            assert verified.fault is None, f"the trail: {verified.fault}"

    def _check_told_once(self) -> None:
        """Replay what is new in the trail: a grant follows a revoke and a revoke a grant."""
        columns = AuditRow.__table__.c
        with self.runtime.store.read() as unit:
            query = select(AuditRow).where(columns.seq > self._replayed).order_by(columns.seq)
            rows = list(unit.session.scalars(query))
        for row in rows:
            self._replay(row, self._told[row.object])
            self._replayed = row.seq

    @staticmethod
    def _replay(row: AuditRow, held: set[str]) -> None:
        key = row.after.get("entitlement", "")
        if row.action == "grant":
            assert key not in held, f"record {row.seq} grants {key} a second time"
            held.add(key)
        elif row.action == "revoke":
            assert key in held, f"record {row.seq} revokes {key} a second time"
            held.discard(key)
        elif row.action == "drift-extra":
            held.add(row.after["what"])
        elif row.action == "drift-missing":
            held.discard(row.after["what"])
        elif row.action == "account-observed":
            held.clear()
            held.update(row.after["held"])
