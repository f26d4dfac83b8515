"""How each architecture meets the training engine: its data, its batches, its loss, and what a report shows of it."""
