"""Horizontal scaling: copies of the service, who sends them requests, and how many it takes"""
