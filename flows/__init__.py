"""Orchestration: Prefect flows over the stages; the only package that imports Prefect."""
