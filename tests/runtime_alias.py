"""Generated code imports `nb2prod_runtime`, the copy of the runtime in its Bento; in a test's own process that is `nb2prod.runtime`.

One runtime under two names, never a second copy of a module: an exception of one would be no exception of the other.
"""

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec

COPY, OWN = "nb2prod_runtime", "nb2prod.runtime"


class _Alias(MetaPathFinder, Loader):
    def find_spec(self, fullname, path, target=None):
        return ModuleSpec(fullname, self) if fullname == COPY or fullname.startswith(f"{COPY}.") else None

    def create_module(self, spec):
        module = importlib.import_module(OWN + spec.name.removeprefix(COPY))
        self._spec = module.__spec__
        return module

    def exec_module(self, module):
        # The import system has given the module the spec of its other name.
        module.__spec__ = self._spec


def install():
    """Make it so, once."""
    if not any(isinstance(finder, _Alias) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Alias())
