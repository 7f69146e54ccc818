"""Findings as words: numbers, plurals, intervals and verdicts, written once for all readers.

The terminal, the report and the figures take their words from here. Functions get values and
verdict codes (what `summary.json` holds) and give plain text; escaping is for whoever writes HTML.
"""
