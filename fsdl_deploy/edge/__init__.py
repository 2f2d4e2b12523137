"""The edge: when a device should read for itself, what that costs, and how to keep it working in the field"""
