"""Managed options: what it costs to run the reader on other people's machines"""
