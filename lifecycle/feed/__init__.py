"""Files from staffing companies: one module a format, and a line number for every complaint."""
