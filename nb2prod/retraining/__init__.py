"""A model trained again: when that is due, its steps from the notebook's run to a proposal or a staged rollout, and what stops it on the way."""
