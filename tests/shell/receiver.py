#!/usr/bin/env python3
"""receiver.py http|smtp FOLDER [CERTIFICATE]: a server that keeps what it receives.

Writes its port to FOLDER/port, and each request or mail as a line of JSON to
FOLDER/received.  http: FOLDER/status has the status of each answer (200); a GET is
answered with the sha of a commit.  smtp: with CERTIFICATE it offers STARTTLS, and login
after that.
"""
import base64
import http.server
import json
import os
import socketserver
import ssl
import sys

kind, folder = sys.argv[1:3]
certificate = sys.argv[3] if len(sys.argv) > 3 else None


def received(what):
    with open(folder + "/received", "a", encoding="utf-8") as file:
        file.write(json.dumps(what) + "\n")


class Http(http.server.BaseHTTPRequestHandler):
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        received({"method": self.command, "path": self.path, "body": body,
                  "authorization": self.headers.get("Authorization"),
                  "type": self.headers.get("Content-Type")})
        status = 200
        if os.path.exists(folder + "/status"):
            with open(folder + "/status", encoding="utf-8") as file:
                status = int(file.read())
        text = json.dumps({"sha": "5ha0f7he" + self.path.rpartition("/")[2]}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = answer

    def log_message(self, *args):
        pass


class Smtp(socketserver.StreamRequestHandler):
    mail = None

    def say(self, *lines):
        for i, line in enumerate(lines):
            code, text = line.split(" ", 1)
            dash = " " if i == len(lines) - 1 else "-"
            self.wfile.write(f"{code}{dash}{text}\r\n".encode())

    def start_tls(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.say("220 go")
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)
        self.mail["tls"] = True

    def read_data(self):
        self.say("354 go")
        lines = []
        while (line := self.rfile.readline().decode()) not in (".\r\n", ""):
            lines.append(line)
        received({**self.mail, "data": "".join(lines)})
        self.say("250 kept")

    def handle(self):
        self.mail = {"tls": False, "login": None}
        self.say("220 here")
        while line := self.rfile.readline().decode().strip():
            word = line.split(" ")[0].upper()
            if word == "EHLO":
                extra = [] if not certificate else [
                    "250 AUTH PLAIN" if self.mail["tls"] else "250 STARTTLS"]
                self.say("250 here", *extra)
            elif word == "STARTTLS":
                self.start_tls()
            elif word == "AUTH":
                given = line.split(" ")
                if len(given) < 3:
                    self.say("334 go")
                    given.append(self.rfile.readline().decode().strip())
                self.mail["login"] = base64.b64decode(given[2]).decode().split("\0")[1:]
                self.say("235 in")
            elif word in ("MAIL", "RCPT"):
                self.mail[word.lower()] = line.partition(":")[2]
                self.say("250 so")
            elif word == "DATA":
                self.read_data()
            elif word == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("502 what")


server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Http if kind == "http" else Smtp)
with open(folder + "/port.new", "w", encoding="utf-8") as port_file:
    port_file.write(f"{server.server_address[1]}\n")
os.rename(folder + "/port.new", folder + "/port")
server.serve_forever()
