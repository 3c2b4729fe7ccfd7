"""A service that answers with what is changed."""

import http.server

ANSWER = "first"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers every question alike."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(ANSWER.encode())


http.server.HTTPServer(("", 8000), Handler).serve_forever()
