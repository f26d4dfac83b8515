"""Models of one task each."""
