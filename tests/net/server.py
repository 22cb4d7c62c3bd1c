#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""server: a registry on loopback that can be told to misbehave.

    tests/net/server.py [--root LAYOUT] [--log FILE] [--tls CERT KEY] [SCRIPT]
                        [--tls-at-most 1.1] [--client-ca FILE]

It listens on three ports of 127.0.0.1 (the registry, another origin, and TLS; the
last is 0 without --tls), prints them in one line and serves until its standard
input ends, so that it never outlives the test that started it.

What it serves when nothing is wrong:
    /v2/REPO/manifests/REF   from LAYOUT by tag or digest; without LAYOUT a small
                             manifest at the tag v1
    /v2/REPO/blobs/DIGEST    from LAYOUT; a digest of zeros that ends in a number
                             N (hex) is N bytes of pattern()
    /v2/REPO/referrers/DIG   from LAYOUT: manifests with that subject
    /file/N                  N bytes of pattern()
    /token                   a token; user "u", password "p"; refresh token "r"
Blobs and files have ETags and ranges.

SCRIPT is a JSON list of rules. The first rule that matches a request decides:
    "at"      regular expression that the path with its query must match
    "method"  GET, HEAD, POST; absent: any
    "port"    "main", "other", "tls"; absent: any
    "skip"    so many matching requests are served as if the rule were not there
    "times"   how often it applies; absent: always
    "do"      what happens, see the methods do_NAME below, with their members
In texts {main}, {other}, {tls} are the ports and {path} is the path asked for; a
header's value "@N" is N letters.

