"""Charts and maps as accessible SVG: three forms, one palette, one projector; each has its numbers as a table."""
