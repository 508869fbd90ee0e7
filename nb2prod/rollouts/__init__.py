"""A staged rollout under way: how it begins, what its controller looks at, what can be done by hand."""
