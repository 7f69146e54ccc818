"""Sphinx's settings for the documentation site: `make docs`.

Nothing is imported that computes (torch, FFCV, ...): autodoc gets stand-ins for it, so the site
builds in seconds and where only the analysis is installed. Built pages ask the network for nothing.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx.ext.autodoc.mock import MockFinder

# Not autodoc_mock_imports: autodoc reads the sources of base classes after it has taken its own
# stand-ins away, and so would import FFCV, which takes 10 seconds.
HEAVY = ["ffcv", "kornia", "numba", "safetensors", "timm", "torch", "torchvision"]
sys.meta_path.insert(0, MockFinder(HEAVY))
sys.path.insert(0, str(Path(__file__).parents[1]))

from daclass import __version__

project = "daclass"
author = "the daclass authors"
copyright = author
release = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
# Notebooks are run where they or what they call may have changed: at every build from nothing. What
# they call is daclass as it is here, on the command line too.
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_timeout = 900
nb_execution_raise_on_error = True
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
myst_enable_extensions = ["attrs_block", "colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Attributes", "params_style")]
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
# What stands between single backticks in a docstring is a name: a link where it is known.
default_role = "py:obj"
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = f"daclass {release}"
html_static_path = ["static"]
html_css_files = ["daclass.css"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_theme_options = {"top_of_page_buttons": []}
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"


def setup(app: Sphinx) -> None:
    app.add_lexer("csv", TextLexer)
    app.connect("autodoc-process-signature", _shorten)
    app.connect("autodoc-process-docstring", _keep_first_line, priority=400)


def _shorten(_: Sphinx, __: str, ___: str, ____: object, _____: object, given: str, back: str):
    """Arrays by their dtype alone: docstrings say their shapes."""

    array = r"~numpy\.ndarray\[tuple\[~typing\.Any, \.\.\.\], ~numpy\.dtype\[~numpy\.(\w+)\]\]"

    def short(words: str | None) -> str | None:
        return words and re.sub(array, r"NDArray[\1]", words)

    return short(given), short(back)


def _keep_first_line(_: Sphinx, what: str, __: str, ___: object, ____: object, lines: list[str]):
    """Napoleon takes words before a colon for a type, in the first line of what is no function."""
    if what in {"attribute", "data", "property"}:
        lines[:0] = ["..", ""]
