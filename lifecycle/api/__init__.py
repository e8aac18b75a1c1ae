"""What other programs ask, as JSON, with a token."""
