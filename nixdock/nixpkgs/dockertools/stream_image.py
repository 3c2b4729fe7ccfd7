"""Write a streamed image to standard output: the program behind every `stream-<name>`."""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import TYPE_CHECKING

from . import base_image, layered_image
from .base_image import BaseImageError
from .layered_conf import ConfError, LayeredConf

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Stream the image of a conf; the narration goes to standard error.

    Args:
        arguments: Those of the command line, when None.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(
        prog="stream-image",
        description="Write a Docker image to standard output, to be piped into `docker load`.",
    )
    parser.add_argument("conf", help="the conf of the image")
    parser.add_argument("-t", "--repo_tag", help="NAME:TAG to give the image, in place of its own")
    options = parser.parse_args(arguments)
    try:
        stream(options.conf, options.repo_tag)
    except (ConfError, BaseImageError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            # Who reads has had enough; what Python has left to flush goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 141
        tell(f"error: {error}")
        return 1
    return 0


def stream(conf_path: str, repo_tag: str | None) -> None:
    """Stream the image of a conf to standard output.

    Raises:
        ConfError: The file is not a conf.
        BaseImageError: The base image cannot be used.
        OSError: A store path cannot be read, or nobody reads what is written.
    """
    conf = LayeredConf.read(conf_path)
    if conf.from_image is None:
        tell("No 'fromImage' provided")
    with nullcontext() if conf.from_image is None else base_image.read(conf.from_image) as base:
        sources = layered_image.sources(conf, base)
        # Hashing and reading leave the interpreter's lock, so threads are enough.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            digests = list(pool.map(lambda source: source.digest(), sources))
        layers = tuple(zip(sources, digests, strict=True))
        image = layered_image.complete(conf, base, layers, repo_tag=repo_tag)
        layered_image.write(image, sys.stdout.buffer, tell=tell)
    tell("Done.")


def tell(message: str) -> None:
    """Say something on standard error."""
    sys.stderr.write(message + "\n")


if __name__ == "__main__":
    sys.exit(main())
