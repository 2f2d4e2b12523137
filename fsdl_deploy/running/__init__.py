"""Running: a server, a worker or a station's program, started and always ended."""
