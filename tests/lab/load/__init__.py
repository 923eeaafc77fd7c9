"""Clients and observers of the lab that are not hactl: standard library only, run in the lab's own network."""
