"""What sets the course up, builds its notebooks and labs, checks them and grades hand-ins.

Imports ``fsdl_deploy``, which never imports this. Nothing is imported here.
"""
