"""The documentation site, made by ``make docs``."""

import inspect

import fastvec

project = "fastvec"
author = "fastvec contributors"
copyright = author
version = release = fastvec.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx_argparse_cli",
]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"fastvec {version}"

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

# `name` in a docstring is a link where there is something of that name, and code where there is not.
default_role = "py:obj"
autodoc_default_options = {"members": True, "inherited-members": "BaseEstimator, KeyError"}
autodoc_typehints = "none"  # numpydoc says the types
numpydoc_show_class_members = False


def is_left_out(app, what, name, obj, skip, options):
    """Leave out what scikit-learn documents, and properties that the section "Attributes" of a class has."""
    if isinstance(obj, property) and name.endswith("_"):
        return True
    home = getattr(inspect.unwrap(obj), "__module__", None)
    return True if isinstance(home, str) and not home.startswith("fastvec") else None


def setup(app):
    """Tell Sphinx what to leave out."""
    app.connect("autodoc-skip-member", is_left_out)
