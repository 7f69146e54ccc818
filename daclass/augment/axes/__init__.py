"""The axes that daclass brings: one file for each, with all that is said of it.

They are found through the entry points `daclass.axes`, as those of other packages are.
"""
