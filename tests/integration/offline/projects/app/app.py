#!/usr/bin/env python3
"""An application of one file."""

from __future__ import annotations

import os
import sys

import requests
import yaml

print(sys.argv[0].rpartition("/")[2], yaml.safe_load("[1, 2]"), requests.__name__, os.environ["GREETING"])
