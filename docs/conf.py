"""How the pages are built: plain Markdown by MyST, and nothing that is not in the Markdown but the list of pages."""

project = "Persuasion"
copyright = "The Persuasion developers"
extensions = ["myst_parser"]
myst_heading_anchors = 4
# every figure in the pages is read by people, not by a highlighter that would refuse an unknown session
highlight_language = "none"
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "Persuasion"
html_show_sphinx = False
# a page without its source beside it, and none of today's date: the same pages give the same bytes
html_copy_source = False
html_last_updated_fmt = None
nitpicky = True
