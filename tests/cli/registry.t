#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""registry: private registries (an authority of their own, client certificates) and
mirrors, against servers on loopback. What cannot be trusted is unknown and says why; a
mirror never decides which bytes are meant."""
import json
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kit

SERVER = os.path.join(kit.TOP, "tests", "net", "server.py")
EC = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"


class Authority:
    """A certificate authority, and what it signs, as files in one directory."""

    def __init__(self, directory):
        self.dir = directory
        os.makedirs(directory)
        self.run("req -x509 %s -days 3650 -subj /CN=authority -keyout ca.key -out ca.pem" % EC)
        self.ca = os.path.join(directory, "ca.pem")

    def run(self, text):
        subprocess.run(["openssl"] + text.split(), cwd=self.dir, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def leaf(self, name, san="DNS:localhost,IP:127.0.0.1", dates="-days 3650"):
        """The paths of a certificate and its key."""
        with open(os.path.join(self.dir, name + ".ext"), "w", encoding="utf-8") as f:
            f.write("subjectAltName=%s\n" % san)
        self.run("req %s -subj /CN=%s -keyout %s.key -out %s.csr" % (EC, name, name, name))
        if dates.startswith("-days"):
            self.run("x509 -req -in %s.csr -CA ca.pem -CAkey ca.key -CAcreateserial %s "
                     "-extfile %s.ext -out %s.pem" % (name, dates, name, name))
        else:
            for made in ("index.txt", "serial"):
                with open(os.path.join(self.dir, made), "w", encoding="utf-8") as f:
                    f.write("1000\n" if made == "serial" else "")
            with open(os.path.join(self.dir, "ca.cnf"), "w", encoding="utf-8") as f:
                f.write("[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial\n"
                        "new_certs_dir=.\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")
            self.run("ca -batch -config ca.cnf -in %s.csr -cert ca.pem -keyfile ca.key %s "
                     "-extfile %s.ext -out %s.pem -notext" % (name, dates, name, name))
        return os.path.join(self.dir, name + ".pem"), os.path.join(self.dir, name + ".key")


class Registry:
    """server.py with this layout; `tls` its arguments for that port."""

    def __init__(self, w, layout="runtime", tls=(), rules=None):
        self.log = os.path.join(w.root, "log%d" % len(os.listdir(w.root)))
        args = ["--root", w.path(layout), "--log", self.log] + list(tls)
        if rules:
            with open(self.log + ".rules", "w", encoding="utf-8") as f:
                json.dump(rules, f)
            args.append(self.log + ".rules")
        self.server = subprocess.Popen([sys.executable, "-B", SERVER] + args,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ports = self.server.stdout.readline().split()
        self.plain, self.tls = "127.0.0.1:" + ports[0], "localhost:" + ports[2]

    def asked(self, *parts):
        """How many requests' lines have all these."""
        with open(self.log, encoding="utf-8") as f:
            return sum(all(part in line for part in parts) for line in f)

    def close(self):
        self.server.stdin.close()
        self.server.wait()
        self.server.stdout.close()


def world():
    w = kit.World("agent")
    w.sample()
    w.write("signed.json", """{ "schema": "clawverify.policy/1", "name": "signed",
  "confinement": "best-effort",
  "signers": { "maker": { "keys": ["maker.pub"] } },
  "rules": [ { "name": "images", "signed_by": ["maker"], "basis": ["signed"] } ] }""")
    return w


def certs(w, host, ca=None, client=None, at=(".config", "containers")):
    """certs.d/HOST as docker and podman have it."""
    d = os.path.join(w.root, *at, "certs.d", host)
    shutil.rmtree(d, ignore_errors=True)
    os.makedirs(d)
    if ca:
        shutil.copy(ca, os.path.join(d, "ca.crt"))
    if client:
        shutil.copy(client[0], os.path.join(d, "client.cert"))
        shutil.copy(client[1], os.path.join(d, "client.key"))
    return d


def mirrors(w, text):
    d = os.path.join(w.root, ".config", "clawverify")
    os.makedirs(d, exist_ok=True)
    with open(os.path.join(d, "registries.json"), "w", encoding="utf-8") as f:
        f.write(text if isinstance(text, str) else json.dumps(
            {"schema": "clawverify.registries/1", "mirrors": text}))


