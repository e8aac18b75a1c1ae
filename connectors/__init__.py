"""Target systems. Knows nothing of ``lifecycle``; drivers' exceptions never leave their module."""
