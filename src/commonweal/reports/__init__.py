"""Reports on a subject: told once as a value, written as a page, a PDF, a workbook and tables."""

from commonweal.reports.page import report_html
from commonweal.reports.paper import report_pdf
from commonweal.reports.report import Report, Section, Table
from commonweal.reports.write import source_lines, write_report

__all__ = [
    "Report",
    "Section",
    "Table",
    "report_html",
    "report_pdf",
    "source_lines",
    "write_report",
]
