"""The ways to shut student code off: ``bubblewrap``, a ``container_engine``, or not at all (``unprotected``).

Each starts the same program; ``backend`` is what they share. Which of them holds is found in
``fsdl_course.labs.isolation``.
"""
