"""A class of students without browsers: what ``benchmarks/classroom_load.py`` is made of."""