def judge(w, host, *args, fresh=True):
    if fresh:
        shutil.rmtree(os.path.join(w.root, "cache"), ignore_errors=True)
    return w.run("verify", host + "/acme/agent:1", "-p", "signed.json", "--timeout", "20s",
                 *args)


def undecided(tap, done, words, name):
    """Could not look: unknown, exit 3, and these words about why."""
    told = " ".join(done.text.split())
    tap.ok(done.code == 3 and "fetch.unreachable" in told and all(x in told for x in words) and
           "PASS" not in done.text, name, done.text)


def own_authority(tap):
    w = world()
    good, other = Authority(w.path("good")), Authority(w.path("other"))
    r = Registry(w, tls=["--tls", *good.leaf("leaf")])
    undecided(tap, judge(w, r.tls), [r.tls], "TLS without a certs.d: plain http is no answer")
    certs(w, r.tls, other.ca)
    undecided(tap, judge(w, r.tls), ["nobody who is trusted here", "certs.d/%s/ca.crt" % r.tls],
              "another authority: unknown")
    for at in ((".config", "clawverify"), (".config", "containers")):
        shutil.rmtree(os.path.join(w.root, ".config"), ignore_errors=True)
        certs(w, r.tls, good.ca, at=at)
        done = judge(w, r.tls)
        tap.ok(done.code == 0 and r.asked("tls GET /v2/acme/agent/"), "its own authority, in ~/" +
               "/".join(at), done.text)
    certs(w, r.tls.replace("localhost", "127.0.0.1"), good.ca)
    done = judge(w, r.tls.replace("localhost", "127.0.0.1"))
    tap.ok(done.code == 0, "by address", done.text)
    r.close()
    d = certs(w, r.tls)
    for name, text, words in (("ca.crt", "no PEM\n", ["ca.crt", "no certificate in PEM"]),
                              ("client.cert", open(good.ca, encoding="utf-8").read(),
                               ["client.cert", "client.key"]),
                              ("client.key", "x\n", ["client.key", "client.cert"])):
        with open(os.path.join(d, name), "w", encoding="utf-8") as f:
            f.write(text)
        undecided(tap, judge(w, r.tls), words, "certs.d with a bad %s: unknown, and its path" % name)
        os.unlink(os.path.join(d, name))
    shutil.copy(good.ca, os.path.join(d, "ca.crt"))
    os.chmod(os.path.join(d, "ca.crt"), 0o666)
    undecided(tap, judge(w, r.tls), ["ca.crt", "everybody may write"],
              "an authority that everybody may write to: unknown")
    w.close()


def bad_certificates(tap):
    w = world()
    good = Authority(w.path("good"))
    for name, args, words in (
            ("expired", ["--tls", *good.leaf("expired", dates="-startdate 20200101000000Z "
                                             "-enddate 20210101000000Z")], ["has expired"]),
            ("not yet valid", ["--tls", *good.leaf("early", dates="-startdate 20990101000000Z "
                                                   "-enddate 20991231000000Z")],
             ["not valid yet"]),
            ("another name", ["--tls", *good.leaf("named", "DNS:registry.example")],
             ["subject name", "localhost"]),
            ("TLS 1.1 and no more", ["--tls", *good.leaf("old"), "--tls-at-most", "1.1"],
             ["TLS 1.2"])):
        r = Registry(w, tls=args)
        certs(w, r.tls, good.ca)
        undecided(tap, judge(w, r.tls), words, "a server's certificate, %s: unknown" % name)
        tap.ok(not r.asked("GET /v2/"), "and it was asked for nothing")
        r.close()
    w.close()


def client_certificate(tap):
    w = world()
    good, other = Authority(w.path("good")), Authority(w.path("other"))
    r = Registry(w, tls=["--tls", *good.leaf("leaf"), "--client-ca", good.ca])
    certs(w, r.tls, good.ca)
    undecided(tap, judge(w, r.tls), ["client certificate", "client.cert"],
              "a client certificate is wanted, and there is none: unknown")
    certs(w, r.tls, good.ca, other.leaf("me"))
    done = judge(w, r.tls)
    tap.ok(done.code == 3 and "fetch.unreachable" in done.text, "one of another authority: unknown",
           done.text)
    certs(w, r.tls, good.ca, good.leaf("me"))
    done = judge(w, r.tls)
    tap.ok(done.code == 0, "with the right one", done.text)
    # it is for this registry alone: another server that asks for one does not get it
    thief = Registry(w, tls=["--tls", *good.leaf("leaf2"), "--client-ca", good.ca])
    certs(w, thief.tls, good.ca, good.leaf("me2"))
    moved = Registry(w, tls=["--tls", *good.leaf("leaf3")], rules=[
        {"at": "/blobs/", "do": "redirect", "to": "https://%s{path}" % thief.tls}])
    certs(w, moved.tls, good.ca, good.leaf("me3"))
    done = judge(w, moved.tls)
    tap.ok(done.code == 3 and thief.asked("GET") == 0 and moved.asked("tls GET", "/blobs/"),
           "redirected to a server that wants one: it gets none", done.text)
    for one in (r, thief, moved):
        one.close()
    w.close()


