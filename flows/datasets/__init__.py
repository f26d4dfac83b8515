"""What is done with published datasets: looking, comparing, tracing, keeping, forgetting."""
