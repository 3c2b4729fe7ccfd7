"""Says what it finds of its dependencies."""

from importlib.metadata import requires, version

import click
import flask
import leg


def main():
    print("greet", flask.__name__, click.__name__, leg.answer(), version("greeter"), sorted(requires("greeter")))
