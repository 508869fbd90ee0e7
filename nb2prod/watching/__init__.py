"""Is a release still asked what its training showed, and does it still answer as it did? From the request log, with evidence that may be looked at at any time."""
