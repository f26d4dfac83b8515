"""Scores with intervals, and the gate of promotion."""
