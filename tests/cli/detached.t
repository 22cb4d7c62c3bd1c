#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""detached: signatures that ssh-keygen -Y, minisign and signify make, on the command line
and in a policy. What these programs sign verifies; what is broken they and we both refuse;
and each answer of ours is the one that says why."""
import base64
import json
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kit

ANN, BOB = "ann@acme.example", "bob@acme.example"


def peer(w, *args, stdin=b""):
    return subprocess.run(args, cwd=w.dir, input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, check=False).returncode


def verify(w, sig, *who, path="app.tar"):
    return w.run("verify", path, "--offline", "-o", "json", "--signature", sig, *who)


def answers(done):
    """Check ids that did not pass."""
    def walk(v):
        if isinstance(v, dict):
            if v.get("outcome") in ("fail", "unknown") and "id" in v:
                yield v["id"]
            for one in v.values():
                yield from walk(one)
        elif isinstance(v, list):
            for one in v:
                yield from walk(one)
    try:
        return set(walk(json.loads(done.out)))
    except ValueError:
        return set()


def no(tap, done, check, name, code=1):
    tap.ok(done.code == code and check in answers(done), "%s: %s" % (name, check),
           "exit %d %s\n%s" % (done.code, answers(done), done.text[-2000:]))


def yes(tap, done, name):
    tap.ok(done.code == 0, name, done.text[-2000:])


def ssh_who(principal=ANN, ns="file", allowed="allowed"):
    return ("--allowed-signers", allowed, "--principal", principal, "--namespace", ns)


def ssh_key(w, name, *kind):
    peer(w, "ssh-keygen", "-q", *kind, "-N", "", "-C", "", "-f", name)
    return " ".join(w.read(name + ".pub").split()[:2])


def ssh_sign(w, key, ns="file", name="sig"):
    peer(w, "ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", ns, "app.tar")
    os.replace(w.path("app.tar.sig"), w.path(name))
    return name


def ssh_peer(w, sig, principal=ANN, ns="file", allowed="allowed"):
    with open(w.path("app.tar"), "rb") as f:
        return peer(w, "ssh-keygen", "-Y", "verify", "-f", allowed, "-I", principal, "-n", ns,
                    "-s", sig, stdin=f.read())


def both(tap, w, sig, name, check=None, code=1, **how):
    """The program and we are of one mind."""
    ours, theirs = verify(w, sig, *ssh_who(**how)), ssh_peer(w, sig, **how)
    tap.ok((theirs == 0) == (check is None), "ssh-keygen: " + name, "exit %d" % theirs)
    if check is None:
        yes(tap, ours, name)
    else:
        no(tap, ours, check, name, code)


def ssh_refused(tap, w, ann, bob):
    sig = ssh_sign(w, "ann")
    both(tap, w, sig, "ssh: another namespace", "sig.untrusted-key", ns="git")
    both(tap, w, sig, "ssh: another principal", "sig.untrusted-key", principal=BOB)
    for name, line in (("a key that is not allowed", "%s %s\n" % (ANN, bob)),
                       ("a negated principal", "*@acme.example,!%s %s\n" % (ANN, ann)),
                       ("namespaces of the file", '%s namespaces="git" %s\n' % (ANN, ann)),
                       ("no line at all", "# nobody\n")):
        w.write("other", line)
        both(tap, w, sig, "ssh: " + name, "sig.untrusted-key", allowed="other")
    w.write("other", '%s valid-before="20200101Z" %s\n' % (ANN, ann))
    both(tap, w, sig, "ssh: a key past its time", "sig.expired", allowed="other")
    w.write("app.tar", "changed\n")
    both(tap, w, sig, "ssh: another file", "sig.invalid")
    w.write("app.tar", "the file\n")
    blob = base64.b64decode("".join(w.read(sig).splitlines()[1:-1]))
    broken = blob[:-1] + bytes([blob[-1] ^ 1])
    w.write("broken", "-----BEGIN SSH SIGNATURE-----\n%s\n-----END SSH SIGNATURE-----\n" %
            base64.b64encode(broken).decode())
    both(tap, w, "broken", "ssh: a bit of the signature", "sig.invalid")
    w.write("cut", w.read(sig)[:60])
    both(tap, w, "cut", "ssh: cut off", "sig.malformed")
    w.write("other", "%s nonsense %s\n" % (ANN, ann))
    ours = verify(w, sig, *ssh_who(allowed="other"))
    tap.ok(ours.code == 3, "ssh: a file with an option that nobody knows is no answer", ours.text)


def ssh_good(tap, w):
    for name, kind in (("ed25519", ()), ("p256", ("-t", "ecdsa", "-b", "256")),
                       ("p384", ("-t", "ecdsa", "-b", "384")),
                       ("p521", ("-t", "ecdsa", "-b", "521")),
                       ("rsa", ("-t", "rsa", "-b", "2048"))):
        key = ssh_key(w, "k" + name, *(kind or ("-t", "ed25519")))
        w.write("allowed-" + name, "%s %s\n" % (ANN, key))
        both(tap, w, ssh_sign(w, "k" + name), "ssh: " + name, allowed="allowed-" + name)
    ssh_key(w, "ca", "-t", "ed25519")
    ssh_key(w, "user", "-t", "ed25519")
    peer(w, "ssh-keygen", "-q", "-s", "ca", "-I", "id", "-n", ANN, "-V", "+1d", "user.pub")
    os.replace(w.path("user-cert.pub"), w.path("user.pub"))
    w.write("authority", "*@acme.example cert-authority %s\n" %
            " ".join(w.read("ca.pub").split()[:2]))
    sig = ssh_sign(w, "user.pub")
    both(tap, w, sig, "ssh: a certificate", allowed="authority")
    both(tap, w, sig, "ssh: a certificate of another", "sig.untrusted-key", allowed="authority",
         principal=BOB)


def ssh(tap, w):
    if not shutil.which("ssh-keygen"):
        return tap.skip("ssh-keygen", "it is not installed")
    w.write("app.tar", "the file\n")
    ann, bob = ssh_key(w, "ann", "-t", "ed25519"), ssh_key(w, "bob", "-t", "ed25519")
    w.write("allowed", "%s %s\n" % (ANN, ann))
    ssh_refused(tap, w, ann, bob)
    ssh_good(tap, w)
    in_policy(tap, w, ann)
    return None


def policy(w, signers, **rule):
    w.write("policy.json", json.dumps({
        "schema": "clawverify.policy/1", "name": "p", "extends": "preset:standard",
        "signers": signers,
        "rules": [dict({"name": "all", "basis": ["signed"], "signed_by": sorted(signers)}, **rule)]}))


def in_policy(tap, w, ann):
    """An agent's file, with its signature named as evidence."""
    w.write("agent.json", json.dumps({
        "schema": "clawverify.agent/1", "name": "a", "policy": "policy.json",
        "artifacts": {"app": {"type": "file", "path": "app.tar", "evidence": [
            {"kind": "signature", "path": "sig"}]}}}))
    ssh_sign(w, "ann")
    w.write("allowed", "%s,%s %s\n" % (ANN, BOB, ann))
    one = {"allowed_signers": "allowed", "principal": ANN, "namespace": "file"}
    two = dict(one, principal=BOB)
    policy(w, {"ann": {"ssh": [dict(one, namespace="git")]}})
    w.run("lock", "-q", "--offline")
    no(tap, w.run("verify", "--offline", "-o", "json"), "sig.untrusted-key",
       "policy: another namespace")
    policy(w, {"ann": {"ssh": [one]}, "bob": {"ssh": [two]}}, threshold=2)
    no(tap, w.run("verify", "--offline", "-o", "json"), "basis.insufficient",
       "policy: one key under two names is one")
    policy(w, {"ann": {"ssh": [one]}, "bob": {"ssh": [two]}}, threshold=1)
    yes(tap, w.run("verify", "--offline", "-o", "json"), "policy: ssh")
    text = w.run("trust", "list").out
    tap.ok("ssh  " + ANN in text and "allowed" in text, "trust list: who, and where", text)
    before = w.run("policy", "show").text
    w.write("allowed", "%s,%s %s\n# changed\n" % (ANN, BOB, ann))
    tap.ok(before != w.run("policy", "show").text, "another file is another policy", before)
    for name, bad, words in (
            ("no principal", {"allowed_signers": "allowed", "namespace": "file"}, "principal"),
            ("a pattern", dict(one, principal="*"), "no pattern"),
            ("an empty namespace", dict(one, namespace=""), "empty"),
            ("no such file", dict(one, allowed_signers="nowhere"), "no such file"),
            ("a file elsewhere", dict(one, allowed_signers="../allowed"), "allowed"),
            ("a key that nobody knows", dict(one, krl="x"), "krl")):
        policy(w, {"ann": {"ssh": [bad]}})
        done = w.run("policy", "check")
        tap.ok(done.code == 2 and words in done.text, "policy: %s is an error of the policy" % name,
               done.text)
    policy(w, {"ann": {"ssh": [one]}, "bob": {"ssh": [one]}})
    tap.ok(w.run("policy", "check").code == 2, "policy: one and the same under two names")


