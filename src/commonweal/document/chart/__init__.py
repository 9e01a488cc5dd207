"""Charts as accessible drawings: each with the numbers that it shows."""
