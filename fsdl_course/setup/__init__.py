"""Set-up: the environments of the core and of the stations, and what is wrong with this machine."""
