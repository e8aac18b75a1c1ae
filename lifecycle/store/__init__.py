"""Tables, units of work, queries and migrations: rows in, domain values out, no rule."""
