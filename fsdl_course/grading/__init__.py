"""Grading from outside: only inputs enter the sandbox, only JSON values leave it, the comparing is done here.

``submissions`` finds the notebooks and ``notebook_file`` reads each, ``answer_key`` has the cases and what
should come out, ``scoring`` calls a submission's functions, ``grade`` brings them together, ``report`` and
``gradebook`` write what came out. What is asked, and the sandbox, are in ``fsdl_course.labs``.
"""