def mirrored(tap):
    w = world()
    home = Registry(w)
    mirror = Registry(w)
    repo = "/v2/acme/agent/"
    mirrors(w, {home.plain: [mirror.plain + "/cache/of"]})
    done = judge(w, home.plain)
    tap.ok(done.code == 0, "with a mirror: pass", done.text)
    tap.ok(mirror.asked("GET /v2/cache/of/acme/agent/blobs/sha256:") >= 2 and
           not home.asked("GET " + repo + "blobs/"), "what has a digest comes from the mirror",
           open(home.log, encoding="utf-8").read())
    tap.ok(home.asked(repo + "manifests/1 ") and home.asked(repo + "referrers/") and
           not mirror.asked("manifests/1 ") and not mirror.asked("/referrers/"),
           "what a tag names and what refers to it is asked of the registry")
    want = json.loads(judge(w, home.plain, "-o", "json").out)["artifacts"][0]["manifest"]
    mirror.close()
    done = judge(w, home.plain)
    tap.ok(done.code == 0 and home.asked("GET " + repo + "blobs/"), "the mirror is down: pass",
           done.text)

    shutil.copytree(w.path("runtime"), w.path("evil"))
    index = json.loads(w.read("evil/index.json"))
    index["manifests"] = [dict(index["manifests"][1], annotations={
        "org.opencontainers.image.ref.name": "1"})]
    w.write("evil/index.json", json.dumps(index))
    for name, args in (
            ("has another image under the tag", {"layout": "evil"}),
            ("gives other bytes", {"rules": [{"at": "blobs|manifests/sha256", "do": "replace",
                                              "flip": 0}]}),
            ("gives fewer bytes", {"rules": [{"at": "blobs", "do": "replace", "take": 5}]}),
            ("gives more than was agreed", {"rules": [{"at": "blobs", "do": "endless"}]}),
            ("says 500", {"rules": [{"at": ".", "do": "status", "code": 500}]}),
            ("says 429", {"rules": [{"at": ".", "do": "status", "code": 429}]}),
            ("says 401", {"rules": [{"at": ".", "do": "basic"}]}),
            ("says 404", {"rules": [{"at": ".", "do": "status", "code": 404}]})):
        mirror = Registry(w, **args)
        mirrors(w, {home.plain: [mirror.plain]})
        done = judge(w, home.plain, "-o", "json")
        result = json.loads(done.out)
        tap.ok(done.code == 0 and result["artifacts"][0]["manifest"] == want,
               "a mirror that %s: the registry's image" % name, done.text)
        if "says 5" in name or "says 429" in name:
            tap.ok(mirror.asked("GET") == 1, "and it was asked once",
                   open(mirror.log, encoding="utf-8").read())
        mirror.close()
    blobs = home.asked("/blobs/")
    mirror = Registry(w, rules=[{"at": "blobs", "do": "truncate", "after": 5, "times": 1}])
    mirrors(w, {home.plain: [mirror.plain]})
    done = judge(w, home.plain)
    tap.ok(done.code == 0 and home.asked("/blobs/") == blobs and
           mirror.asked("/blobs/", "range=bytes=5-"), "a mirror that breaks off: it is asked for "
           "the rest", done.text + open(mirror.log, encoding="utf-8").read())
    mirror.close()
    mirror, second = Registry(w, rules=[{"at": ".", "do": "status", "code": 404}]), Registry(w)
    mirrors(w, {home.plain: [mirror.plain, second.plain]})
    done = judge(w, home.plain)
    tap.ok(done.code == 0 and mirror.asked("/blobs/") and second.asked("/blobs/"),
           "two mirrors, in order", done.text)
    broken = Registry(w, rules=[{"at": "blobs", "do": "status", "code": 404}])
    mirrors(w, {broken.plain: [mirror.plain]})
    done = judge(w, broken.plain)
    tap.ok(done.code == 1 and "answered that there is none" in done.text, "neither has it: not passed", done.text)
    bad = Registry(w, rules=[{"at": "blobs", "do": "replace", "flip": 0}])
    mirrors(w, {bad.plain: [mirror.plain]})
    done = judge(w, bad.plain)
    tap.ok(done.code == 1 and "fetch.digest-mismatch" in done.text,
           "the mirror has it not, the registry other bytes: fail", done.text)
    home.close()
    mirrors(w, {home.plain: [second.plain]})
    done = judge(w, home.plain)
    undecided(tap, done, [home.plain], "the registry is down: a mirror does not say what a tag names")
    for one in (mirror, second, broken, bad):
        one.close()
    w.close()


