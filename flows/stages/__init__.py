"""The stages as plain functions; `flows.tasks` makes Prefect tasks of them."""
