#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""agent.py: one real agent from end to end, then everything that can be wrong with
it, each alone.

An image built by docker, pushed to docker-registry, signed and its SBOM attested
by cosign with a key; a safetensors model written by the Python package; a tool
package packed by npm; a skill. init, lock, verify, launch --with docker: the
container's own output proves that it ran the verified files.

Wants root, docker (dockerd), docker-registry, npm, busybox, cosign (COSIGN or
PATH) and the Python package safetensors; without one of them everything here is
skipped, which is not passed.
"""
import glob
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from rig import BUILD, CLAWVERIFY, Proxy, brief, Rig, Skip, Tap, free_port, need, run, sha256  # noqa: E402

COSIGN = os.environ.get("COSIGN", "cosign")
SHARED = os.environ.get("CV_SHARED", os.path.join(os.path.dirname(BUILD), "..", "shared"))
BUSYBOX = "/bin/busybox"
# reader:swordfish, bcrypt; for this test alone
HTPASSWD = "reader:$2b$04$cYdzXM/tV4aIJzmufZ6/2OxNwdBV4Isdo/MIM4X15VZDhL/QLwnpO"

RUN_SH = """#!/bin/busybox sh
for f in /models/llm/* /skills/notes/* /tools/greeter/package.json /tools/greeter/package/package.json
do
    [ -f "$f" ] && /bin/busybox sha256sum "$f"
done
/bin/busybox touch /models/llm/x 2>/dev/null && echo "WRITABLE models"
/bin/busybox touch /x 2>/dev/null && echo "WRITABLE root"
/bin/busybox wget -q -T 2 http://127.0.0.1:%d/ 2>/dev/null && echo "NETWORK"
echo agent ran
"""

SBOM = {
    "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
    "metadata": {"component": {"type": "container", "name": "agent"}},
    "components": [
        {"type": "library", "name": "example.test/greet", "version": "v1.4.0",
         "bom-ref": "a", "purl": "pkg:golang/example.test/greet@v1.4.0"},
    ],
}

# made up for this test: example.test is reserved (RFC 6761)
ADVISORY = {
    "id": "TEST-2026-0001", "modified": "2026-01-02T00:00:00Z",
    "published": "2026-01-01T00:00:00Z", "summary": "greets strangers",
    "affected": [{"package": {"ecosystem": "Go", "name": "example.test/greet"},
                  "ranges": [{"type": "SEMVER",
                              "events": [{"introduced": "0"}, {"fixed": "1.4.0"}]}]}],
}


class Agent:
    """The rig with one good agent in it, and copies to break."""

    def __init__(self, tap):
        need("dockerd", "docker", "docker-registry", "npm", COSIGN)
        if os.geteuid() != 0:
            raise Skip("dockerd needs root")
        if not os.path.exists(BUSYBOX):
            raise Skip("%s is not there (busybox-static)" % BUSYBOX)
        self.tap = tap
        self.rig = Rig()
        self.n = 0
        self.upstream = self.rig.registry()
        self.rig.dockerd()
        self.proxy = Proxy(self.upstream)
        self.host = "127.0.0.1:%d" % self.proxy.port
        self.make()

    # -- making --

    def make(self):
        r = self.rig
        self.keys("maker")
        self.keys("other")
        self.digest = self.push("agent", "1", RUN_SH % free_port())
        self.sign("agent", self.digest, "maker")
        self.attest("agent", self.digest, "maker", SBOM)
        self.good = r.path("agent")
        os.makedirs(self.good)
        self.model(os.path.join(self.good, "llm"))
        self.skill(os.path.join(self.good, "notes"))
        self.package(self.good, "greeter", {})
        shutil.copy(r.path("maker.pub"), self.good)
        r.write("advisory.json", json.dumps(ADVISORY))
        r.clawverify("db", "import", "advisory.json", exit=0)
        r.clawverify("trust", "keygen", exit=0)

    def keys(self, name):
        run([COSIGN, "generate-key-pair", "--output-key-prefix", self.rig.path(name)],
            env=self.rig.env)

    def push(self, name, tag, script, extra=""):
        ctx = self.rig.path("build-%s-%s" % (name, tag))
        os.makedirs(ctx)
        shutil.copy(BUSYBOX, os.path.join(ctx, "busybox"))
        with open(os.path.join(ctx, "run.sh"), "w") as f:
            f.write(script)
        with open(os.path.join(ctx, "Dockerfile"), "w") as f:
            f.write("FROM scratch\nCOPY busybox /bin/busybox\nCOPY run.sh /run.sh\n" + extra +
                    'ENTRYPOINT ["/bin/busybox","sh","/run.sh"]\n')
        ref = "%s/acme/%s:%s" % (self.host, name, tag)
        run(["docker", "build", "-q", "-t", ref, ctx], env=self.rig.env)
        run(["docker", "push", "-q", ref], env=self.rig.env)
        run(["docker", "image", "rm", "-f", ref], env=self.rig.env)
        return self.resolve(name, tag)

    def resolve(self, name, tag):
        import urllib.request
        ask = urllib.request.Request(
            "http://127.0.0.1:%d/v2/acme/%s/manifests/%s" % (self.upstream, name, tag),
            headers={"Accept": "application/vnd.docker.distribution.manifest.v2+json, "
                               "application/vnd.oci.image.manifest.v1+json"})
        with urllib.request.urlopen(ask) as answer:
            return sha256(answer.read())

    def cosign(self, *args):
        return run([COSIGN] + list(args), env=self.rig.env)

    def sign(self, name, digest, key, legacy=False):
        self.cosign("sign", "--key", self.rig.path(key + ".key"), "--tlog-upload=false",
                    "--use-signing-config=false", "--allow-http-registry", "-y",
                    "--new-bundle-format=%s" % ("false" if legacy else "true"),
                    "%s/acme/%s@%s" % (self.host, name, digest))

    def attest(self, name, digest, key, sbom):
        self.n += 1
        path = self.rig.write("sbom-%d.json" % self.n, json.dumps(sbom))
        self.cosign("attest", "--key", self.rig.path(key + ".key"), "--tlog-upload=false",
                    "--use-signing-config=false", "--allow-http-registry", "-y",
                    "--type", "cyclonedx", "--predicate", path,
                    "%s/acme/%s@%s" % (self.host, name, digest))

    def model(self, path):
        try:
            import numpy
            from safetensors.numpy import save_file
        except ImportError:
            raise Skip("the Python packages safetensors and numpy are not installed")
        os.makedirs(path)
        save_file({"w": numpy.arange(4096, dtype=numpy.float32).reshape(64, 64),
                   "b": numpy.zeros(64, dtype=numpy.float16)},
                  os.path.join(path, "model.safetensors"), metadata={"format": "pt"})
        with open(os.path.join(path, "config.json"), "w") as f:
            json.dump({"hidden_size": 64}, f)

    def skill(self, path):
        os.makedirs(path)
        with open(os.path.join(path, "SKILL.md"), "w") as f:
            f.write("---\nname: notes\ndescription: Keeps notes.\n---\n\nWrite short notes.\n")

    def package(self, path, name, scripts):
        src = self.rig.path("npm-%d" % self.n)
        self.n += 1
        os.makedirs(src)
        with open(os.path.join(src, "package.json"), "w") as f:
            json.dump({"name": name, "version": "1.0.0", "bin": "index.js", "scripts": scripts}, f)
        with open(os.path.join(src, "index.js"), "w") as f:
            f.write("console.log('hello');\n")
        env = dict(self.rig.env, npm_config_offline="true", npm_config_update_notifier="false")
        run(["npm", "pack", "--ignore-scripts", "--pack-destination", path, src], env=env)
        os.rename(os.path.join(path, name + "-1.0.0.tgz"), os.path.join(path, name + ".tgz"))

    # -- using --

    def init(self, path, image, key="maker.pub", preset="standard"):
        self.rig.clawverify(
            "init", "--preset", preset, "--name", "e2e", "--image", "runtime=" + image,
            "--model", "llm=llm", "--skill", "notes=notes", "--mcp", "greeter=greeter.tgz",
            "--key", key, cwd=path, exit=0)
        # what init leaves open: the SBOM and its advisories decide here
        with open(os.path.join(path, "policy.json")) as f:
            text = f.read()
        wanted = '"signed_by": ["maker"]'
        assert wanted in text, text
        text = text.replace(wanted, wanted + ', "basis": ["signed"], "sbom": {"required": true}, '
                                             '"vulnerabilities": "deny"')
        head, tail = text.rsplit("}", 1)
        text = head + ', "checks": {"vuln.known": "required", "vuln.no-coverage": "required", ' \
                      '"vuln.index-absent": "required", "sbom.absent": "required"} }' + tail
        with open(os.path.join(path, "policy.json"), "w") as f:
            f.write(text)

    def copy(self, lock=True):
        self.n += 1
        path = self.rig.path("copy-%d" % self.n)
        shutil.copytree(self.good, path)
        if not lock:
            for name in ("agent.json", "policy.json", "clawverify.lock"):
                os.unlink(os.path.join(path, name))
        return path

    def verify(self, path, exit, *args, env=None):
        code, out, err = self.rig.clawverify("verify", "-o", "json", *args, cwd=path, exit=exit,
                                             env=env)
        return json.loads(out), err

    def fresh_store(self):
        self.n += 1
        cache = self.rig.path("cache-%d" % self.n)
        os.makedirs(os.path.join(cache, "clawverify"), mode=0o700)
        shutil.copy(self.rig.path("cache", "clawverify", "advisories.index"),
                    os.path.join(cache, "clawverify"))
        return {"XDG_CACHE_HOME": cache}


def problems(result):
    """{(artifact or "", id): check} of every required check that is not satisfied."""
    found = {}
    for part in [dict(result, name="")] + result["artifacts"]:
        for check in part["checks"]:
            if check["required"] and check["outcome"] not in ("pass", "waived", "not-applicable"):
                found[(part["name"], check["id"])] = check
    return found


def expect(result, artifact, check, outcome):
    found = problems(result)
    assert (artifact, check) in found, "want %s %s, found %s" % (artifact, check,
                                                                 brief(json.dumps(result)))
    got = found[(artifact, check)]
    assert got["outcome"] == outcome, got
    assert got.get("next") or got.get("message"), "no next step: %s" % got


def edit(path, old, new):
    with open(path, "rb") as f:
        data = f.read()
    assert old in data, "%r is not in %s" % (old, path)
    with open(path, "wb") as f:
        f.write(data.replace(old, new, 1))


def flip(path, at):
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ 1]))


# ---- the good agent ----

def good_cases(a):
    tap, rig = a.tap, a.rig

    def init_lock_verify():
        a.init(a.good, "%s/acme/agent:1" % a.host)
        rig.clawverify("lock", cwd=a.good, exit=0)
        result, _ = a.verify(a.good, 0)
        assert result["outcome"] == "pass" and result["launchable"], result
        by = {x["name"]: x for x in result["artifacts"]}
        assert by["runtime"]["basis"] == "signed", by["runtime"]
        assert by["runtime"]["manifest"] == a.digest
        assert by["llm"]["basis"] == "pinned"
        assert by["runtime"]["sbom"]["components"] == 1, by["runtime"]["sbom"]

    def launch():
        _, out, err = rig.clawverify("launch", "--with", "docker", cwd=a.good, exit=0)
        for name in ("llm/model.safetensors", "llm/config.json", "notes/SKILL.md"):
            with open(os.path.join(a.good, name), "rb") as f:
                want = sha256(f.read())[7:]
            assert want in out, "%s %s is not in the container's output:\n%s\n%s" % (name, want, out, err)
        assert "agent ran" in out, out
        assert "WRITABLE" not in out and "NETWORK" not in out, out

    def hundred_times():
        _, out, _ = rig.clawverify("bundle", "create", "-o", "json", cwd=a.good, exit=0)
        bundle = json.loads(out)["path"]
        for i in range(100):
            code, out, err = rig.clawverify("launch", "--with", "docker", bundle, cwd=a.good)
            assert code == 0 and "agent ran" in out, "start %d: exit %d\n%s\n%s" % (i, code, out, err)

    def printed():
        _, out, _ = rig.clawverify("launch", "--with", "docker", "--print", cwd=a.good, exit=0)
        for word in ("--pull=never", "--read-only", "--cap-drop", "no-new-privileges", "readonly"):
            assert word in out, "%s is not in %s" % (word, out)

    def twice_the_same():
        one, _ = a.verify(a.good, 0)
        two, _ = a.verify(a.good, 0)
        for r in (one, two):
            for key in ("request_id", "time", "valid_until", "duration_ms"):
                r.pop(key, None)
            for x in r["artifacts"]:
                x.pop("duration_ms", None)
        assert one == two

    def offline():
        a.verify(a.good, 0, "--offline")

    def legacy_generation():
        digest = a.push("legacy", "1", RUN_SH % 1)
        a.sign("legacy", digest, "maker", legacy=True)
        path = a.copy(lock=False)
        a.init(path, "%s/acme/legacy:1" % a.host)
        edit(os.path.join(path, "policy.json"), b', "sbom": {"required": true}', b"")
        edit(os.path.join(path, "policy.json"), b'"sbom.absent": "required"', b'"sbom.absent": "advisory"')
        rig.clawverify("lock", cwd=path, exit=0)
        result, _ = a.verify(path, 0)
        by = {x["name"]: x for x in result["artifacts"]}
        assert by["runtime"]["signers"][0]["kind"] == "simple-signing", by["runtime"]["signers"]

    tap.case("init, lock, verify", init_lock_verify)
    if tap.failed:
        return False
    tap.case("verified twice: the same result", twice_the_same)
    tap.case("offline from the store", offline)
    tap.case("cosign's older generation", legacy_generation)
    tap.case("launch --print shows the command", printed)
    tap.case("launch with docker: the container ran the verified files", launch)
    tap.case("the same agent started 100 times", hundred_times)
    return True


# ---- everything that can be wrong, each alone ----

def wrong_cases(a):
    tap, rig = a.tap, a.rig
    key = os.path.join

    def one(name, breaking, artifact, check, exit=1, outcome="fail", env=None, args=()):
        def case():
            path = a.copy()
            more = breaking(path)
            result, err = a.verify(path, exit, *args, env=more if isinstance(more, dict) else env)
            expect(result, artifact, check, outcome)
            # a person gets a next step too
            _, out, _ = rig.clawverify("verify", *args, cwd=path,
                                       env=more if isinstance(more, dict) else env)
            assert check in out and "next" in out, out
        tap.case(name, case)

    def retagged(path):
        """The tag is moved to another, unsigned image; the lock is made anew."""
        a.push("moved", "1", RUN_SH % 2)
        for name in ("agent.json", "policy.json", "clawverify.lock"):
            os.unlink(key(path, name))
        a.init(path, "%s/acme/moved:1" % a.host)
        rig.clawverify("lock", cwd=path)

    one("an unsigned image under the tag", retagged, "runtime", "basis.insufficient")

    def tag_moves():
        digest = a.push("tagged", "1", RUN_SH % 3)
        a.sign("tagged", digest, "maker")
        a.attest("tagged", digest, "maker", SBOM)
        path = a.copy(lock=False)
        a.init(path, "%s/acme/tagged:1" % a.host)
        rig.clawverify("lock", cwd=path, exit=0)
        other = a.push("tagged2", "1", RUN_SH % 4)
        del other
        run(["docker", "pull", "-q", "%s/acme/tagged2:1" % a.host], env=rig.env)
        run(["docker", "tag", "%s/acme/tagged2:1" % a.host, "%s/acme/tagged:1" % a.host], env=rig.env)
        run(["docker", "push", "-q", "%s/acme/tagged:1" % a.host], env=rig.env)
        code, out, err = rig.clawverify("lock", "--check", cwd=path)
        assert code == 1, (code, out, err)
        # the locked one is still what is verified
        result, _ = a.verify(path, 0)
        by = {x["name"]: x for x in result["artifacts"]}
        assert by["runtime"]["manifest"] == digest
    tap.case("retagged image: lock --check says so, verify keeps to the lock", tag_moves)

    def model_byte(path):
        f = key(path, "llm", "model.safetensors")
        flip(f, os.path.getsize(f) - 5)
    one("one flipped byte in the model", model_byte, "llm", "lock.digest-mismatch")

    def lock_values():
        """Each digest in the lock, one digit changed: never a pass."""
        path = a.copy()
        name = key(path, "clawverify.lock")
        with open(name) as f:
            good = f.read()
        # what was seen and what policy was in force then is told, not pinned
        told = json.loads(good)
        told_values = {told["policy"]} | set(re.findall(
            r"sha256:[0-9a-f]{64}", json.dumps([[x.get("signers"), x.get("evidence")]
                                               for x in told["artifacts"].values()])))
        values = sorted(set(re.findall(r"sha256:[0-9a-f]{64}", good)) - told_values)
        assert len(values) > 8, values
        codes = set()
        for value in values:
            wrong = value[:-1] + ("0" if value[-1] != "0" else "1")
            with open(name, "w") as f:
                f.write(good.replace(value, wrong, 1))
            code, out, err = rig.clawverify("verify", cwd=path)
            # 2: the lock contradicts itself, and says where
            assert code == 1 or (code == 2 and "clawverify.lock:" in err), \
                "%s: exit %d\n%s%s" % (value, code, out, err)
            codes.add(code)
        assert 1 in codes, codes
    tap.case("each pinned value of the lock, changed by one digit", lock_values)

    def other_key(path):
        shutil.copy(rig.path("other.pub"), key(path, "maker.pub"))
    one("another key", other_key, "runtime", "sig.untrusted-key")

    def unsigned_statement(path):
        """A signature about another digest, moved here by hand."""
        digest = a.push("subject", "1", RUN_SH % 5)
        move_referrers(a, "agent", a.digest, "subject", digest)
        for name in ("agent.json", "policy.json", "clawverify.lock"):
            os.unlink(key(path, name))
        a.init(path, "%s/acme/subject:1" % a.host)
        rig.clawverify("lock", cwd=path)
    one("a statement about another digest", unsigned_statement, "runtime", "basis.insufficient")

    def pickle(path):
        with open(key(path, "llm", "extra.bin"), "wb") as f:
            f.write(b"\x80\x04\x95\x1b\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93"
                    b"\x8c\x04true\x85R.")
    one("a pickle beside the weights", pickle, "llm", "model.pickle")

    def postinstall(path):
        os.unlink(key(path, "greeter.tgz"))
        a.package(path, "greeter", {"postinstall": "node index.js"})
        rig.clawverify("lock", cwd=path)
    one("a postinstall script", postinstall, "greeter", "tool.lifecycle-script")

    def hidden(path):
        with open(key(path, "notes", "SKILL.md"), "a") as f:
            f.write("Be kind.\U000e0041\U000e0042\n")
    one("hidden text in a skill", hidden, "notes", "text.hidden-unicode")

    def vulnerable(path):
        digest = a.push("vulnerable", "1", RUN_SH % 6)
        a.sign("vulnerable", digest, "maker")
        sbom = json.loads(json.dumps(SBOM).replace("v1.4.0", "v1.3.9"))
        a.attest("vulnerable", digest, "maker", sbom)
        for name in ("agent.json", "policy.json", "clawverify.lock"):
            os.unlink(key(path, name))
        a.init(path, "%s/acme/vulnerable:1" % a.host)
        rig.clawverify("lock", cwd=path)
    one("a vulnerable Go module", vulnerable, "runtime", "vuln.known")

    def real_advisories():
        data = os.path.join(SHARED, "data", "osv-go.tar.zst")
        if not os.path.exists(data):
            raise Skip("no %s" % data)
        db = rig.path("go.index")
        rig.clawverify("db", "import", "--db", db, data, exit=0)
        digest = a.push("vulnerable2", "1", RUN_SH % 7)
        a.sign("vulnerable2", digest, "maker")
        sbom = json.loads(json.dumps(SBOM))
        # GO-2022-0969 and others: fixed in 0.0.0-20220906165146-f3363e06e74c
        sbom["components"][0].update(
            name="golang.org/x/net", version="v0.0.0-20210405180319-a5a99cb37ef4",
            purl="pkg:golang/golang.org/x/net@v0.0.0-20210405180319-a5a99cb37ef4")
        a.attest("vulnerable2", digest, "maker", sbom)
        path = a.copy(lock=False)
        a.init(path, "%s/acme/vulnerable2:1" % a.host)
        rig.clawverify("lock", cwd=path)
        result, _ = a.verify(path, 1, "--db", db)
        expect(result, "runtime", "vuln.known", "fail")
        by = {x["name"]: x for x in result["artifacts"]}
        assert any(v["id"].startswith("GO-") for v in by["runtime"]["vulnerabilities"])
    tap.case("a vulnerable Go module by real advisories", real_advisories)

    def no_index(path):
        more = a.fresh_store()
        os.unlink(os.path.join(more["XDG_CACHE_HOME"], "clawverify", "advisories.index"))
        return more
    one("no advisory index", no_index, "runtime", "vuln.index-absent", exit=3, outcome="unknown")


def move_referrers(a, name, digest, to, to_digest):
    """What refers to one image in the registry, put under another's fallback tag."""
    import urllib.request
    base = "http://127.0.0.1:%d/v2/acme/" % a.upstream

    def get(path, accept="application/vnd.oci.image.index.v1+json, "
                         "application/vnd.oci.image.manifest.v1+json"):
        ask = urllib.request.Request(base + path, headers={"Accept": accept})
        with urllib.request.urlopen(ask) as answer:
            return answer.read(), answer.headers.get("Content-Type")

    def put(path, data, kind):
        ask = urllib.request.Request(base + path, data=data, method="PUT",
                                     headers={"Content-Type": kind})
        urllib.request.urlopen(ask).close()

    def blob(data):
        ask = urllib.request.Request(base + to + "/blobs/uploads/", data=b"", method="POST")
        with urllib.request.urlopen(ask) as answer:
            where = answer.headers["Location"]
        where += ("&" if "?" in where else "?") + "digest=" + sha256(data)
        ask = urllib.request.Request(where, data=data, method="PUT",
                                     headers={"Content-Type": "application/octet-stream"})
        urllib.request.urlopen(ask).close()

    index, kind = get("%s/manifests/%s" % (name, digest.replace(":", "-")))
    listed = json.loads(index)
    for entry in listed["manifests"]:
        manifest, mtype = get("%s/manifests/%s" % (name, entry["digest"]))
        doc = json.loads(manifest)
        for part in [doc["config"]] + doc["layers"]:
            data, _ = get("%s/blobs/%s" % (name, part["digest"]), "*/*")
            blob(data)
        # the edge is forged too: the manifest names this image as its subject
        doc["subject"]["digest"] = to_digest
        forged = json.dumps(doc).encode()
        put("%s/manifests/%s" % (to, sha256(forged)), forged, mtype)
        entry.update(digest=sha256(forged), size=len(forged))
    put("%s/manifests/%s" % (to, to_digest.replace(":", "-")), json.dumps(listed).encode(), kind)


