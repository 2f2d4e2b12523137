"""Monitoring: watch what runs, call a human when customers suffer, and notice when the world has changed"""
