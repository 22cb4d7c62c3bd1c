#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check.py: the digests of the golden files, computed from docs/formats.md alone.

    tests/golden/check.py            compare with tests/golden/DIGESTS
    tests/golden/check.py --print    what that file should say

Knows nothing of the C code. tests/unit/test_verify_golden.c holds the C code
to the same file.
"""
import glob
import hashlib
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/|,(?=(?:\s|//[^\n]*|/\*.*?\*/)*[}\]])', re.S)


def human(text):
    """JSON with comments and trailing commas, as a value."""
    return json.loads(TOKEN.sub(lambda m: m.group() if m.group()[0] == '"' else " ", text))


def canonical(value):
    """RFC 8785 for documents without reals and with keys in the basic plane."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tree(doc):
    entries = doc["entries"]
    lines = []
    for x in entries:
        path = x["path"]
        if "link" in x:
            body = x["link"].encode()
            line = ("link", "0777", path, str(len(body)), hashlib.sha256(body).hexdigest())
        elif x.get("dir"):
            if any(y["path"].startswith(path + "/") for y in entries):
                continue
            line = ("dir", "0755", path, "0", "-")
        else:
            body = x["text"].encode()
            line = ("file", x["mode"], path, str(len(body)), hashlib.sha256(body).hexdigest())
        lines.append((path.encode(), "\0".join(line).encode() + b"\n"))
    return sha256(b"clawverify-tree-v1\n" + b"".join(text for _, text in sorted(lines)))


REMARKS = ("$schema", "$comment")
NAMES = {"artifacts", "env", "mounts", "writable"}


def without_remarks(value, names=False):
    if isinstance(value, list):
        return [without_remarks(x) for x in value]
    if not isinstance(value, dict):
        return value
    return {k: without_remarks(v, not names and k in NAMES) for k, v in value.items()
            if names or not (k in REMARKS or k.startswith("x-"))}


def agent(doc):
    doc = without_remarks(doc)
    doc.pop("policy", None)
    for artifact in doc["artifacts"].values():
        artifact.pop("evidence", None)
    return sha256(canonical(doc))


def digest(path):
    with open(path, encoding="utf-8") as f:
        doc = human(f.read())
    kind = os.path.basename(path).rsplit("-", 1)[0]
    return {"tree": tree, "agent": agent, "launch-set": lambda d: sha256(canonical(d))}[kind](doc)


def main():
    files = sorted(glob.glob(os.path.join(HERE, "*-[0-9].json")))
    text = "".join("%s %s\n" % (digest(p), os.path.basename(p)) for p in files)
    if sys.argv[1:] == ["--print"]:
        sys.stdout.write(text)
        return 0
    with open(os.path.join(HERE, "DIGESTS"), encoding="utf-8") as f:
        wanted = f.read()
    if text == wanted:
        return 0
    sys.stderr.write("computed:\n%sDIGESTS has:\n%s" % (text, wanted))
    return 1


if __name__ == "__main__":
    sys.exit(main())
