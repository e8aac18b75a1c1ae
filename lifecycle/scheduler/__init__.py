"""What calls the engine at regular times, and what watches that it does."""
