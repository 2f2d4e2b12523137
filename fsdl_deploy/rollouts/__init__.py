"""Rollouts and monitoring: change the model without anyone noticing, notice when it is wrong."""
