"""Mutants: the labs' solutions with one small fault each, to see whether the cases notice it

``faults``, ``names`` and ``statements`` say which faults there are, ``mutation`` writes a source with each,
``trial`` tries one on the cases, ``equivalent`` lists those that are no faults, ``command`` runs all.
"""
