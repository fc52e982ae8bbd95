"""Writing the lists of a city into the directory: first the differences, then all of them or none.

Called through `actions`. Each import reads its list (`lists`), checks it against what stands, compares, and where told
to apply writes rows and one ReferenceEntry per difference in one transaction. A list with one wrong row changes
nothing, and the same list handed in twice changes nothing the second time.
"""
