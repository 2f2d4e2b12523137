"""Slides: a deck for each lesson, filled from the records, built to HTML and PDF, and looked at"""
