"""Grading from outside: only inputs enter the sandbox, only JSON values leave it, the comparing is done here.

``questions`` says what is asked and how a value is judged, ``submissions`` finds the notebooks,
``sandbox`` isolates, ``runner`` is what runs inside, ``grade`` brings them together, ``report`` and
``gradebook`` write what came out.
"""
