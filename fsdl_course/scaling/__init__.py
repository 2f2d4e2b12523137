"""What the lesson on scaling puts side by side: balancers, failures, waits, orchestrators, functions."""
