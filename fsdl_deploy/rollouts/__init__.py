"""Rollouts: change the model without anyone noticing, and notice when it is wrong"""
