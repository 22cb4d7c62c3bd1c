#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""keys: a key that no worker takes is a mistake of the file that names it, told by every
verb that reads it, before anything is checked; and a private key goes nowhere."""
import base64
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kit

# what it is, what the message has to hold, the SubjectPublicKeyInfo
WEAK = [
    ("RSA of 1024 bits", "an RSA key of 1024 bits", (
        "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCvXqw9WFUAf783wOODHwMDv7mqfmrulOCNqgwb"
        "tp+vZ4AyL6al++mj2s/7H8rJ2pQ4p3b+hJrhLlmFexHorbRsILQLWXrmUSwZTuqEJAqdMipEZHRT"
        "xnz5Q8QeYInCyEnjRVotmvkv8rUMROC6DVHVbA/CW25rrR7sKAxmZfmTjQIDAQAB"
    )),
    ("secp256k1", "the curve secp256k1", (
        "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEiAw7QCk6PJcpA7wDgRUobzarw99TA7nrD3yAjOTU2LSj"
        "4yTN6QWmsuWQxpQK7B26Kmxs8Lcxu/kmygE95JRWQw=="
    )),
    ("DSA", "algorithm dsaEncryption", (
        "MIIBvzCCATMGByqGSM44BAEwggEmAoGBAI5zsm/xKxaWHSMlogprAT4UDdk7qJkSnaHctVFxyehD"
        "e8HhVhzy+RNHI4x0Txbw8IMV+2m1+f/3P2gZ2vzyjNoZlm+T8pE6qJ0mItPz1yf5KC+rLeaO6Nq6"
        "ZScV/C5fIT8K+5iVmDRM0tTQxvTl5S4JRjx+UmcwZTIIU3tKWvVZAh0A7Ql2+M+X1Lo631BySqOg"
        "YI5FiAwPRxbhIWb49QKBgBJCDhAC5cmZCM2Rmgfk5tWMboNQc0Lz00nVuY1LMeaLRv1H8O7RN/n6"
        "F0LtnRINEHbWL53eaPaSwtcHLVvfR2RSUYMwPXNMSK5FYd9wQCNceTUNT7zmAtLAFP1jy7XFhWo0"
        "wW1q8xL4426fGA4gT+vHB2bE+DNqvsZoK1aTFgP/A4GFAAKBgQCDn5mgzubfiRbqjmL/DXEPFSC7"
        "0WFm+npaDfGU62rQ46o8EKEnv+SMzh1c0v5TC/Ue6tAulFI2N1MPNM1gQpv6181PGw2hjY+ECPbq"
        "gSfuWwAv2j1i43J0Mo5ChjVDAmqzdMOeTB/R6y44xZMM3uQb1hFEYfxbWS0n4hOXYNrKTQ=="
    )),
    ("X25519", "algorithm X25519", (
        "MCowBQYDK2VuAyEAtOayOzECuZ/Clr9iRSH/72wyUJH8aVBppPcwaz4GSTg="
    )),
    ("Ed448", "algorithm ED448", (
        "MEMwBQYDK2VxAzoAMI8HINlYG9gj9Pk34/POB6ELlb8No7xXhsYN7a/tHNF0RQVG51QV5KKdur9p"
        "W0NBt9J/gNuEtR2A"
    )),
    ("a curve by its parameters", "a curve given by its parameters", (
        "MIIBSzCCAQMGByqGSM49AgEwgfcCAQEwLAYHKoZIzj0BAQIhAP////8AAAABAAAAAAAAAAAAAAAA"
        "////////////////MFsEIP////8AAAABAAAAAAAAAAAAAAAA///////////////8BCBaxjXYqjqT"
        "57PrvVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMVAMSdNgiG5wSTamZ44ROdJreBn36QBEEEaxfR8uEs"
        "Qkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R"
        "9QIhAP////8AAAAA//////////+85vqtpxeehPO5ysL8YyVRAgEBA0IABFrR6m4C9IIeCx9C1mnM"
        "MTitKsCQ5MAnnr/aRk/Y9xZKDP30uFCHSN0/AP3uZoF/nusn/xZDfEoc2r5Xgq3hUU4="
    )),
    ("RSA with the exponent 3", "an RSA exponent that is even, under 65537", (
        "MIIBIDANBgkqhkiG9w0BAQEFAAOCAQ0AMIIBCAKCAQEA2gps7mSwzjJYLTGk2cynGjsXIVVQQpRp"
        "tcx2NYH64zrzdQCGUuOTZ2URzyoV/AXBfv8i6qMlbTVrRwptod649qYHtRCmJk3sTBMxRiEWE+is"
        "IeCLnKPtG+4iR0Qr5ado+5rpU8uAFtPvAnURSRG+IDHbsX+YGCN5AQyVXnESd1eQ+A9hx4NBl58q"
        "HmmUiz0kRzbFKEuyIawvGwts1r3BqNYnQp6mkE+DwYn2blmEg3NVFtMccI4hh7S0slteGqk/g7oO"
        "MzhPDY4fbTtwS1jZdpUnsTxdS5pKYHArL1f3q9Lm2dXxlJiGQNvIhYInYckQWi97hh1tEo760UsD"
        "Ku7ENwIBAw=="
    )),
]
GOOD = "MCowBQYDK2VwAyEAUhB+k4e2Mia+C1YLmN9yi8fbj6vyr/7uzs1AwVyUx20="


def pem(base64_text, label="PUBLIC KEY"):
    lines = [base64_text[i:i + 64] for i in range(0, len(base64_text), 64)]
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n" % (label, "\n".join(lines), label)


PRIVATE = base64.b64encode(b"no key, but what a private one looks like, " * 3).decode()
# file, what the message has to hold
OTHERS = [
    ("junk", "hello\n", "found no PEM block"),
    ("nothing", "", "found nothing"),
    ("a certificate", pem(GOOD, "CERTIFICATE"), "openssl x509 -in FILE -noout -pubkey"),
    ("a private key", pem(PRIVATE, "PRIVATE KEY"), "openssl pkey -in FILE -pubout"),
    ("a private key of cosign", pem(PRIVATE, "ENCRYPTED SIGSTORE PRIVATE KEY"),
     "cosign public-key --key FILE"),
    ("both halves", pem(GOOD) + pem(PRIVATE, "PRIVATE KEY"), "found a private key"),
    ("two keys", pem(GOOD) + pem(GOOD), "more than the one block"),
    ("an RSA key in PKCS #1", pem(GOOD, "RSA PUBLIC KEY"), "PKCS #1"),
    ("an SSH key", "ssh-ed25519 AAAA me\n", "an SSH key"),
    ("no SubjectPublicKeyInfo", pem("TUNvdw=="), "SubjectPublicKeyInfo"),
]


def policy(keys):
    return json.dumps({"schema": "clawverify.policy/1", "name": "p", "extends": "preset:standard",
                       "signers": {"maker": {"keys": keys}},
                       "rules": [{"name": "all", "signed_by": ["maker"]}]}, indent=1)


def told(tap, done, name, words):
    """Exit 2, in words, and no worker was asked."""
    tap.ok(done.code == 2 and words in done.text.replace("\n", " "), name, "exit %d\n%s" %
           (done.code, done.text))
    tap.ok("worker" not in done.text and PRIVATE[:40] not in done.text,
           name + ": no worker's word, no secret", done.text)


def in_policy(tap, what, words, key):
    """The same key in a policy, as text and as a file."""
    w = kit.World()
    w.write("prompt.md", "Be polite.\n")
    w.write("sig", b"x")
    w.write("agent.json", json.dumps({
        "schema": "clawverify.agent/1", "name": "a", "policy": "policy.json",
        "artifacts": {"p": {"type": "prompt", "path": "prompt.md",
                            "evidence": [{"kind": "signature", "path": "sig"}]}}}))
    w.write("maker.pub", key)
    for form, keys in (("file", ["maker.pub"]), ("text", [key])):
        if form == "text" and not key.startswith("-----BEGIN"):
            continue
        w.write("policy.json", policy(keys))
        for args in (["policy", "check"], ["policy", "show"], ["lock"], ["verify"],
                     ["verify", "./prompt.md", "-p", "policy.json"], ["verify", "-o", "json"]):
            done = w.run(*args)
            name = "%s as %s, %s" % (what, form, " ".join(args))
            told(tap, done, name, words)
            tap.ok("policy.json:8" in done.text.replace("\n", " "), name + ": its line", done.text)
    w.write("gate.json", json.dumps({"schema": "clawverify.gate-config/1", "policy_signers": [key]}))
    done = w.run("hook", "exec", "--config", "gate.json", stdin=b"{}")
    tap.ok(done.code == 2, "%s in gate.json: exit 2" % what, done.text)
    w.close()


def in_init(tap, what, words, key):
    w = kit.World()
    w.write("prompt.md", "Be polite.\n")
    w.write("maker.pub", key)
    told(tap, w.run("init", "--key", "maker.pub"), "init --key: " + what, words)
    tap.ok(sorted(os.listdir(w.dir)) == ["maker.pub", "prompt.md"], "init --key: " + what +
           ": wrote nothing", os.listdir(w.dir))
    w.close()


def init_good(tap):
    """A good one, wherever it lies, is found by the policy that init wrote."""
    for key, agent in (("maker.pub", "."), ("a/maker.pub", "a"), ("maker.pub", "a"),
                       ("keys/maker.pub", ".")):
        w = kit.World()
        w.write(os.path.join(agent, "prompt.md"), "Be polite.\n")
        w.write(key, pem(GOOD))
        done = w.run("init", *([] if agent == "." else [agent]), "--key", key)
        tap.ok(done.code == 0, "init %s --key %s" % (agent, key), done.text)
        done = w.run("policy", "check", os.path.join(agent, "policy.json"))
        tap.ok(done.code == 0 and "1 signers" in done.text, "and its policy holds the key", done.text)
        w.close()
    w = kit.World()
    w.write("prompt.md", "Be polite.\n")
    told(tap, w.run("init", "--key", "maker.pub"), "init --key: a file that is not there",
         "there is no such file")
    os.mkdir(w.path("dir"))
    told(tap, w.run("init", "--key", "dir"), "init --key: a directory", "want a regular file")
    tap.ok(not os.path.exists(w.path("agent.json")), "and nothing was written")
    w.close()


def named_files(tap):
    """A file that an option names is read the same way by every verb."""
    w = kit.World()
    w.write("prompt.md", "Be polite.\n")
    w.write("maker.pub", pem(GOOD))
    w.write("bundle.json", '{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"}\n')
    w.write("long", "x" * (2 << 20))
    os.mkdir(w.path("dir"))
    os.mkfifo(w.path("fifo"))
    who = ["--identity", "me", "--issuer", "https://id.example"]
    for args, option in ((["init"], "--key"), (["verify", "./prompt.md"], "--key"),
                         (["verify", "./prompt.md"] + who, "--root"),
                         (["inspect", "bundle.json"], "--root")):
        for name, words in (("none", "none: there is no such file"), ("dir", "dir: "),
                            ("fifo", "fifo: "), ("long", "long: "), ("", ": "),
                            ("maker.pub/x", "there is no such file")):
            done = w.run(*args, option, name)
            tap.ok(done.code == 2 and option in done.err and
                   words in done.err.replace("\n", " ") and not done.out,
                   "%s %s %s: exit 2, and which" % (args[0], option, name), done.text)
    tap.ok(not os.path.exists(w.path("agent.json")), "and nothing was written")
    for env, words in (({}, "env://MAKER: it is not set, or empty"), ({"MAKER": ""}, "env://MAKER: "),
                       ({"MAKER": "x"}, "env://MAKER: "), ({"MAKER": pem(GOOD)}, None)):
        done = w.run("verify", "./prompt.md", "--key", "env://MAKER", env=env)
        tap.ok((done.code == 2 and words in done.err.replace("\n", " ")) if words else
               done.code in (1, 3), "--key env://MAKER: %s" % (words or "a key like one of a file"),
               done.text)
    done = w.run("init", "--key", "env://MAKER", env={"MAKER": pem(GOOD)})
    tap.ok(done.code == 0 and "BEGIN PUBLIC KEY" in w.read("policy.json") and
           w.run("policy", "check").code == 0, "init --key env://MAKER: the key itself", done.text)
    known = w.run("inspect", "bundle.json", "--root", "public-good")
    same = w.run("inspect", "bundle.json")
    tap.ok(known.code == same.code and known.text == same.text,
           "inspect --root public-good: the one that is there", known.text)
    w.close()


def too_many(tap):
    """More keys than one task of the trust worker takes."""
    w = kit.World()
    point = base64.b64decode(GOOD)
    keys = [pem(base64.b64encode(point[:-2] + bytes([i >> 8, i & 255])).decode())
            for i in range(257)]
    doc = {"schema": "clawverify.policy/1", "name": "p", "extends": "preset:standard",
           "signers": {"a": {"keys": keys[:200]}, "b": {"keys": keys[200:]}}}
    w.write("policy.json", json.dumps(doc))
    told(tap, w.run("policy", "check"), "257 keys of two signers", "want at most 256")
    doc["signers"]["b"]["keys"].pop()
    w.write("policy.json", json.dumps(doc))
    tap.ok(w.run("policy", "check").code == 0, "256 keys of two signers")
    w.close()


def main():
    tap = kit.Tap()
    for what, words, key in WEAK:
        in_policy(tap, what, words, pem(key))
        in_init(tap, what, words, pem(key))
    for what, key, words in OTHERS:
        in_policy(tap, what, words, key)
        in_init(tap, what, words, key)
    init_good(tap)
    named_files(tap)
    too_many(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
