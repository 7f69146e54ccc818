"""From predictions to findings: tables in, tables out, no files, no torch.

Each module makes one table of `daclass.tables`, or is the one place of a method that several need:
`cells` (joining the tables), `crossed` (intervals and tests), `discoveries` (multiple testing).
"""
