"""Contractor access that follows the contract."""

__version__ = "0.1.0"
