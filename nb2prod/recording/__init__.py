"""Recording: one papermill run of the notebook, with a neutral recorder in the kernel."""
