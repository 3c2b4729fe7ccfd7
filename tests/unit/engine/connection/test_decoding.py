"""Answers of an engine that come in pieces."""

from __future__ import annotations

import json

from nixdock.engine.connection.decoding import read_messages


def test_messages_are_the_same_wherever_their_pieces_end() -> None:
    messages = [{"stream": "Loaded image: größe:日本\n"}, {"status": "é"}]
    data = b"\r\n".join(json.dumps(message, ensure_ascii=False).encode() for message in messages)
    for size in range(1, len(data) + 1):
        pieces = (data[start : start + size] for start in range(0, len(data), size))
        assert list(read_messages(pieces, "POST /images/load")) == messages
