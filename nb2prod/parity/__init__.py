"""The proof that a served Bento computes what its notebook computed, and the report of it.

`prover.prove` is the way in; `cases` says what is proved, `report` what came of it, `documents` writes it down.
"""
