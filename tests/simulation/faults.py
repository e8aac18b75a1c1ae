"""Seeded faults: a target that fails in every way a real one does, and a process that dies at any commit."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from connectors.base import (
    AccountDisabler,
    AccountRef,
    EntitlementRef,
    NativeExpiry,
    Outcome,
    SessionEnder,
    TargetRefused,
    TargetUnavailable,
)
from connectors.memory import MemoryConnector
from lifecycle.store.unit import Store, Unit


class Crash(BaseException):
    """The process dies here. No handler of the product catches it."""


@dataclass
class Weather:
    """How bad it is now. Everything is drawn from one seeded generator."""

    random: random.Random
    calm: bool = False
    down: bool = False

    def strikes(self, chance: float) -> bool:
        """Draw whether a fault happens."""
        return not self.calm and self.random.random() < chance


@dataclass
class FaultyConnector:
    """A memory target seen through bad weather. Lost answers and lies come after, outages and refusals before."""

    inner: MemoryConnector
    weather: Weather
    name: str = "tool"
    _forward: tuple[str, ...] = ("resolve", "entitlement", "held_by", "holders_of", "state_of", "open_sessions")

    def _before(self) -> None:
        if self.weather.down and not self.weather.calm:
            raise TargetUnavailable("the target is down")
        if self.weather.strikes(0.02):
            raise TargetUnavailable("no answer")
        if self.weather.strikes(0.01):
            raise TargetRefused("not now, says the target")

    def _after(self) -> None:
        if self.weather.strikes(0.01):
            raise Crash
        if self.weather.strikes(0.03):
            raise TargetUnavailable("the answer was lost; the change was applied")

    def _read(self, call: Callable[[], Any]) -> Any:
        self._before()
        return call()

    def _write(self, call: Callable[[], Outcome]) -> Outcome:
        self._before()
        if self.weather.strikes(0.02):
            return Outcome.CHANGED  # success is reported and nothing was done
        outcome = call()
        self._after()
        return outcome

    def __getattr__(self, name: str) -> Any:
        if name in self._forward:
            return lambda *a: self._read(lambda: getattr(self.inner, name)(*a))
        return getattr(self.inner, name)

    def grant(self, account: AccountRef, entitlement: EntitlementRef) -> Outcome:
        return self._write(lambda: self.inner.grant(account, entitlement))

    def revoke(self, account: AccountRef, entitlement: EntitlementRef) -> Outcome:
        return self._write(lambda: self.inner.revoke(account, entitlement))

    def disable(self, account: AccountRef) -> Outcome:
        return self._write(lambda: self.inner.disable(account))

    def enable(self, account: AccountRef) -> Outcome:
        return self._write(lambda: self.inner.enable(account))

    def end_sessions(self, account: AccountRef) -> Outcome:
        return self._write(lambda: self.inner.end_sessions(account))

    def open_sessions(self, account: AccountRef) -> int:
        return int(self._read(lambda: self.inner.open_sessions(account)))

    def set_expiry(self, account: AccountRef, at: Any) -> Outcome:
        return self._write(lambda: self.inner.set_expiry(account, at))


assert issubclass(FaultyConnector, AccountDisabler | SessionEnder | NativeExpiry)


@dataclass
class CrashingStore:
    """Makes units of a store die before or after their commit."""

    store: Store
    weather: Weather
    _write: Any = field(init=False)

    def __post_init__(self) -> None:
        self._write = self.store.write
        self.store.write = self.write  # type: ignore[method-assign]

    @contextmanager
    def write(self) -> Iterator[Unit]:
        with self._write() as unit:
            yield unit
            if self.weather.strikes(0.004):
                raise Crash
        if self.weather.strikes(0.004):
            raise Crash
