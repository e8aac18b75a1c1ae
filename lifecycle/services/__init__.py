"""Use cases: transactions, the clock and connectors. Each returns the new state or raises a named error."""
