"""The course as a site of static pages: Sphinx and MyST-NB of what was executed already"""
