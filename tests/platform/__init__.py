"""The launcher: real servers and real processes, started and killed."""
