"""Collecting garbage while very many objects are made and let go."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def what_lives_is_spared() -> Iterator[None]:
    """
    Have the collector not look at what there is already, until the block ends.

    A roster makes so many objects that it would look through all of the product again and again: a fifth of the time.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
