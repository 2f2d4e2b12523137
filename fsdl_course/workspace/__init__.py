"""A student's working copy of the lessons, tools and labs in ``work/``, and how to get a fresh one."""
