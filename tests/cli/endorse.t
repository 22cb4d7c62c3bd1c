#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""endorse: what one key says is never lost to another; what is refused is refused before
anything is looked at."""
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kit


def keyid(w, name):
    """The key's id, by the envelope that it signs."""
    return json.loads(w.read(name))["signatures"][0]["keyid"]


def several(tap):
    w = kit.World()
    w.write("prompt.md", "Be polite.\n")
    w.write("agent.json", json.dumps({
        "schema": "clawverify.agent/1", "name": "a", "policy": "policy.json",
        "artifacts": {"p": {"type": "prompt", "path": "prompt.md"}}}))
    for name in ("ann", "bob", "eve"):
        w.run("trust", "keygen", "--out", name)
    policy = {"schema": "clawverify.policy/1", "name": "p", "extends": "preset:standard",
              "signers": {"ann": {"keys": ["ann.pub"]}, "bob": {"keys": ["bob.pub"]}},
              "endorsers": ["ann", "bob"], "rules": [{"name": "all", "basis": ["endorsed"]}]}
    w.write("policy.json", json.dumps(policy))
    w.run("lock")
    first = "endorsements/p.dsse.json"

    def endorse(key):
        done = w.run("endorse", "p", "--key", key + ".key", "--yes")
        tap.ok(done.code == 0, "%s endorses" % key, done.text)
        return done

    def verify(wanted, name):
        done = w.run("verify")
        tap.ok(done.code == wanted, name, done.text)

    verify(1, "nobody has endorsed: no")
    endorse("ann")
    verify(0, "the first endorsement counts")
    kept = w.read(first)
    done = endorse("eve")
    tap.ok("by another key" in done.err and "does not count yet" in done.err,
           "who else has endorsed is said", done.err)
    tap.ok(w.read(first) == kept, "a stranger's key replaces nothing")
    verify(0, "and what counted still counts")
    files = sorted(os.listdir(w.path("endorsements")))
    tap.ok(len(files) == 2 and files[1].startswith("p@"), "two files", files)
    endorse("bob")
    tap.ok(w.read(first) == kept and len(os.listdir(w.path("endorsements"))) == 3,
           "nor does another endorser's")
    endorse("ann")
    tap.ok(w.read(first) != kept and keyid(w, first) == json.loads(kept)["signatures"][0]["keyid"]
           and len(os.listdir(w.path("endorsements"))) == 3, "a key replaces what it said itself")
    os.unlink(w.path(first))
    verify(0, "bob's alone counts")
    for name in os.listdir(w.path("endorsements")):
        if keyid(w, "endorsements/" + name) != keyid(w, "endorsements/" + files[1]):
            os.unlink(w.path("endorsements", name))
    verify(1, "eve's alone does not")
    os.rename(w.path("endorsements", files[1]), w.path(first))
    verify(1, "under whichever name")
    endorse("bob")
    verify(0, "a stranger's under the first name is in nobody's way")
    # somebody else's under bob's name: not bob's word
    w.write("endorsements/" + sorted(os.listdir(w.path("endorsements")))[-1], w.read(first))
    verify(1, "another key's word under the name of an endorser's")
    w.close()


def early(tap):
    """Nothing is verified, and nobody asked, for what cannot be signed."""
    w = kit.World()
    w.sample()
    for args, words in ((["--expires", "0s"], "want at least a second"),
                        (["--expires", "-1d"], "want a duration"),
                        (["--key", "nowhere.key"], "there is no such key")):
        done = w.run("endorse", "notes", "--yes", *(["--key", "k.key"] if "--key" not in args else []),
                     *args)
        tap.ok(done.code == 2 and words in done.err and "checks passed" not in done.err,
               "endorse " + " ".join(args), done.text)
    w.close()


def main():
    tap = kit.Tap()
    several(tap)
    early(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
