"""What runs in a kernel imports the runtime under the name that it has in a Bento; here that is the package itself."""

import sys

import nb2prod.runtime

sys.modules.setdefault("nb2prod_runtime", nb2prod.runtime)
