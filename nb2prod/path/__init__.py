"""From a recording to the serving path: what the service must run, and every value it needs from training."""
