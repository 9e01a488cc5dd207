"""Documents: one value each, written as a page, a PDF, a workbook, tables, JSON and lines for a terminal."""

from commonweal.document.model import Document, Section, Table

__all__ = [
    "Document",
    "Section",
    "Table",
]
