"""Delivery: from a training run to a release that can be taken back, one command and a gate each"""
