"""Two published works repeated: trust as wealth (`wealth`), places that don't matter (`discontent`)."""
