"""Pure transforms on Arrow and Polars frames; no Prefect, no torch."""
