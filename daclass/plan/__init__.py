"""What a study still costs: its runs, hours and disk, and what the workflow would do."""

from daclass.plan.page import plan

__all__ = ["plan"]
