"""Tries the generated modules on the recorded rows, in a clean process of the kernel's own Python.

What depends on the run and decides behaviour is settled here, by experiment: does the path replay, is each row's answer its own, which columns
matter, which filters belong to training, which fields take null. Imports nothing of nb2prod but the runtime, under the name that it has in a Bento.
`__main__.py` is what the process runs; the modules find each other as parts of this package, under a name that no notebook's module has.
"""
