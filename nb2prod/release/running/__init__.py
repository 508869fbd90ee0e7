"""Releases that run on this machine: the processes, their keeper, the proxy before them, and the record of it all."""
