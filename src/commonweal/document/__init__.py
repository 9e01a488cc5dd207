"""Documents: one value each, written as a page, a PDF, a workbook, tables, JSON and lines for a terminal."""

from commonweal.document.data import document_data
from commonweal.document.html import document_html
from commonweal.document.model import Document, Figure, Section, Table
from commonweal.document.pdf import document_pdf
from commonweal.document.text import document_lines
from commonweal.document.write import source_lines, write_document

__all__ = [
    "Document",
    "Figure",
    "Section",
    "Table",
    "document_data",
    "document_html",
    "document_lines",
    "document_pdf",
    "source_lines",
    "write_document",
]
