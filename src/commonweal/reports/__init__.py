"""Reports on a subject: told once, written as a page, a PDF, a workbook and tables."""
