"""Make a set of real captures: clients and servers of nine protocols talk on the loopback, tcpdump listens.

    python tools/make_captures.py OUT [--sessions 40] [--captures 4] [--seed 0]
    tinynas data from-pcap OUT --labels OUT/labels.csv --out SET

Needs Linux, the right to capture (root), and tcpdump and openssl (Debian's packages of these names). The clients are
those of Python's standard library; so are the servers of HTTP and TLS, the others answer as their clients expect.
Names, paths, texts and lengths are drawn by the seed. OUT gets `--captures` files a protocol and labels.csv.
"""

import argparse
import contextlib
import ftplib
import http.server
import imaplib
import logging
import logging.handlers
import poplib
import random
import smtplib
import socket
import socketserver
import ssl
import string
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

WAIT_S = 5.0
Client = Callable[[int, random.Random], None]


def word(rng: random.Random, least: int = 3, most: int = 12) -> str:
    return "".join(rng.choices(string.ascii_lowercase, k=rng.randint(least, most)))


def text(rng: random.Random, words: int) -> str:
    return " ".join(word(rng) for _ in range(rng.randint(1, words)))


class Web(http.server.BaseHTTPRequestHandler):
    """Answers any GET with a text whose length follows from the path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        rng = random.Random(self.path)
        body = f"<html><title>{word(rng)}</title><p>{text(rng, 200)}</p></html>".encode()
        self.send_response(rng.choice([200, 200, 200, 404]))
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def get(scheme: str, port: int, rng: random.Random, context: ssl.SSLContext | None = None) -> None:
    path = "/".join(word(rng) for _ in range(rng.randint(1, 3)))
    agent = {"User-Agent": f"{word(rng)}/{rng.randint(1, 9)}.{rng.randint(0, 9)}", "Host": f"{word(rng)}.example"}
    request = urllib.request.Request(f"{scheme}://localhost:{port}/{path}?q={word(rng)}", headers=agent)
    with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(request, context=context) as answer:
        answer.read()


class Lines(socketserver.StreamRequestHandler):
    """A server of lines: `greeting`, then what `reply` says to each command."""

    greeting = ""

    def handle(self) -> None:
        self.say(self.greeting)
        while line := self.rfile.readline().decode(errors="replace").strip():
            answer = self.reply(line)
            self.say(answer)
            if self.ends(line):
                return

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def reply(self, line: str) -> str:
        raise NotImplementedError

    def ends(self, line: str) -> bool:
        return "QUIT" in line.upper()


class Smtp(Lines):
    greeting = "220 mail.example ESMTP ready"

    def reply(self, line: str) -> str:
        command = line[:4].upper()
        if command == "DATA":
            self.say("354 go ahead")
            while self.rfile.readline().strip() != b".":
                pass
            return "250 2.0.0 queued"
        return {"EHLO": "250-mail.example\r\n250 SIZE 1000000", "QUIT": "221 bye"}.get(command, "250 2.1.0 ok")


def send_mail(port: int, rng: random.Random) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"{word(rng)}@a.example", f"{word(rng)}@b.example", text(rng, 5)
    mail.set_content(text(rng, 80))
    with smtplib.SMTP("localhost", port, local_hostname=f"{word(rng)}.example") as client:
        client.send_message(mail)


class Pop3(Lines):
    greeting = "+OK POP3 ready"

    def reply(self, line: str) -> str:
        rng, command = random.Random(line), line[:4].upper()
        mail = f"+OK message follows\r\nSubject: {text(rng, 5)}\r\n\r\n{text(rng, 80)}\r\n."
        return {"STAT": f"+OK {rng.randint(1, 9)} {rng.randint(99, 9999)}", "RETR": mail}.get(command, "+OK")


def fetch_mail(port: int, rng: random.Random) -> None:
    client = poplib.POP3("localhost", port)
    client.user(word(rng))
    client.pass_(word(rng))
    client.stat()
    client.retr(rng.randint(1, 10_000))
    client.quit()


class Imap(Lines):
    greeting = "* OK IMAP4rev1 ready"

    def reply(self, line: str) -> str:
        rng, (tag, command, *_) = random.Random(line), line.split()
        extra = {
            "CAPABILITY": "* CAPABILITY IMAP4rev1\r\n",
            "SELECT": f"* {rng.randint(1, 99)} EXISTS\r\n",
            "SEARCH": "* SEARCH " + " ".join(map(str, range(1, rng.randint(2, 9)))) + "\r\n",
            "LOGOUT": "* BYE\r\n",
        }.get(command.upper(), "")
        return f"{extra}{tag} OK {command} done"

    def ends(self, line: str) -> bool:
        return "LOGOUT" in line.upper()


def look_for_mail(port: int, rng: random.Random) -> None:
    client = imaplib.IMAP4("localhost", port)
    client.login(word(rng), word(rng))
    client.select(word(rng))
    client.search(None, "SUBJECT", word(rng))
    client.logout()


class Ftp(Lines):
    greeting = "220 FTP ready"

    def reply(self, line: str) -> str:
        command, _, rest = line.partition(" ")
        known = {"USER": "331 password please", "PASS": "230 logged in", "PWD": '257 "/" is here', "QUIT": "221 bye"}
        return known.get(command.upper(), f"250 {rest or command} done")


def change_folders(port: int, rng: random.Random) -> None:
    with contextlib.closing(ftplib.FTP()) as client:
        client.connect("localhost", port)
        client.login(word(rng), word(rng))
        for _ in range(rng.randint(1, 4)):
            client.cwd(word(rng))
        client.delete(f"{word(rng)}.txt")
        client.quit()


class Dns(socketserver.BaseRequestHandler):
    """Answers a query with one address."""

    def handle(self) -> None:
        query, server = self.request
        rng = random.Random(query[12:])
        answer = struct.pack(">HHHIH4s", 0xC00C, 1, 1, rng.randint(60, 9999), 4, rng.randbytes(4))
        server.sendto(query[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + query[12:] + answer, self.client_address)


def ask_name(port: int, rng: random.Random) -> None:
    labels = [word(rng) for _ in range(rng.randint(1, 3))] + [rng.choice(["com", "org", "net", "example"])]
    name = b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"
    ask(port, rng.randbytes(2) + b"\x01\0\0\1\0\0\0\0\0\0" + name + struct.pack(">HH", rng.choice([1, 28]), 1))


class Ntp(socketserver.BaseRequestHandler):
    """Answers with the time it is."""

    def handle(self) -> None:
        query, server = self.request
        now = struct.pack(">II", int(time.time()) + 2208988800, int(time.time() % 1 * 2**32))
        head = b"\x24\x02\x06\xec" + bytes(8) + b"\x7f\0\0\1"
        server.sendto(head + now + query[40:48] + now + now, self.client_address)


def ask_time(port: int, rng: random.Random) -> None:
    ask(port, b"\x23" + bytes(39) + rng.randbytes(8))


class Syslog(socketserver.BaseRequestHandler):
    """Listens."""

    def handle(self) -> None:
        """Take what comes."""


def log_lines(port: int, rng: random.Random) -> None:
    handler = logging.handlers.SysLogHandler(("127.0.0.1", port), facility=rng.randint(0, 23))
    handler.ident = f"{word(rng)}[{rng.randint(100, 9999)}]: "
    for _ in range(rng.randint(1, 5)):
        handler.emit(logging.LogRecord("log", rng.choice([20, 30, 40]), "", 0, text(rng, 15), None, None))
    handler.close()


def ask(port: int, query: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(WAIT_S)
        client.sendto(query, ("127.0.0.1", port))
        client.recv(4096)


class Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64


PROTOCOLS: dict[str, tuple[type[socketserver.BaseServer], type[socketserver.BaseRequestHandler], Client]] = {
    "http": (Tcp, Web, lambda port, rng: get("http", port, rng)),
    "tls": (Tcp, Web, lambda port, rng: get("https", port, rng, ssl._create_unverified_context())),
    "smtp": (Tcp, Smtp, send_mail),
    "pop3": (Tcp, Pop3, fetch_mail),
    "imap": (Tcp, Imap, look_for_mail),
    "ftp": (Tcp, Ftp, change_folders),
    "dns": (socketserver.ThreadingUDPServer, Dns, ask_name),
    "ntp": (socketserver.ThreadingUDPServer, Ntp, ask_time),
    "syslog": (socketserver.ThreadingUDPServer, Syslog, log_lines),
}


def certificate(folder: Path, name: str) -> ssl.SSLContext:
    """A server's context with a new self-signed certificate."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9"]
    files = ["-keyout", str(key), "-out", str(cert), "-subj", f"/CN={name}.example"]
    subprocess.run([*command, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


@contextlib.contextmanager
def serving(protocol: str, rng: random.Random) -> Iterator[int]:
    """Run the protocol's server in a thread; yield its port."""
    kind, handler, _ = PROTOCOLS[protocol]
    with kind(("127.0.0.1", 0), handler) as server, tempfile.TemporaryDirectory() as folder:
        if protocol == "tls":
            server.socket = certificate(Path(folder), word(rng)).wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


def settle(path: Path) -> None:
    """Wait until the file has not grown for a while: the last packets are on their way."""
    size = -1
    while path.stat().st_size != size:
        size = path.stat().st_size
        time.sleep(1.5)  # tcpdump empties its buffer once a second


@contextlib.contextmanager
def captured(path: Path, port: int) -> Iterator[None]:
    """Let tcpdump write what goes over `port` of the loopback into `path`."""
    command = ["tcpdump", "-i", "lo", "-U", "-w", str(path), f"port {port}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tcpdump:
        assert tcpdump.stderr is not None
        for line in tcpdump.stderr:
            if "listening on" in line:
                break
        else:
            sys.exit(f"tcpdump ended with {tcpdump.wait()}: root and a loopback interface are needed.")
        try:
            yield
            settle(path)
        finally:
            tcpdump.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--sessions", type=int, default=40, help="sessions a capture")
    parser.add_argument("--captures", type=int, default=4, help="captures a protocol")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    for protocol, (_, _, client) in PROTOCOLS.items():
        for number in range(given.captures):
            rng = random.Random(f"{given.seed} {protocol} {number}")
            path = given.out / f"{protocol}-{number}.pcap"
            with serving(protocol, rng) as port, captured(path, port):
                for _ in range(given.sessions):
                    client(port, rng)
            print(f"{path}: {given.sessions} sessions, {path.stat().st_size:,} bytes", flush=True)
    rows = "".join(f"{protocol}-*.pcap,{protocol}\n" for protocol in PROTOCOLS)
    (given.out / "labels.csv").write_text("capture,label\n" + rows)


if __name__ == "__main__":
    main()