def mirror_with_secrets(tap):
    """Credentials and certificates of the mirror go to the mirror, the registry's to it."""
    w = world()
    good = Authority(w.path("good"))
    rules = [{"at": ".", "do": "basic"}]
    home = Registry(w, rules=rules)
    mirror = Registry(w, rules=rules, tls=["--tls", *good.leaf("leaf"), "--client-ca", good.ca])
    certs(w, mirror.tls, good.ca, good.leaf("me"))
    mirrors(w, {home.plain: [mirror.tls]})
    os.makedirs(os.path.join(w.root, ".docker"))
    with open(os.path.join(w.root, ".docker", "config.json"), "w", encoding="utf-8") as f:
        json.dump({"auths": {home.plain: {"auth": "dTpw"}, mirror.tls: {"auth": "dTpw"}}}, f)
    done = judge(w, home.plain)
    tap.ok(done.code == 0 and mirror.asked("tls GET", "/blobs/", "authorization=") and
           not home.asked("/blobs/"), "a mirror with TLS, client certificate and password",
           done.text)
    home.close()
    mirror.close()
    w.close()


def mistakes(tap):
    w = world()
    head = '{ "schema": "clawverify.registries/1",\n  "mirrors": '
    for text, words in (
            ('{ "schema": "clawverify.registries/2" }\n', ":1:"),
            (head + '{ "a.example": ["b.example"], "a.example": [] } }\n', ":2:"),
            ('{ "schema": "clawverify.registries/1",\n  "mirrers": {} }\n', 'did you mean'),
            (head + '[] }\n', ":2:14"),
            (head + '{ "a.example": "b.example" } }\n', ":2:"),
            (head + '{ "alpine": ["b.example"] } }\n', '"alpine"'),
            (head + '{ "a.example/x": ["b.example"] } }\n', '"a.example/x"'),
            (head + '{ "a.example": ["https://b.example"] } }\n', '"https://b.example"'),
            (head + '{ "a.example": ["b.example/"] } }\n', '"b.example/"'),
            (head + '{ "a.example": ["B.example"] } }\n', '"B.example"'),
            (head + '{ "a.example": ["a.example"] } }\n', "itself"),
            (head + '{ "a.example": ["b.example", "b.example"] } }\n', ":2:"),
            (head + '{ "a.example": [%s] } }\n' % ", ".join('"m%d.example"' % i
                                                            for i in range(9)), "at most 8")):
        mirrors(w, text)
        done = w.run("verify")
        tap.ok(done.code == 2 and "registries.json:" in done.err and words in done.err,
               "registries.json: " + text.split("\n")[-2].strip(), done.text)
        tap.ok("registries.json:" in w.run("doctor").out, "and doctor tells it")
    mirrors(w, head + '{ "docker.io": ["hub.example/dockerio", "127.0.0.1:5000"], } } // mine\n')
    tap.ok(w.run("verify").code == 0, "one in order, with a comment")
    done = w.run("doctor")
    tap.ok("registries.json" in done.out and "1 registry" in done.out, "doctor names it", done.text)
    w.close()


def main():
    tap = kit.Tap()
    if not shutil.which("openssl"):
        tap.skip("private registries", "no openssl(1) here")
        return tap.end()
    for part in (own_authority, bad_certificates, client_certificate, mirrored,
                 mirror_with_secrets, mistakes):
        part(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
