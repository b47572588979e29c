"""A mail server for one test: takes every mail, in TLS when asked to, and keeps it with its envelope."""

import base64
import email
import email.policy
import socketserver
import threading
import time


class _Session(socketserver.StreamRequestHandler):
    timeout = 60

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        owner = self.server.owner
        self.in_tls, self.user, self.envelope = False, None, []
        self.say("220 mail.example.org")
        while line := self.rfile.readline().decode().rstrip("\r\n"):
            verb = line.split()[0].upper()
            if verb == "QUIT":
                self.say("221 bye")
                return
            if verb == "STARTTLS":
                self.say("220 go on")
                self.start_tls(owner.tls)
            else:
                getattr(self, f"do_{verb}".lower(), self.unknown)(line)

    def start_tls(self, context):
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.in_tls = True

    def unknown(self, line):
        self.say("500 what?")

    def do_ehlo(self, line):
        offers = ["mail.example.org"]
        if self.server.owner.tls and not self.in_tls:
            offers.append("STARTTLS")
        offers.append("AUTH PLAIN")
        for offer in offers[:-1]:
            self.say(f"250-{offer}")
        self.say(f"250 {offers[-1]}")

    def do_auth(self, line):
        words = line.split()
        if len(words) < 3:
            self.say("334 ")
            words.append(self.rfile.readline().decode().strip())
        self.user = (*base64.b64decode(words[2]).decode().split("\0")[1:], self.in_tls)
        self.server.owner.users.append(self.user)
        self.say("235 welcome")

    def do_mail(self, line):
        self.envelope = [line]
        self.say("250 ok")

    def do_rcpt(self, line):
        self.envelope.append(line)
        self.say("250 ok")

    def do_data(self, line):
        self.say("354 go on")
        data = b""
        while (part := self.rfile.readline()) != b".\r\n":
            data += part.removeprefix(b".") if part.startswith(b"..") else part
        self.server.owner.keep(self.envelope, data, self.user, self.in_tls)
        self.say("250 taken")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that breaks off, as one does whose trust we have not


class SmtpServer:
    """`tls` is a server's context; it is offered by STARTTLS. `users` are all that have logged in, with password."""

    def __init__(self, tls=None, host="127.0.0.1"):
        self.tls = tls
        self.mails = []
        self.users = []
        self.changed = threading.Condition()
        self.server = _Server((host, 0), _Session)
        self.server.owner = self
        self.port = self.server.server_address[1]

    def keep(self, envelope, data, user, in_tls):
        message = email.message_from_bytes(data, policy=email.policy.default)
        with self.changed:
            self.mails.append({"envelope": envelope, "message": message, "user": user, "tls": in_tls})
            self.changed.notify_all()

    def wait_for(self, count, seconds=20):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.mails) >= count, seconds), self.mails
            return self.mails

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,)).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
