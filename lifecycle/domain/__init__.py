"""Pure values and functions, standard library only: no clock, no store, no connector."""
