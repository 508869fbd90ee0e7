"""Evidence that may be looked at whenever one likes: anytime-valid tests, for watching, rollouts and labels.

Evidence against a null hypothesis is an *e-process*: a number that starts at 1, is never expected to be above 1 while the null holds, however often
and whenever one looks, and grows without end once it does not hold. By Ville's inequality it ever reaches 1/alpha with a probability of at most alpha.
Everything here is kept as a natural logarithm. References: Ramdas, Gruenwald, Vovk and Shafer, "Game-theoretic statistics and safe anytime-valid
inference" (2023).

`counts`: have counts by category the shares of a finite reference? `events`: do events fall to one of two arms with the share that traffic does? `canary`: does
a canary do harm, by all that is asked of its answers?
`means`: is a bounded mean above what was stated, and where does it lie? `families`: many questions at once. Needs numpy and scipy only.
"""
