"""Optimization: the ladder, and each technique of the lecture in a module of its own.

Distillation is in ``training.distillation``, since it is part of a training; batching is in
``service.batching``, since it is part of the service.
"""
