"""What runs inside a sandbox: one program (``program``), made of a few modules of the standard library only.

``runner`` answers requests, ``child`` bounds what student code takes, ``values`` writes what it returns.
"""
