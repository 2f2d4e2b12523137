"""Mutants: the labs' solutions with one small fault each, to see whether the cases notice it

``faults`` says which faults there are, ``mutation`` writes a function with each, ``trial`` tries one on the
cases, ``equivalent`` knows those that are no faults, ``command`` runs all.
"""
