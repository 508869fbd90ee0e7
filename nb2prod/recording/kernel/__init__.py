"""Code that runs inside the notebook's kernel while it is recorded.

These modules are sent to the kernel as source, so the kernel needs no nb2prod: at import they use the standard library only, and
numpy, pandas and scikit-learn only once the notebook itself has imported them.
"""
