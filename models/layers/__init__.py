"""Building blocks that the neural models share; each stands in one place only."""
