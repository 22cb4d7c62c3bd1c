#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: a slip on the command line is told, exits 2, and looks nothing like a pass."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kit

# arguments, what the message has to hold
SLIPS = [
    ([], "Commands"),
    (["verfy"], "did you mean verify?"),
    (["xyzzy"], "there is no command xyzzy"),
    (["--verify"], "there is no command --verify"),
    ([""], "there is no command"),
    (["verify", "--ofline"], "did you mean --offline?"),
    (["verify", "--xyzzy"], "there is no option --xyzzy"),
    (["verify", "-x"], "there is no option -x"),
    (["verify", "-vv"], "write -v by itself"),
    (["verify", "--offline=yes"], "--offline takes no value"),
    (["verify", "--policy"], "--policy wants FILE"),
    (["verify", "-p"], "-p wants FILE"),
    (["verify", "-p", "a", "--policy=b"], "--policy is given twice"),
    (["verify", "a", "b"], "b is one argument too many"),
    (["verify", "--timeout", "soon"], "timeout"),
    (["verify", "--timeout", "-1s"], "timeout"),
    (["verify", "--at", "yesterday"], "yesterday"),
    (["verify", "--platform", "linux"], "platform"),
    (["verify", "--color", "blue"], "want auto, always or never"),
    (["verify", "--progress", "fast"], "progress"),
    (["verify", "-o", "yaml"], "want text or json"),
    (["verify", "-o", "json="], "a file name has to follow"),
    (["verify", "-o", "json", "-o", "text"], "cannot both go to standard output"),
    (["verify"], "agent.json: there is no such file"),
    (["verify", "nowhere/agent.json"], "there is no such file"),
    (["verify", "--policy", "nowhere.json", "agent.json"], "there is no such file"),
    (["lock", "--update"], "--update wants NAME"),
    (["lock", "a", "b"], "too many"),
    (["inspect"], "too few arguments"),
    (["inspect", "a", "b"], "too many"),
    (["inspect", "./nothing-here"], "there is no such file"),
    (["explain", "model.pickel"], "did you mean model.pickle?"),
    (["explain", "xyzzy"], "there is no check xyzzy"),
    (["explain", "model.pickle", "b"], "too many"),
    (["demo", "tampred-model"], "did you mean tampered-model?"),
    (["demo", "xyzzy"], "there is no sample xyzzy"),
    (["demo", "--keep", "."], "--keep"),
    (["policy"], "too few arguments"),
    (["policy", "chekc"], "want check or show"),
    (["policy", "check", "preset:stirct"], "preset"),
    (["trust"], "too few arguments"),
    (["trust", "keygen", "x"], "want keygen"),
    (["trust", "keygen", "--type", "rsa"], "want ed25519 or p256"),
    (["trust", "show"], "want keygen"),
    (["endorse"], "too few arguments"),
    (["db"], "too few arguments"),
    (["db", "import"], "import"),
    (["db", "update"], "update"),
    (["db", "import", "nowhere.zip"], "nowhere.zip"),
    (["bundle"], "too few arguments"),
    (["bundle", "seal"], "seal"),
    (["bundle", "verify"], "verify"),
    (["launch", "--with", "podman"], "the launchers are: docker"),
    (["hook"], "too few arguments"),
    (["hook", "admit"], "the hooks are: exec"),
    (["completion"], "too few arguments"),
    (["completion", "fish"], "want bash"),
    (["init", "--preset", "lax"], "want strict, standard or audit"),
    (["init", "--image", "registry.example/a:1"], "want NAME=REF"),
    (["init", "--name", "A B"], "--name"),
    (["init", "nowhere"], "want a directory"),
    (["init"], "name the parts"),
    (["help", "verfy"], "there is no command verfy"),
    (["version", "x"], "too many"),
    (["doctor", "x"], "too many"),
]


def main():
    tap, w, agent = kit.Tap(), kit.World(), kit.World()
    agent.sample()
    before = sorted(os.listdir(agent.dir))
    for args, words in SLIPS:
        needs_agent = args[1:2] in (["--timeout"], ["--at"], ["--platform"], ["--name"])
        done = (agent if needs_agent else w).run(*args)
        name = "clawverify " + " ".join(args)
        tap.ok(done.code == 2, name + ": exit 2", "exit %d\n%s" % (done.code, done.text))
        tap.ok(words in done.err.replace("\n", " "), name + ": says so", done.err)
        as_json = "-o" in args and '"outcome": "usage"' in done.out
        tap.ok((done.out == "" or as_json) and "PASS" not in done.text, name + ": nothing like a pass", done.out)
    left = os.listdir(w.dir)
    tap.ok(left == [] and sorted(os.listdir(agent.dir)) == before, "and nothing was written", left)
    # with -o json the same as a document, for every kind of slip once it can be read
    done = w.run("verify", "-o", "json")
    tap.ok(done.code == 2 and '"exit_code": 2' in done.out and '"launchable": false' in done.out,
           "-o json: the error as a document", done.text)
    # a policy that was in order until yesterday
    for expires, code, words in (("2020-01-01", 1, "it expired at 2020-01-01T00:00:00Z"),
                                 ("2120-01-01", 0, "in order")):
        w.write("policy.json", '{"schema": "clawverify.policy/1", "name": "p", "expires": "%s", '
                '"extends": "preset:standard"}' % expires)
        done = w.run("policy", "check")
        tap.ok(done.code == code and words in done.err and expires in done.err,
               "policy check, expires %s" % expires, done.text)
    w.close()
    agent.close()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
