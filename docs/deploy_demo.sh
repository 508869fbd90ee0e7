#!/usr/bin/env bash
# From a notebook to something running, and back. Everything it makes lies in a folder that is gone afterwards.
#   docs/deploy_demo.sh        (with nb2prod installed; through HAProxy where that is installed)
set -euo pipefail
notebook="$(cd "$(dirname "$0")/.." && pwd)/example_notebooks/breast_cancer.ipynb"
folder="$(mktemp -d)"
export NB2PROD_HOME="$folder/home" BENTOML_HOME="$folder/bentoml"
cd "$folder"
trap 'nb2prod stop cancer >/dev/null 2>&1 || true; cd /; rm -rf "$folder"' EXIT

say() { printf '\n$ %s\n' "$*"; "$@"; }
build() { printf '\n$ nb2prod build %s\n' "$*"; nb2prod build "$@" 2>/dev/null | sed -n 1p; }

# A release without an owner is not deployed: somebody has to answer for it.
cp "$notebook" cancer.ipynb
cat > nb2prod.toml <<'TOML'
owner = "data-science@example.org"
runbook = "https://wiki.example.org/cancer"
TOML

build cancer.ipynb
say nb2prod deploy cancer
say nb2prod status cancer
url="$(nb2prod status cancer --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["deployments"][0]["url"])')"
say curl -s "$url/readyz"

# Another run of the notebook is another version. It takes over once it is proved.
build cancer.ipynb -p C 3
say nb2prod diff cancer:live cancer
say nb2prod deploy cancer
say nb2prod status cancer

# And back, in seconds.
say nb2prod rollback cancer
say nb2prod logs cancer --history --lines 7

# Taken elsewhere, and ended.
say nb2prod export cancer:live
say nb2prod stop cancer
