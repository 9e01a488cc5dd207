"""The indicators of a study: read from tables, or made by formula, as rates, and from what is within reach."""