def comments(tap, w):
    """minisign and signify, each refused with the other's key too."""
    if not shutil.which("minisign") or not shutil.which("signify-openbsd"):
        return tap.skip("minisign, signify", "they are not installed")
    w.write("app.tar", "the file\n")
    for name in ("m", "other"):
        peer(w, "minisign", "-G", "-W", "-p", name + ".pub", "-s", name + ".key")
        peer(w, "signify-openbsd", "-G", "-n", "-p", name + "-f.pub", "-s", name + "-f.sec")
    peer(w, "minisign", "-S", "-s", "m.key", "-m", "app.tar", "-x", "m.sig", "-t", "trusted")
    peer(w, "minisign", "-S", "-l", "-s", "m.key", "-m", "app.tar", "-x", "legacy.sig")
    peer(w, "signify-openbsd", "-S", "-s", "m-f.sec", "-m", "app.tar", "-x", "f.sig")
    peer(w, "signify-openbsd", "-S", "-e", "-s", "m-f.sec", "-m", "app.tar", "-x", "e.sig")
    m, f = ("--minisign-key", "m.pub"), ("--signify-key", "m-f.pub")
    no(tap, verify(w, "m.sig", "--minisign-key", "other.pub"), "sig.untrusted-key",
       "minisign: another key")
    no(tap, verify(w, "f.sig", "--signify-key", "other-f.pub"), "sig.untrusted-key",
       "signify: another key")
    no(tap, verify(w, "f.sig", *m), "sig.untrusted-key", "minisign: a signature of signify")
    no(tap, verify(w, "m.sig", *f), "sig.untrusted-key", "signify: a signature of minisign")
    no(tap, verify(w, "legacy.sig", *m), "sig.untrusted-key", "minisign: the older form")
    no(tap, verify(w, "e.sig", *f), "sig.malformed", "signify: the message beside the signature")
    crossed(tap, w)
    w.write("m2.sig", w.read("m.sig").replace("trusted comment: trusted", "trusted comment: other"))
    tap.ok(peer(w, "minisign", "-Vm", "app.tar", "-p", "m.pub", "-x", "m2.sig") != 0,
           "minisign: refuses another trusted comment too")
    no(tap, verify(w, "m2.sig", *m), "sig.invalid", "minisign: another trusted comment")
    yes(tap, verify(w, "m.sig", *m), "minisign: good")
    yes(tap, verify(w, "f.sig", *f), "signify: good")
    w.write("app.tar", "the fill\n")
    for sig, who, args in (("m.sig", m, ("minisign", "-Vm", "app.tar", "-p", "m.pub", "-x", "m.sig")),
                           ("f.sig", f, ("signify-openbsd", "-V", "-p", "m-f.pub", "-m", "app.tar",
                                         "-x", "f.sig"))):
        tap.ok(peer(w, *args) != 0, "%s: refuses another file too" % args[0])
        no(tap, verify(w, sig, *who), "sig.invalid", "%s: another file" % args[0])
    return None


