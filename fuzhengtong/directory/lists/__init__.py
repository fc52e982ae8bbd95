"""The lists a city hands in, read row by row into frozen values, with every wrong cell named.

Pure: bytes in, rows and problems out. Called by `imports`, which checks the rows against the database and writes them.
A list with one problem is never half read into the city: the caller refuses the whole of it and shows all problems.
Dates in a list are days of the country's legal time and begin at midnight.
"""
