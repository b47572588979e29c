"""A token server that is not Berth's: Docker's token specification over HTTPS, in a page of Python.

It knows users and passwords and grants each what `allows(user, repository)` returns. Tokens are signed by an RSA key
whose certificate is what the registry trusts; they name it as Docker's older servers do, or bring the certificate.
"""

import base64
import hashlib
import json
import ssl
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import jose


def docker_id(key):
    """libtrust's name of a key: base32 of SHA-256, 30 bytes, in groups of four."""
    text = base64.b32encode(hashlib.sha256(key.public_der).digest()[:30]).decode()
    return ":".join(text[at : at + 4] for at in range(0, len(text), 4))


def certificate_header(path):
    """The `x5c` of a PEM file's first certificate."""
    body = path.read_text().split("-----BEGIN CERTIFICATE-----")[1].split("-----END CERTIFICATE-----")[0]
    return {"x5c": ["".join(body.split())], "kid": None}


class TokenServer:
    """`pair` is (certificate, key) for TLS and for the tokens; use it by `with`."""

    def __init__(self, pair, users, allows, service="berth", issuer="elsewhere"):
        self.users, self.allows, self.service, self.issuer = users, allows, service, issuer
        self.key = jose.Key(pair[1])
        self.header = {"kid": docker_id(self.key)}
        self.asked = []  # (user, scopes) of each request
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*map(str, pair))
        self.httpd = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.httpd.daemon_threads = True
        self.httpd.socket = context.wrap_socket(self.httpd.socket, server_side=True)
        # By name: crane refuses realms at the numbers of private networks.
        self.realm = f"https://localhost:{self.httpd.server_port}/token"

    def __enter__(self):
        threading.Thread(target=self.httpd.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.httpd.shutdown()
        self.httpd.server_close()

    def token(self, user, scopes, **changes):
        now = int(time.time())
        access = []
        for scope in scopes:
            kind, name, actions = scope.split(":", 2)
            allowed = [action for action in actions.split(",") if action in self.allows(user, name)]
            access.append({"type": kind, "name": name, "actions": allowed})
        claims = {
            "iss": self.issuer, "sub": user, "aud": self.service, "exp": now + 300, "nbf": now - 10, "iat": now,
            "jti": str(uuid.uuid4()), "access": access, **changes,
        }  # fmt: skip
        return self.key.token({name: value for name, value in claims.items() if value is not None}, self.header)

    def _user(self, field):
        """The user of a Basic field; empty without one; None for a wrong password."""
        if not field:
            return ""
        user, _, password = base64.b64decode(field.removeprefix("Basic ")).decode().partition(":")
        return user if self.users.get(user) == password else None

    def _handler(self):
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self, status, body):
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_POST(self):
                """OAuth2's password grant."""
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                user = form.get("username", [""])[0]
                known = service.users.get(user) == form.get("password", [""])[0]
                self.give(user if known else None, form.get("scope", []))

            def do_GET(self):
                query = parse_qs(urlsplit(self.path).query)
                self.give(service._user(self.headers.get("Authorization")), query.get("scope", []))

            def give(self, user, scopes):
                if user is None:
                    return self.answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong password"}]})
                scopes = " ".join(scopes).split()
                service.asked.append((user, scopes))
                token = service.token(user, scopes)
                return self.answer(200, {"token": token, "access_token": token, "expires_in": 300})

        return Handler
