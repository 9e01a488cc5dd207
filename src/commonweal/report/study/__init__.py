"""Telling people: the short answer, profiles, comparisons, and the folder of results."""
