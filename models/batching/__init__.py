"""Batches of token ids, addressed by the number of the step: no batch needs those before it."""
