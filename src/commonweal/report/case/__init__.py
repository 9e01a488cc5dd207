"""The annex to a case for investment, and its pages in a pack."""
