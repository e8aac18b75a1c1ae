"""From a file that nobody has described to a layout: everything that the matching step asks of a file."""

from lifecycle.feed.look import Look, look
from lifecycle.feed.suggest import (
    HeaderDifference,
    header_difference,
    headers_match,
    suggest_columns,
    suggest_date_format,
)

__all__ = [
    "HeaderDifference",
    "Look",
    "header_difference",
    "headers_match",
    "look",
    "suggest_columns",
    "suggest_date_format",
]
