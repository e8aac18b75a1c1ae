"""``python -m tests.cli``: the command, without an installed script."""

from lifecycle.cli import main

main()
