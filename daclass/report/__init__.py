"""The report: one HTML file that opens from disk and needs no network."""

from daclass.report.write import write_report

__all__ = ["write_report"]