Each request is a line in the log: PORT METHOD PATH, then "authorization=...",
"range=...", "if-range=...", "body=..." where there are such, the time last.
"""
import argparse
import base64
import contextlib
import hashlib
import json
import os
import re
import socket
import socketserver
import ssl
import sys
import threading
import time
import warnings
from http.server import BaseHTTPRequestHandler

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
SMALL = json.dumps({
    "schemaVersion": 2, "mediaType": MANIFEST,
    "config": {"mediaType": "application/vnd.oci.empty.v1+json", "size": 2,
               "digest": "sha256:" + hashlib.sha256(b"{}").hexdigest()},
    "layers": []}).encode()
TILE = bytes((i * i + i // 7) & 255 for i in range(65521))


def pattern(size):
    """Bytes in which no two places look alike, as tests/support's C has them."""
    return (TILE * (size // len(TILE) + 1))[:size]


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Layout:
    """An OCI layout directory as the content of every repository."""

    def __init__(self, path):
        self.path = path
        self.tags = {"v1": None}
        if path is None:
            return
        with open(os.path.join(path, "index.json"), "rb") as f:
            index = json.load(f)
        self.tags = {}
        for entry in index["manifests"]:
            name = entry.get("annotations", {}).get("org.opencontainers.image.ref.name")
            if name:
                self.tags[name] = entry["digest"]

    def blob(self, digest):
        if self.path is not None and re.fullmatch("sha256:[0-9a-f]{64}", digest):
            try:
                with open(os.path.join(self.path, "blobs", "sha256", digest[7:]), "rb") as f:
                    return f.read()
            except FileNotFoundError:
                pass
        if re.fullmatch("sha256:0{56}[0-9a-f]{8}", digest):
            return pattern(int(digest[-8:], 16))
        return None

    def manifest(self, ref):
        if ref in self.tags and self.tags[ref] is None:
            return SMALL
        return self.blob(self.tags.get(ref, ref))

    def referrers(self, digest):
        found = []
        folder = os.path.join(self.path, "blobs", "sha256") if self.path else None
        for name in sorted(os.listdir(folder)) if folder else []:
            data = self.blob("sha256:" + name)
            try:
                doc = json.loads(data)
            except ValueError:
                continue
            if isinstance(doc, dict) and doc.get("subject", {}).get("digest") == digest:
                found.append({"mediaType": doc.get("mediaType", MANIFEST), "size": len(data),
                              "digest": "sha256:" + name,
                              "artifactType": doc.get("artifactType", "")})
        return index_of(found)


def index_of(entries):
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()


class Rule:
    def __init__(self, spec):
        self.spec = spec
        self.at = re.compile(spec["at"])
        self.seen = 0

    def takes(self, method, path, port):
        spec = self.spec
        if spec.get("method", method) != method or spec.get("port", port) != port:
            return False
        if not self.at.search(path):
            return False
        self.seen += 1
        n = self.seen - spec.get("skip", 0)
        return n > 0 and n <= spec.get("times", n)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "test"
    sys_version = ""

    def log_message(self, *args):
        pass

    # ---- answers ----

    def fill(self, text):
        for name, value in self.server.world.ports.items():
            text = text.replace("{%s}" % name, str(value))
        return text.replace("{path}", self.path)

    def begin(self, code, headers):
        self.send_response_only(code)
        for name, value in headers.items():
            for one in value if isinstance(value, list) else [value]:
                one = self.fill(str(one))
                self.send_header(name, "a" * int(one[1:]) if one[:1] == "@" else one)
        self.end_headers()

    def answer(self, code, headers, body=b""):
        headers = dict({"Content-Length": len(body)}, **headers)
        self.begin(code, headers)
        if self.command != "HEAD":
            self.wfile.write(body)

    def content(self):
        """(media type, bytes, extra header) of what the path names, or None."""
        world, path = self.server.world, self.path.split("?")[0]
        match = re.fullmatch(r"/v2/(.+)/(manifests|blobs|referrers)/([^/]+)", path)
        if match:
            kind, name = match.group(2), match.group(3)
            if kind == "manifests":
                data = world.layout.manifest(name)
                if data is None:
                    return None
                media = json.loads(data).get("mediaType", MANIFEST)
                return media, data, {"Docker-Content-Digest": digest_of(data)}
            if kind == "referrers":
                return INDEX, world.layout.referrers(name), {}
            data = world.layout.blob(name)
            return data and ("application/octet-stream", data, {"Docker-Content-Digest": name})
        match = re.fullmatch(r"/file/([0-9]+)", path)
        if match:
            return "application/octet-stream; charset=binary", pattern(int(match.group(1))), {}
        return None

    def serve(self, ranges=True):
        if self.path.startswith("/token"):
            return self.do_token({})
        found = self.content()
        if found is None:
            return self.answer(404, {"Content-Type": "application/json"},
                               b'{"errors":[{"code":"NAME_UNKNOWN"}]}')
        media, data, headers = found
        headers = dict(headers, **{"Content-Type": media, "ETag": '"%s"' % digest_of(data)[7:23]})
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and ranges and self.headers.get("If-Range", headers["ETag"]) == headers["ETag"]:
            first = int(asked.group(1))
            if first >= len(data):
                return self.answer(416, {})
            headers["Content-Range"] = "bytes %d-%d/%d" % (first, len(data) - 1, len(data))
            return self.answer(206, headers, data[first:])
        return self.answer(200, headers, data)

    # ---- what a rule can do ----

    def do_status(self, do):
        """code, headers, body: this answer."""
        self.answer(do["code"], do.get("headers", {}), self.fill(do.get("body", "")).encode())

    def do_redirect(self, do):
        """to, code (307)"""
        self.answer(do.get("code", 307), {"Location": do["to"]})

    def do_bearer(self, do):
        """Served with the header "Bearer WANT" (token), else a challenge; realm."""
        want = "Bearer " + do.get("want", "token")
        if self.headers.get("Authorization") == want:
            return self.serve()
        realm = do.get("realm", "http://127.0.0.1:{main}/token")
        value = 'Bearer realm="%s",service="here"' % realm
        if "scope" in do:
            value += ',scope="%s"' % do["scope"]
        self.answer(401, {"WWW-Authenticate": value}, b"{}")

    def do_basic(self, do):
        """Served with user u and password p, else a challenge."""
        want = "Basic " + base64.b64encode(b"u:p").decode()
        if self.headers.get("Authorization") == want:
            return self.serve()
        self.answer(401, {"WWW-Authenticate": 'Basic realm="here"'})

    def do_token(self, do):
        """answer: the document; else {"token": "token"}. strict: wrong or no
        credentials are refused."""
        ok = self.headers.get("Authorization") == "Basic " + base64.b64encode(b"u:p").decode()
        ok = ok or (self.command == "POST" and b"refresh_token=r" in self.body.split(b"&"))
        if do.get("strict") and not ok:
            return self.answer(401, {}, b"{}")
        text = do.get("answer", '{"token":"token","expires_in":300}')
        self.answer(200, {"Content-Type": "application/json"}, text.encode())

    def do_truncate(self, do):
        """after: bytes of body; the length that is stated is the whole one."""
        media, data, headers = self.content()
        etag = do.get("etag", '"%s"' % digest_of(data)[7:23])
        first = 0
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        headers = dict(headers, **{"Content-Type": media, "Content-Length": len(data)})
        if etag:
            headers["ETag"] = etag
        if asked:
            first = int(asked.group(1))
            headers["Content-Range"] = "bytes %d-%d/%d" % (first, len(data) - 1, len(data))
            headers["Content-Length"] = len(data) - first
        headers["Connection"] = "close"
        self.begin(206 if asked else 200, headers)
        self.wfile.write(data[first:first + do["after"]])
        self.close_connection = True

    def do_whole(self, do):
        """As if there were no ranges."""
        self.serve(ranges=False)

    def do_replace(self, do):
        """headers: served, with these headers instead; status, flip: place of a
        byte that is changed; cut: bytes left out at the front; take: length."""
        _, data, headers = self.content()
        headers = dict(headers, **do.get("headers", {}))
        data = data[do.get("cut", 0):][:do.get("take")]
        if "flip" in do:
            data = bytearray(data)
            data[do["flip"]] ^= 1
        self.answer(do.get("status", 200), headers, bytes(data))

    def do_endless(self, do):
        """A body without a stated length and without an end."""
        self.begin(do.get("status", 200), {"Content-Type": "application/octet-stream"})
        self.close_connection = True
        while True:
            self.wfile.write(TILE)

    def do_chunked(self, do):
        """The content in chunks, of which the last is missing if "open"; then a
        trailer that must not count."""
        media, data, headers = self.content()
        self.begin(200, dict(headers, **{"Content-Type": media, "Transfer-Encoding": "chunked"}))
        for i in range(0, len(data), 1000):
            piece = data[i:i + 1000]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        if not do.get("open"):
            self.wfile.write(b"0\r\nContent-Type: text/evil\r\nDocker-Content-Digest: x\r\n\r\n")
        self.close_connection = True

    def do_dribble(self, do):
        """One byte each "every" seconds."""
        media, data, headers = self.content()
        self.begin(200, {"Content-Type": media, "Content-Length": len(data)})
        for byte in data:
            self.wfile.write(bytes([byte]))
            time.sleep(do.get("every", 0.02))

    def do_silent(self, do):
        """Says nothing until the client goes."""
        self.close_connection = True
        self.connection.recv(1)

    def do_close(self, do):
        self.close_connection = True

    def do_raw(self, do):
        """text: these bytes, then the end."""
        self.wfile.write(self.fill(do["text"]).encode("latin-1"))
        self.close_connection = True

    def do_index(self, do):
        """from, count: referrers numbered so; link: the Link header; headers."""
        entries = [{"mediaType": MANIFEST, "size": 100 + i, "digest": "sha256:%064x" % i,
                    "artifactType": "application/x", "annotations": {"n": str(i)}}
                   for i in range(do.get("from", 0), do.get("from", 0) + do["count"])]
        headers = {"Content-Type": do.get("type", INDEX + "; charset=utf-8")}
        if "link" in do:
            headers["Link"] = do["link"]
        self.answer(200, headers, index_of(entries))

    # ---- one request ----

    def record(self):
        line = [self.server.name, self.command, self.path]
        for name in ("Authorization", "Range", "If-Range", "Accept-Encoding"):
            if name in self.headers:
                line.append("%s=%s" % (name.lower(), self.headers[name]))
        if self.body:
            line.append("body=" + self.body.decode("latin-1"))
        line.append("%.3f" % time.monotonic())
        self.server.world.note(" ".join(line))

    def handle_request(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.record()
        do = self.server.world.decide(self.command, self.path, self.server.name)
        try:
            if do is None:
                self.serve()
            else:
                getattr(self, "do_" + do["do"])(do)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True

    do_GET = do_HEAD = do_POST = handle_request


def drain(tls):
    """Close so that the alert arrives: closing with bytes unread would reset instead."""
    with socket.socket(fileno=tls.detach()) as s:
        with contextlib.suppress(OSError):
            s.settimeout(2)
            s.shutdown(socket.SHUT_WR)
            while s.recv(4096):
                pass


class World:
    def __init__(self, layout, rules, log):
        self.layout, self.rules, self.log = layout, rules, log
        self.lock = threading.Lock()
        self.ports = {}

    def note(self, line):
        with self.lock:
            if self.log is not None:
                self.log.write(line + "\n")
                self.log.flush()

    def decide(self, method, path, port):
        with self.lock:
            for rule in self.rules:
                if rule.takes(method, path, port):
                    return rule.spec
        return None


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, world, name, context=None):
        self.world, self.name, self.context = world, name, context
        super().__init__(("127.0.0.1", 0), Handler)
        world.ports[name] = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def finish_request(self, request, address):
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.context is not None:
            try:
                request = self.context.wrap_socket(request, server_side=True,
                                                   do_handshake_on_connect=False)
                request.do_handshake()
            except OSError:
                drain(request)
                return
        super().finish_request(request, address)

    def handle_error(self, request, address):
        if not isinstance(sys.exc_info()[1], (OSError, ssl.SSLError)):
            super().handle_error(request, address)


def main():
    args = argparse.ArgumentParser(usage=__doc__)
    args.add_argument("--root")
    args.add_argument("--log")
    args.add_argument("--tls", nargs=2)
    args.add_argument("--tls-at-most")
    args.add_argument("--client-ca")
    args.add_argument("script", nargs="?")
    args = args.parse_args()
    rules = []
    if args.script:
        with open(args.script, encoding="utf-8") as f:
            rules = [Rule(spec) for spec in json.load(f)]
    log = open(args.log, "w", encoding="utf-8") if args.log else None
    world = World(Layout(args.root), rules, log)
    Server(world, "main")
    Server(world, "other")
    world.ports["tls"] = 0
    if args.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*args.tls)
        if args.tls_at_most:
            warnings.simplefilter("ignore")  # that these are old is the point
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion["TLSv" + args.tls_at_most.replace(".", "_")]
            context.set_ciphers("DEFAULT@SECLEVEL=0")
        if args.client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(args.client_ca)
        Server(world, "tls", context)
    print(world.ports["main"], world.ports["other"], world.ports["tls"], flush=True)
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
