"""Commonweal: measures the social infrastructure of every neighbourhood and who is left behind."""

__version__ = "0.1.0"
