#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""contents: what lies inside artifacts is found through the command, whatever the
artifact is declared to be, is packed in, or is called."""
import io
import json
import os
import pickle
import sys
import tarfile
import zipfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kit

P2 = pickle.dumps({"a": print}, 2)
P0 = b"cos\nsystem\n(S'id'\ntR."
NPM = json.dumps({"name": "hello", "version": "1.0.0"})
SKILL = "---\nname: x\ndescription: y\n---\nhello\n"
WHEEL = [("h-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: h\nVersion: 1\n"),
         ("h-1.dist-info/WHEEL", "Wheel-Version: 1.0\n"), ("h-1.dist-info/RECORD", ""),
         ("h.py", "x = 1\n")]


def raw(x):
    return x if isinstance(x, bytes) else x.encode()


def zipped(*members):
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w", zipfile.ZIP_DEFLATED) as z:
        for name, content in members:
            z.writestr(name, content)
    return b.getvalue()


def tgz(*members):
    b = io.BytesIO()
    with tarfile.open(fileobj=b, mode="w:gz", format=tarfile.USTAR_FORMAT) as t:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(raw(content))
            t.addfile(info, io.BytesIO(raw(content)))
    return b.getvalue()


def npm(**scripts):
    return json.dumps({"name": "hello", "version": "1.0.0", "scripts": scripts})


def mcpb(**server):
    return json.dumps({"manifest_version": "0.3", "name": "h", "version": "1.0.0",
                       "server": dict({"type": "node", "entry_point": "index.js"}, **server)})


def verify(kind, files, path="a", **more):
    """The artifact locked and verified: exit code, and the problems as (id, outcome)."""
    w = kit.World()
    for name, content in files.items():
        w.write(os.path.join("a", name) if name else "a", raw(content))
    w.write("agent.json", json.dumps({
        "schema": "clawverify.agent/1", "name": "t", "policy": "preset:standard",
        "artifacts": {"x": dict({"type": kind, "path": path}, **more)}}))
    w.run("lock", "-q")
    done = w.run("verify", "-o", "json")
    w.close()
    try:
        checks = json.loads(done.out)["artifacts"][0]["checks"]
    except (ValueError, KeyError, IndexError):
        return done.code, {}, done.text
    bad = {c["id"]: c for c in checks if c["outcome"] not in ("pass", "not-applicable")}
    return done.code, bad, done.text


def want(tap, name, kind, files, code, check=None, told="", found=""):
    """That exit code, because of that check alone, at that place."""
    got, bad, text = verify(kind, files)
    good = got == code
    if code:
        one = bad.get(check, {})
        good = good and set(bad) - {"tool.manifest-invalid"} <= {check} and bool(one)
        good = good and one["outcome"] == ("fail" if code == 1 else "unknown")
        good = good and told in json.dumps(one.get("location", {})) + one.get("where", "") + text
        good = good and found in text
    else:
        good = good and not bad
    return tap.ok(good, name, "exit %s, %s\n%s" % (got, sorted(bad), text))


def one_file(content):
    return {"": content}


def scripts(tap):
    """A6: what runs on installation, in every packing."""
    life = "tool.lifecycle-script"
    for event in ("preinstall", "install", "postinstall"):
        bad = npm(**{event: "node evil.js"})
        want(tap, "tgz, " + event, "mcp", one_file(tgz(("package/package.json", bad))), 1, life,
             "package.json", "node evil.js")
        want(tap, "zip, " + event, "mcp", one_file(zipped(("package.json", bad))), 1, life,
             "package.json", "node evil.js")
        want(tap, "zip in a folder, " + event, "mcp", one_file(zipped(("p/package.json", bad))), 1,
             life, "p/package.json", "node evil.js")
        want(tap, "MCP bundle, " + event, "mcp", one_file(zipped(
            ("manifest.json", mcpb()), ("index.js", "1"), ("package.json", bad))), 1, life,
            "package.json", "node evil.js")
    want(tap, "zip, prepare", "mcp", one_file(zipped(("package.json", npm(prepare="evil")))), 1,
         life, "package.json", "evil")
    want(tap, "wheel, .pth", "mcp", one_file(zipped(*WHEEL, ("h.pth", "import os\n"))), 1, life,
         "h.pth", "at every start")
    want(tap, "wheel, setup.py", "mcp", one_file(zipped(*WHEEL, ("setup.py", ""))), 1, life,
         "setup.py")
    want(tap, "zip, setup.py", "mcp", one_file(zipped(("setup.py", ""), ("PKG-INFO",
         "Name: h\nVersion: 1\n"))), 1, life, "setup.py")
    want(tap, "sdist", "mcp", one_file(tgz(("h-1/PKG-INFO", "Name: h\nVersion: 1\n"),
                                           ("h-1/setup.py", "import os"))), 1, life, "setup.py")
    want(tap, "MCP bundle, npx", "mcp", one_file(zipped(
        ("manifest.json", mcpb(mcp_config={"command": "npx", "args": ["-y", "evil"]})),
        ("index.js", "1"))), 1, life, "manifest.json", "npx")
    want(tap, "zip of an unknown kind", "mcp", one_file(zipped(("a.txt", "x"))), 3, life)
    want(tap, "skill in a zip", "mcp", one_file(zipped(("SKILL.md", SKILL))), 3, life)
    for name, good in (("tgz", tgz(("package/package.json", NPM))),
                       ("zip", zipped(("package.json", NPM))), ("wheel", zipped(*WHEEL)),
                       ("MCP bundle", zipped(("manifest.json", mcpb()), ("index.js", "1")))):
        want(tap, "a good " + name, "mcp", one_file(good), 0)


def pickles(tap):
    """A7: a pickle is one wherever it lies."""
    check = "model.pickle"
    npy = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    inner = {"protocol 2": P2, "protocol 0": P0, "npy": npy.ljust(128) + P2,
             "torch": zipped(("m/data.pkl", P2)), "zip": zipped(("x.txt", P0)),
             "tgz": tgz(("x", P2))}
    for name, p in inner.items():
        want(tap, "file: " + name, "file", one_file(p), 1 if name != "tgz" else 3, check)
        for odd in ("data.pkl", "notes.txt"):
            code = 3 if name == "tgz" and odd == "notes.txt" else 1
            want(tap, "tgz: %s as %s" % (name, odd), "mcp", one_file(tgz(
                ("package/package.json", NPM), ("package/" + odd, p))), code, check, odd)
            want(tap, "zip: %s as %s" % (name, odd), "mcp", one_file(zipped(
                ("package.json", NPM), (odd, p))), code, check, odd)
            want(tap, "skill: %s as %s" % (name, odd + ".bin"), "skill",
                 {"SKILL.md": SKILL, odd + ".bin": p}, 3 if name == "tgz" else 1, check, odd)
        want(tap, "directory of files: " + name, "file", {"a.txt": "x", "d/b": p},
             1 if name != "tgz" else 3, check, "d/b")
    want(tap, "wheel", "mcp", one_file(zipped(*WHEEL, ("h/x.bin", P2))), 1, check, "h/x.bin")
    want(tap, "prompt", "prompt", one_file(P0), 1, check)
    want(tap, "7z", "file", one_file(b"7z\xbc\xaf\x27\x1c\0\4" + bytes(60)), 3, check)
    want(tap, "joblib by its name", "file", {"a.joblib": b"ZF0x"}, 1, check, "a.joblib")
    for name, good in (("text", "hello\n"), ("0x80 first", b"\x80 100 a year\n"),
                       ("0x80 0x02 and no opcode", b"\x80\x02\xff\xff"),
                       ("Type 1 font", b"\x80\x01K\x17\0\0%!PS-AdobeFont"), ("nothing", b""),
                       ("an archive of texts", zipped(("a.txt", "x")))):
        want(tap, "no pickle: " + name, "file", one_file(good), 0)


HIDDEN = {"zero width space": "\u200b", "direction": "\u202e", "tag": "\U000e0041",
          "a return alone": "safe words\rhidden", "Hangul filler": "\u3164",
          "halfwidth filler": "\uffa0", "choseong filler": "\u115f",
          "hieroglyph control": "\U00013430", "hieroglyph blank": "\U00013441",
          "hieroglyph modifier": "\U00013455", "variation selector": "a\ufe00",
          "selector supplement": "a\U000e0100", "annotation": "\ufff9a\ufffb",
          "grapheme joiner": "\u034f", "Mongolian vowel separator": "\u180e",
          "soft hyphen": "\u00ad", "line separator": "\u2028", "escape": "\x1b[2K",
          "backspace": "\b", "noncharacter": "\ufdd0", "musical": "\U0001d173"}
UNCLEAR = {"Braille blank": "\u2800", "private use": "\ue0b0", "plane 15": "\U000f0000",
           "plane 16": "\U00100000"}


def texts(tap):
    """A9: what a person does not see, in every text that a model reads."""
    for name, c in HIDDEN.items():
        check = "text.hidden-unicode"
        want(tap, "prompt: " + name, "prompt", one_file("one\n%s two\n" % c), 1, check, ":2:")
        want(tap, "SKILL.md: " + name, "skill", {"SKILL.md": SKILL + c + "two\n"}, 1, check,
             "SKILL.md:6:")
        want(tap, "a skill's script: " + name, "skill", {"SKILL.md": SKILL, "x.py": "# %s!\n" % c},
             1, check, "x.py:1:")
    for name, c in UNCLEAR.items():
        check = "text.unclear-unicode"
        for kind, files in (("prompt", one_file("one\n%s\n" % c)),
                            ("skill", {"SKILL.md": SKILL + c})):
            got, bad, text = verify(kind, files)
            tap.ok(got == 0 and set(bad) == {check} and not bad[check]["required"],
                   "%s: %s is advisory" % (kind, name), text)
    want(tap, "ordinary text", "prompt",
         one_file("a\r\nb\tc\f caf\u00e9 \u2764\ufe0f \U0001f469\u200d\U0001f4bb\r\n"), 0)


def main():
    tap = kit.Tap()
    for part in (scripts, pickles, texts):
        part(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
