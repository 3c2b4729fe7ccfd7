"""The use cases: build, load, run, check, up, down, each a plain function over the parts below.

The command line, the pytest plugin and the Python API all come in here.
"""
