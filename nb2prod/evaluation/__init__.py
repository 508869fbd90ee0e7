"""How well a release predicts: metrics with intervals, by slice, calibration; computed from the recorded run, and paired between releases."""
