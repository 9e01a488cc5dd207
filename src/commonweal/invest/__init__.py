"""What to do about it: parameters as data, and what an investment costs and is worth."""
