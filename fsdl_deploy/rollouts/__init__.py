"""Rollouts: change the model gradually and back again, and notice when it is wrong"""