# ---- a registry that misbehaves ----

def answer(h, status, body=b"", headers=()):
    h.send_response(status)
    for k, v in headers:
        h.send_header(k, v)
    h.send_header("Content-Length", str(len(body)))
    h.end_headers()
    if h.command != "HEAD":
        h.wfile.write(body)
    return True


def registry_cases(a):
    tap = a.tap

    def faulty(name, fault, checks, exit, outcome, args=()):
        def case():
            path = a.copy()
            a.proxy.fault = fault
            try:
                began = time.monotonic()
                result, _ = a.verify(path, exit, *args, env=a.fresh_store())
                took = time.monotonic() - began
            finally:
                a.proxy.fault = None
            found = problems(result)
            assert any(("runtime", c) in found and found[("runtime", c)]["outcome"] == outcome
                       for c in checks), "want one of %s, found %s" % (checks, brief(json.dumps(result)))
            assert took < 60, "took %.0f s" % took
        tap.case(name, case)

    def blobs(h):
        return "/blobs/" in h.path

    def upstream(path):
        import urllib.request
        with urllib.request.urlopen("http://127.0.0.1:%d%s" % (a.upstream, path)) as up:
            return up.read()

    faulty("the registry answers 500", lambda h: answer(h, 500), ["fetch.unreachable"], 3,
           "unknown", ("--timeout", "20s"))
    faulty("the registry answers 429",
           lambda h: answer(h, 429, headers=[("Retry-After", "1")]), ["fetch.throttled"], 3,
           "unknown", ("--timeout", "20s"))

    def cut(h):
        if not blobs(h):
            return False
        data = upstream(h.path)
        h.send_response(200)
        h.send_header("Content-Length", str(len(data)))
        h.end_headers()
        h.wfile.write(data[:len(data) // 2])
        h.close_connection = True
        return True
    faulty("the registry breaks off every blob", cut, ["fetch.cut-off"], 3, "unknown",
           ("--timeout", "20s"))

    def endless(h):
        if not blobs(h):
            return False
        h.send_response(200)
        h.send_header("Transfer-Encoding", "chunked")
        h.end_headers()
        for _ in range(100000):
            h.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        return True
    faulty("the registry sends without end", endless, ["fetch.too-large"], 1, "fail",
           ("--timeout", "30s"))

    def slow(h):
        if not blobs(h):
            return False
        h.send_response(200)
        data = upstream(h.path)
        h.send_header("Content-Length", str(len(data)))
        h.end_headers()
        for i in range(min(len(data), 100)):
            h.wfile.write(data[i:i + 1])
            h.wfile.flush()
            time.sleep(0.1)
        return True
    faulty("the registry is slow", slow, ["fetch.deadline", "run.deadline"], 3, "unknown", ("--timeout", "4s"))

    def silent(h):
        time.sleep(15)
        h.close_connection = True
        return True
    faulty("the registry says nothing", silent, ["fetch.deadline"], 3, "unknown",
           ("--timeout", "3s"))

    def one_byte(h):
        if not blobs(h) or h.command != "GET":
            return False
        data = bytearray(upstream(h.path))
        data[len(data) // 2] ^= 1
        return answer(h, 200, bytes(data))
    faulty("one flipped byte in every blob", one_byte, ["fetch.digest-mismatch"], 1, "fail")

    def flip_of(*digests):
        def fault(h):
            if h.command != "GET" or not any(d in h.path for d in digests):
                return False
            data = bytearray(upstream(h.path))
            data[len(data) // 2] ^= 1
            return answer(h, 200, bytes(data))
        return fault

    with open(os.path.join(a.good, "clawverify.lock")) as f:
        locked = json.load(f)["artifacts"]["runtime"]
    faulty("one flipped byte in a layer alone", flip_of(locked["image"]["layers"][-1]["digest"]),
           ["fetch.digest-mismatch"], 1, "fail")
    faulty("one flipped byte in the signatures alone",
           flip_of(*[x["digest"] for x in locked["evidence"]]),
           ["sig.unavailable", "sig.invalid", "sig.malformed", "sig.absent"], 1, "fail")

    def other_layers(h):
        """The manifest with its last layer left out, under the same digest."""
        if h.command != "GET" or a.digest not in h.path or "/manifests/" not in h.path:
            return False
        import urllib.request
        ask = urllib.request.Request(
            "http://127.0.0.1:%d%s" % (a.upstream, h.path),
            headers={"Accept": h.headers["Accept"]})
        with urllib.request.urlopen(ask) as up:
            doc, kind = json.loads(up.read()), up.headers["Content-Type"]
        doc["layers"].pop()
        return answer(h, 200, json.dumps(doc).encode(), [("Content-Type", kind)])
    faulty("a layer list that is not the signed manifest's", other_layers,
           ["fetch.digest-mismatch"], 1, "fail")

    def gone():
        path = a.copy()
        port = free_port()
        for name in ("agent.json", "clawverify.lock"):
            edit(os.path.join(path, name), a.host.encode(), b"127.0.0.1:%d" % port)
        # the lock is bound to the agent file: make both say the same
        code, out, err = a.rig.clawverify("lock", "--timeout", "10s", cwd=path)
        assert code == 3, (code, out, err)
        assert "fetch.unreachable" in out + err, out + err
    tap.case("no registry at all", gone)

    def credentials():
        """A registry with a password: docker's own login is found; without it the
        answer is "denied", which is not "absent"."""
        port = a.rig.registry("private", HTPASSWD)
        ref = "127.0.0.1:%d/acme/agent:1" % port
        image = "%s/acme/agent:1" % a.host
        run(["docker", "pull", "-q", image], env=a.rig.env)
        run(["docker", "tag", image, ref], env=a.rig.env)
        run(["docker", "login", "-u", "reader", "-p", "swordfish", "127.0.0.1:%d" % port],
            env=a.rig.env)
        run(["docker", "push", "-q", ref], env=a.rig.env)
        path = a.rig.path("private-agent")
        os.makedirs(path)
        a.rig.write("private-agent/agent.json", json.dumps({
            "schema": "clawverify.agent/1", "name": "private", "policy": "preset:standard",
            "artifacts": {"runtime": {"type": "image", "ref": ref}}}))
        a.rig.clawverify("lock", cwd=path, exit=0)
        a.verify(path, 0, env=a.fresh_store())
        bare = dict(a.fresh_store(), DOCKER_CONFIG=a.rig.path("nowhere"))
        result, _ = a.verify(path, 3, env=bare)
        expect(result, "runtime", "fetch.denied", "unknown")
        helper = a.rig.write("bin/docker-credential-e2e",
                             "#!/bin/sh\nread host\n"
                             "echo '{\"Username\": \"reader\", \"Secret\": \"swordfish\"}'\n")
        os.chmod(helper, 0o755)
        a.rig.write("helper/config.json", json.dumps({"credsStore": "e2e"}))
        helped = dict(a.fresh_store(), DOCKER_CONFIG=a.rig.path("helper"),
                      PATH=a.rig.path("bin") + ":" + a.rig.env["PATH"])
        a.verify(path, 0, env=helped)
        os.chmod(helper, 0o755)
        a.rig.write("bin/docker-credential-e2e", "#!/bin/sh\nexit 1\n")
        result, _ = a.verify(path, 3, env=dict(helped, **a.fresh_store()))
        expect(result, "runtime", "fetch.denied", "unknown")
    tap.case("a registry with a password, by docker's login and by a helper", credentials)

    def by_url():
        """An https (here: loopback) address with a pinned digest."""
        text = b"Be kind.\n"
        serve = Proxy(a.upstream)
        serve.fault = lambda h: answer(h, 200, text)
        path = a.rig.path("url-agent")
        os.makedirs(path)
        agent = {"schema": "clawverify.agent/1", "name": "url", "policy": "preset:standard",
                 "artifacts": {"prompt": {"type": "prompt", "digest": sha256(text),
                                          "url": "http://127.0.0.1:%d/p" % serve.port}}}
        a.rig.write("url-agent/agent.json", json.dumps(agent))
        a.rig.clawverify("lock", cwd=path, exit=0)
        a.verify(path, 0, env=a.fresh_store())
        serve.fault = lambda h: answer(h, 200, b"Be mean.\n")
        result, _ = a.verify(path, 1, env=a.fresh_store())
        expect(result, "prompt", "fetch.digest-mismatch", "fail")
        serve.fault = lambda h: answer(h, 404)
        result, _ = a.verify(path, 1, env=a.fresh_store())
        expect(result, "prompt", "fetch.absent", "fail")
        serve.shutdown()
    tap.case("a file by its address and digest", by_url)

    def redirected():
        """Blobs live on another host: followed, without our credentials."""
        other = Proxy(a.upstream)
        path = a.copy()
        a.proxy.seen.clear()
        a.proxy.fault = lambda h: blobs(h) and answer(
            h, 307, headers=[("Location", "http://127.0.0.1:%d%s" % (other.port, h.path))])
        try:
            a.verify(path, 0, env=a.fresh_store())
        finally:
            a.proxy.fault = None
        assert any("/blobs/" in seen[1] for seen in other.seen), other.seen
        assert not any(seen[2] for seen in other.seen), "credentials went to another host"
        other.fault = lambda h: answer(h, 200, b"not the blob")
        a.proxy.fault = lambda h: blobs(h) and answer(
            h, 307, headers=[("Location", "http://127.0.0.1:%d%s" % (other.port, h.path))])
        try:
            result, _ = a.verify(a.copy(), 1, env=a.fresh_store())
        finally:
            a.proxy.fault = None
            other.shutdown()
        assert any(k[1] in ("fetch.digest-mismatch", "fetch.cut-off") for k in problems(result)), \
            sorted(problems(result))
    tap.case("a blob redirected to another host", redirected)


# ---- the sealed bundle ----

def bundle_cases(a):
    tap, rig = a.tap, a.rig

    def sealed():
        _, out, _ = rig.clawverify("bundle", "create", "-o", "json", "--out", rig.path("bundles"),
                                   cwd=a.good, exit=0)
        return json.loads(out)["path"]

    def changed():
        bundle = sealed()
        files = sorted(f for f in glob.glob(bundle + "/**", recursive=True) if os.path.isfile(f)
                       and not f.endswith("report.json"))
        assert len(files) > 8, files
        for f in files:
            broken = rig.path("broken-bundle")
            run(["cp", "-a", bundle, broken])
            target = f.replace(bundle, broken)
            if os.path.getsize(target) == 0:
                continue
            os.chmod(target, 0o644)
            flip(target, os.path.getsize(target) // 2)
            os.chmod(target, 0o444)
            code, out, err = rig.clawverify("launch", "--with", "docker", broken)
            assert code == 1, "%s changed: exit %d\n%s%s" % (f, code, out, err)
            assert "agent ran" not in out, f
            subprocess.run(["chmod", "-R", "u+w", broken])
            shutil.rmtree(broken)
    tap.case("a bundle changed by one byte, in each of its files", changed)

    def other_signer():
        bundle = sealed()
        rig.clawverify("trust", "keygen", "--out", rig.path("stranger"), exit=0)
        code, out, err = rig.clawverify("launch", "--with", "docker", "--key",
                                        rig.path("stranger.pub"), bundle)
        assert code == 1 and "bundle.untrusted" in out + err, (code, out, err)
    tap.case("a bundle that another key sealed", other_signer)

    def image_replaced():
        """The engine's image is removed and something else takes its tag."""
        bundle = sealed()
        run(["docker", "tag", "%s/acme/tagged2:1" % a.host, "%s/acme/agent:1" % a.host], env=rig.env)
        _, out, _ = rig.clawverify("launch", "--with", "docker", bundle, exit=0)
        assert "agent ran" in out
    tap.case("the engine's tag points elsewhere: the image id counts", image_replaced)


def main():
    tap = Tap()
    try:
        agent = Agent(tap)
    except Skip as why:
        print("ok - everything # SKIP %s" % why)
        tap.skipped += 1
        return tap.end()
    if good_cases(agent):
        wrong_cases(agent)
        registry_cases(agent)
        bundle_cases(agent)
    agent.rig.close()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
