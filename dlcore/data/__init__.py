"""Data sets: where they come from, what stands in for them, and how they become arrays."""
