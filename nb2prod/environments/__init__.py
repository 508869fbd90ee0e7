"""Python environments: the one that a notebook's kernel runs in, and the one that its service is proved and served in.

`kernels` finds a notebook's interpreter, `interpreter` asks what is installed for it, `closure` works out what some of its
packages need, `lock` settles exact pins with uv, `store` makes an environment of such pins and keeps it, `served` decides
which environment a build or a Bento runs in.
"""
