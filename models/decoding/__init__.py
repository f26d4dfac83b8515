"""From the probabilities of a model to text."""
