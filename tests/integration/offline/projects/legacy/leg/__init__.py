from ._fast import six


def answer():
    return six() * 7
