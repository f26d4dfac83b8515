"""Benchmarks against peers: `python -m benchmarks`; what each measures is in docs/benchmarks.md."""