def crossed(tap, w):
    """A file that is the BLAKE2b-512 of a signed one, with minisign's signature as signify's:
    what is signed is the same, and the key is not for that."""
    import hashlib
    lines = w.read("m.sig").splitlines()
    raw = base64.b64decode(lines[1])
    w.write("hash.bin", hashlib.blake2b(b"the file\n").digest())
    w.write("crossed.sig", "%s\n%s\n" % (lines[0], base64.b64encode(b"Ed" + raw[2:]).decode()))
    no(tap, verify(w, "crossed.sig", "--minisign-key", "m.pub", path="hash.bin"),
       "sig.untrusted-key", "minisign: its hash is no message of signify")


def usage(tap, w):
    w.write("app.tar", "the file\n")
    w.write("allowed", "")
    w.write("sig", "x")
    for name, args in (("no principal", ("--allowed-signers", "allowed", "--namespace", "file")),
                       ("no namespace", ("--allowed-signers", "allowed", "--principal", ANN)),
                       ("a principal alone", ("--principal", ANN)),
                       ("a pattern", ssh_who("*")), ("and a key", ssh_who() + ("--key", "allowed")),
                       ("no such file", ssh_who(allowed="nowhere"))):
        done = verify(w, "sig", *args)
        tap.ok(done.code == 2, "options: " + name, done.text)


def main():
    tap = kit.Tap()
    if not kit.confined():
        tap.skip("detached signatures", "workers cannot be confined here")
        return tap.end()
    for part in (usage, ssh, comments):
        w = kit.World()
        part(tap, w)
        w.close()
    return tap.end()


sys.exit(main())
