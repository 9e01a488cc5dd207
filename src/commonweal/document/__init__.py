"""Reports on a subject: told once as a value, written as a page, a PDF, a workbook and tables."""

from commonweal.document.html import report_html
from commonweal.document.model import Report, Section, Table
from commonweal.document.pdf import report_pdf
from commonweal.document.write import source_lines, write_report

__all__ = [
    "Report",
    "Section",
    "Table",
    "report_html",
    "report_pdf",
    "source_lines",
    "write_report",
]
