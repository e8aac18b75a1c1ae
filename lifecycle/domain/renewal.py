"""What a sponsor can answer to the question whether a contract goes on."""

from __future__ import annotations

from enum import StrEnum

from lifecycle.domain.errors import LifecycleError


class Answer(StrEnum):
    """What a sponsor says."""

    EXTEND = "extend"
    CONVERT = "convert"
    LAPSE = "lapse"


class AnswerInvalid(LifecycleError):
    """The answer cannot be taken so; the message says what to change."""

    code = "answer-invalid"
