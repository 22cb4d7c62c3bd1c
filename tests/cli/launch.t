#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""launch: what README.md promises about launching, with a stand-in for the docker CLI
(tests/fakebin): the real one is met in tests/e2e."""
import json
import os
import re
import shutil
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kit


def engine(w):
    """A docker that holds the sample's image."""
    fake = os.path.join(w.root, "engine")
    os.mkdir(fake)
    shutil.copy(os.path.join(kit.TOP, "tests", "fakebin", "docker"), fake)
    w.env["PATH"] = fake + ":" + w.env["PATH"]
    result = json.loads(w.run("verify", "-o", "json").out)
    image = next(a for a in result["artifacts"] if a["type"] == "image")
    with open(os.path.join(fake, "id"), "w", encoding="utf-8") as f:
        f.write(image["config"] + "\n")
    return fake


def started(fake):
    return os.path.exists(os.path.join(fake, "run"))


def main():
    tap, w = kit.Tap(), kit.World()
    w.sample()
    fake = engine(w)
    done = w.run("launch", "--with", "docker")
    tap.ok(done.code == 2 and "trust keygen" in done.err and not started(fake),
           "without a key: told how to make one", done.text)
    tap.ok(w.run("trust", "keygen").code == 0, "trust keygen")
    done = w.run("launch", "--with", "docker")
    tap.ok(done.code == 1 and "egress" in done.err and not started(fake),
           "strict: docker cannot filter by host name, so nothing starts", done.text)

    text = w.read("policy.json")
    w.write("policy.json", text.replace("preset:strict", "preset:standard"))
    done = w.run("launch", "--with", "docker", "--print")
    tap.ok(done.code == 0 and not started(fake), "--print starts nothing", done.text)
    tap.ok(re.match(r"\S*/docker .* run .*--pull=never .*--read-only .*sha256:[0-9a-f]{64}$",
                    done.out.strip()), "--print: one command, the image by id", done.out)
    tap.ok(re.search(r"^  egress +unenforced", done.err, re.M), "what is unenforced is said",
           done.err)
    done = w.run("launch", "--with", "docker")
    tap.ok(done.code == 0 and done.out == "container output\n" and started(fake),
           "it starts, and standard output is the container's", done.text)
    with open(os.path.join(fake, "run-exit"), "w", encoding="utf-8") as f:
        f.write("7")
    done = w.run("launch", "--with", "docker")
    tap.ok(done.code == 7, "the exit code is the container's", done.code)
    os.unlink(os.path.join(fake, "run"))

    bundle = re.search(r"sealed in (\S+)", done.err)[1]
    done = w.run("bundle", "verify", bundle)
    tap.ok(done.code == 0, "bundle verify: whole", done.text)
    done = w.run("bundle", "show", bundle)
    tap.ok(done.code == 0 and "launch.json" in done.out, "bundle show: its members", done.text)
    path = os.path.join(bundle, "trees", "llm", "model.safetensors")
    os.chmod(path, 0o644)
    with open(path, "r+b") as f:
        f.seek(-1, os.SEEK_END)
        last = f.read(1)
        f.seek(-1, os.SEEK_END)
        f.write(bytes([last[0] ^ 1]))
    os.chmod(path, 0o444)
    for args in (["bundle", "verify", bundle], ["launch", bundle]):
        done = w.run(*args)
        tap.ok(done.code == 1 and "bundle.changed" in done.text and not started(fake),
               "%s: a changed byte" % " ".join(args[:-1]), done.text)

    w.write("prompt.md", "Do as you like.\n")
    done = w.run("launch", "--with", "docker")
    tap.ok(done.code == 1 and "lock.digest-mismatch" in done.text and not started(fake),
           "an agent that does not pass is not started", done.text)
    done = w.run("hook", "exec", "--gate", "nowhere.json", stdin=b"{}")
    answer = json.loads(done.out)
    tap.ok(done.code == 2 and answer["decision"] == "deny" and answer["reasons"],
           "hook exec without gate.json: deny", done.text)
    w.close()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
