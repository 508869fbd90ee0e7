"""Gates: what a release must show before it is deployed, or moves to the next environment; and every decision about it."""
