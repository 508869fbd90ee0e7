"""Tables of any size through a Bento: read, answered in the served environment by the same seam as HTTP, and written, with all cores."""
