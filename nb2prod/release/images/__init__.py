"""Releases as container images: what goes in, who builds them, and the manifests beside them."""
