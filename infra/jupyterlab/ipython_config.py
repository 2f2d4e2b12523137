# Of the core environment: its kernels know what a cell tagged station:NAME needs.
c.InteractiveShellApp.extensions.append("fsdl_course.notebooks.kernel")  # noqa: F821  IPython defines c
