"""Record what the docker command makes of its words: the request it sends, or the sentence it refuses with.

    python tests/unit/data/docker_create/record.py > tests/unit/data/docker_create/recorded.json

Each line of words.txt is one case: the options of `docker create`, as a shell splits them, and after
` :: ` the words after the image. A socket that answers like an engine takes the request, so that what
is recorded is docker's own reading of the words, with no engine's defaults mixed in.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer
from urllib.parse import parse_qs, urlsplit

API = "1.47"
HERE = Path(__file__).parent
FILES = {
    "values.env": '# a comment\nFROM_FILE=1\nTAKEN\n  SPACED=a b \n\nNOT_SET\nQUOTED="x"\n',
    "labels.txt": "one=1\n# no comment in labels\ntwo\n",
    "seccomp.json": '{"defaultAction": "SCMP_ACT_ALLOW"}',
    "bad.env": "with space=1\n",
}


class Recorder(BaseHTTPRequestHandler):
    """Answers as an engine does, and keeps the request to create a container."""

    protocol_version = "HTTP/1.1"
    taken: list[dict[str, object]]

    def do_GET(self) -> None:
        """Answer a ping, which tells the API version."""
        self._answer({"ApiVersion": API})

    def do_HEAD(self) -> None:
        """Answer a ping without a body."""
        self._answer({})

    def do_POST(self) -> None:
        """Take a request."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        address = urlsplit(self.path)
        if address.path.endswith("/containers/create"):
            query = {key: values[0] for key, values in parse_qs(address.query).items()}
            self.taken.append({"query": query, "body": json.loads(body)})
        self._answer({"Id": "0" * 64})

    def address_string(self) -> str:
        """Return a name: a Unix socket has none."""
        return "local"

    def log_message(self, *_args: object) -> None:
        """Say nothing."""

    def _answer(self, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Api-Version", API)
        self.send_header("Ostype", "linux")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


class Server(UnixStreamServer):
    """A Unix socket's server, with the two names that the HTTP handler asks for."""

    server_name = "local"
    server_port = 0


MAPS = {"ExposedPorts", "Labels", "Options", "PortBindings", "Sysctls", "Tmpfs", "Volumes"}
"""Where the user's own keys stand: an empty value says something."""


def prune(value: object) -> object:
    """Leave out what says nothing: null, empty, false and zero."""
    if isinstance(value, dict):
        pruned = {key: item if key in MAPS else prune(item) for key, item in value.items()}
        return {key: item for key, item in pruned.items() if item not in (None, "", [], {}, 0, False)}
    if isinstance(value, list):
        return [prune(item) for item in value]
    return value


def main() -> None:
    """Record every case."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in FILES.items():
            (Path(folder) / name).write_text(text)
        path = Path(folder) / "engine.sock"
        Recorder.taken = []
        with Server(str(path), Recorder) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            environ = {
                "PATH": os.environ["PATH"],
                "HOME": folder,
                "DOCKER_HOST": f"unix://{path}",
                "TAKEN": "from the environment",
                "EMPTY": "",
            }
            recorded = []
            for line in (HERE / "words.txt").read_text().splitlines():
                if not line or line.startswith("#"):
                    continue
                options, _, command = line.partition(" :: ")
                words = shlex.split(options)
                argv = ["docker", "create", *words, "image", *shlex.split(command)]
                Recorder.taken.clear()
                done = subprocess.run(
                    argv, env=environ, cwd=folder, capture_output=True, text=True, check=False
                )
                case: dict[str, object] = {"words": words, "command": shlex.split(command)}
                if done.returncode == 0:
                    case["query"] = Recorder.taken[0]["query"]
                    case["body"] = prune(Recorder.taken[0]["body"])
                else:
                    case["refusal"] = done.stderr.strip().splitlines()[0]
                recorded.append(case)
            server.shutdown()
    json.dump(json.loads(json.dumps(recorded).replace(folder, "FOLDER")), sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
