"""Lab 10: a service that a student hands in is started, loaded, disturbed, and judged by its history.

``generator`` says what is asked, ``timetable`` what goes wrong when. ``arena`` runs both against a service in
the sandbox and writes the ``history``; ``checker`` reads that afterwards. The contract is
``labs/lab10/CONTRACT.md``.
"""
