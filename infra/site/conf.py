"""Sphinx's settings for the site; `make site` lays out the folder that it reads. Nothing is executed."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

project = "Deployment"
html_title = "Deployment: from a trained model to a product"
language = "en"
extensions = ["myst_nb", "sphinx_copybutton", "at_rest"]
nitpicky = True
needs_sphinx = "9.0"

nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js = {}  # nothing from other hosts
myst_enable_extensions = []  # a dollar is a price, not a formula
myst_heading_anchors = 4
myst_heading_slug_func = "at_rest.jupyter_slug"
suppress_warnings = ["myst.header"]  # a document may skip a level

html_theme = "sphinx_book_theme"
html_theme_options = {
    "use_download_button": False,  # each page links its notebook
    "use_fullscreen_button": False,
    "navbar_start": [],
    "navbar_center": [],
    "navbar_end": [],
    "navbar_persistent": [],  # the search is in the bar beside the pages
    "footer_content_items": ["extra-footer.html"],
    "extra_footer": "Code under MIT, text and pictures under CC BY 4.0.",
    "logo": {"text": "Deployment"},
    "home_page_in_toc": False,
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
templates_path = [str(HERE / "templates")]
html_css_files = ["course.css", "claims.css"]
html_js_files = [("course.js", {"defer": "defer"})]
html_favicon = str(HERE.parent / "edge" / "browser" / "app" / "icon.svg")
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_last_updated_fmt = None
copybutton_exclude = ".linenos, .gp, .go"
