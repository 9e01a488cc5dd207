"""The whole case for an investment: who gets what, where it goes, what it costs, what it is worth, how sure that is."""
