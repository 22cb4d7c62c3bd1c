#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check.py: the JSON Schemas in verify/schema against what they are schemas of.

Every schema is a valid one (draft 2020-12). Every example of docs/formats.md,
every preset, the golden files and what the programs in the build directory
write are accepted; the same with one thing wrong are not. Prints TAP. Needs
the Python package jsonschema (and referencing, which comes with it).
"""
import copy
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests", "golden"))
from check import human  # noqa: E402  (comments and trailing commas)

try:
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource
except ImportError:
    print("1..1\nok 1 - schemas # SKIP the Python package jsonschema is not here")
    print("# 0 passed, 0 failed, 1 skipped")
    sys.exit(0)

RESULTS = []


def case(name, problem):
    RESULTS.append(not problem)
    print("%sok %d - %s" % ("not " if problem else "", len(RESULTS), name))
    for line in str(problem).splitlines() if problem else []:
        print("#   " + line)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


SCHEMAS = {os.path.basename(p)[:-len("-1.json")]: json.loads(read(p))
           for p in sorted(glob.glob(os.path.join(ROOT, "verify/schema/*-1.json")))}
REGISTRY = Registry().with_resources(
    (s["$id"], Resource.from_contents(s)) for s in SCHEMAS.values())


def errors(kind, doc):
    validator = Draft202012Validator(SCHEMAS[kind], registry=REGISTRY)
    return "\n".join("%s: %s" % ("/".join(map(str, e.path)), e.message[:200])
                     for e in validator.iter_errors(doc))


def examples():
    text = read("docs/formats.md")
    for kind, body in re.findall(r"<!-- example: (\S+) -->\n```json\n(.*?)\n```", text, re.S):
        yield kind, human(body)


def change(doc, path, value):
    """A copy with the member at path set, or removed for None."""
    doc = copy.deepcopy(doc)
    at = doc
    for key in path[:-1]:
        at = at[key]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return doc


BROKEN = {
    "agent": [(["schema"], "clawverify.agent/2"), (["name"], "Invoice"), (["nmae"], "x"), (["artifacts"], {}),
              (["artifacts", "pdf", "path"], "../x"), (["artifacts", "fs", "digest"], None),
              (["artifacts", "crm", "digest"], "sha256:" + "0" * 64), (["artifacts", "runtime", "ref"], None),
              (["launch", "limits", "memory"], "2GB"), (["launch", "capabilities"], ["ALL"]),
              (["launch", "writable", "/tmp"], {"kind": "tmpfs"}), (["launch", "image"], None),
              (["launch", "env", "MODE"], {"prefix": "a", "free": True}), (["launch", "network"], ["mcp.example"])],
    "policy": [(["extends"], "strict"), (["version"], 0), (["confinement"], "none"), (["default"], "allow"),
               (["signers", "ops", "keys"], []), (["rules", 0, "basis"], ["verified"]), (["rules", 0, "threshold"], 0),
               (["checks", "vuln.knwon"], "advisory"), (["checks", "vuln.known"], "off"), (["final"], []),
               (["uncovered", "accept"], ["*"]), (["launch", "allow"], ["host-namespace:all"]),
               (["launch", "required_controls"], ["memroy"]), (["rules", 1, "name"], None)],
    "lock": [(["agent"], None), (["$comment"], "x"), (["artifacts", "pdf", "origin"], "registry"),
             (["artifacts", "pdf", "tree", "files", "SKILL.md"], "0600 1 sha256:" + "0" * 64),
             (["artifacts", "pdf", "tree", "files", "../x"], "dir"), (["artifacts", "runtime", "image", "config"], None),
             (["artifacts", "runtime", "size"], -1), (["artifacts", "runtime", "evidence", 0, "role"], "rumour")],
    "result": [(["outcome"], "ok"), (["exit_code"], 0), (["launchable"], True), (["counts"], None),
               (["artifacts", 0, "basis"], "trusted"), (["artifacts", 0, "checks", 0, "reason"], None),
               (["artifacts", 0, "checks", 0, "outcome"], "maybe"), (["time"], "yesterday")],
    "launch": [(["launch_set"], None), (["mounts", 0, "readonly"], False), (["mounts", 0, "source"], "/etc"),
               (["required_controls"], ["all"]), (["image", "config"], None), (["extra"], 1)],
    "gate": [(["decision"], "allow"), (["decision"], "yes"), (["decision"], "retry"), (["reasons"], []),
             (["valid_until"], 7), (["scope"], None), (["image_ids"], ["sha256:" + "0" * 64])],
    "gate-request": [(["image"], "sha256:" + "0" * 64), (["launch"], None), (["bundle"], "latest"),
                     (["launch", "limits"], {"memory": "2GiB"}), (["enforced"], ["everything"])],
    "gate-config": [(["policies", 0, "path"], None), (["policies", 0, "path"], "policy.json"), (["min_version"], "3"),
                    (["final", "/confinement"], "best-effort"), (["final", "/confinment"], "required"),
                    (["bundle_keys"], []), (["adapters", 0, "host"], "tcp://127.0.0.1")],
    "registries": [(["schema"], None), (["mirrers"], {}), (["mirrors", "docker.io"], "a.example"),
                   (["mirrors", "docker.io/library"], []), (["mirrors", "docker.io"], ["https://a.example"]),
                   (["mirrors", "docker.io"], ["a.example/"]), (["mirrors", "docker.io"], ["a.example"] * 2)],
    "launch-set": [(["env", "MODE"], "prod"), (["limits", "cpus"], 2), (["limits", "pids"], 0), (["binds"], None),
                   (["artifacts", "crm", "digest"], "sha256:" + "0" * 64), (["x-note"], 1), (["image", "manifest"], None)],
    "launch-request": [(["env", "MODE"], {"value": "prod"}), (["schema"], "clawverify.launch-set/1"),
                       (["mounts", "models"], "sha256:" + "0" * 64), (["limit"], {}), (["read_only_root"], "yes")],
}


def written(build):
    """What the program itself writes: (kind, name, document)."""
    program = os.path.join(build, "clawverify")
    if not os.access(program, os.X_OK):
        return
    with tempfile.TemporaryDirectory() as home:
        env = dict(os.environ, HOME=home, XDG_CACHE_HOME=home + "/cache", XDG_STATE_HOME=home + "/state")
        os.makedirs(home + "/a/skills/pdf")
        with open(home + "/a/skills/pdf/SKILL.md", "w", encoding="utf-8") as f:
            f.write("---\nname: pdf\ndescription: reads files\n---\nRead the file.\n")

        def run(*arg):
            return subprocess.run([program, *arg], cwd=home + "/a", env=env, stdin=subprocess.DEVNULL,
                                  capture_output=True, check=False).stdout.decode()
        run("init")
        run("lock")
        for name, kind in (("agent.json", "agent"), ("policy.json", "policy"), ("clawverify.lock", "lock")):
            with open(home + "/a/" + name, encoding="utf-8") as f:
                yield kind, "written " + name, human(f.read())
        yield "result", "a pass", json.loads(run("verify", "-o", "json"))
        yield "result", "a failure", json.loads(run("verify", "-o", "json", "--policy", "preset:strict"))
        yield "result", "an audit", json.loads(run("verify", "-o", "json", "--policy", "preset:audit"))
        yield "result", "an error", json.loads(run("verify", "-o", "json", "--policy", "none.json"))


def main():
    for kind, schema in SCHEMAS.items():
        problem = ""
        try:
            Draft202012Validator.check_schema(schema)
        except Exception as error:  # pylint: disable=broad-except
            problem = error
        if schema["$id"].rsplit("/", 1)[1] != kind + "-1.json":
            problem = "its $id is " + schema["$id"]
        case("schema %s is one" % kind, problem)
    found = {}
    for kind, doc in examples():
        found.setdefault(kind, doc)
        case("example of %s" % kind, errors(kind, doc))
    case("every schema has an example and the reverse",
         set(found) ^ set(SCHEMAS) or set(found) ^ set(BROKEN) or "")
    for name in glob.glob(os.path.join(ROOT, "trustroots/presets/*.json")):
        case("preset %s" % os.path.basename(name), errors("policy", human(read(name))))
    for name in sorted(glob.glob(os.path.join(ROOT, "tests/golden/*-[0-9].json"))):
        kind = os.path.basename(name).rsplit("-", 1)[0]
        if kind in SCHEMAS:
            case("golden %s" % os.path.basename(name), errors(kind, human(read(name))))
    for kind, changes in BROKEN.items():
        passed = ["%s = %r" % ("/".join(map(str, path)), value) for path, value in changes
                  if not errors(kind, change(found[kind], path, value))]
        case("broken %s are refused" % kind, "\n".join(passed))
    ids = set(re.findall(r'CV_CHECK\("([^"]+)"', read("trust/base/checks.def")))
    levels = SCHEMAS["policy"]["$defs"]["levels"]["propertyNames"]["enum"]
    case("the policy schema has the catalogue's check ids", ids ^ set(levels) or "")
    final = SCHEMAS["gate-config"]["properties"]["final"]["properties"]
    case("the gate schema has the catalogue's check ids", ids ^ set(final["/checks"]["items"]["enum"]) or "")
    words = set(re.findall(r'^\t"(/[a-z_/]+)",$', read("verify/gatecfg_final.c"), re.M))
    case("the gate schema has the final fields", words ^ set(final) or "")
    for kind, name, doc in written(os.environ.get("CV_BUILD", os.path.join(ROOT, "build"))):
        case("%s: %s" % (kind, name), errors(kind, doc))
    failed = RESULTS.count(False)
    print("1..%d" % len(RESULTS))
    print("# %d passed, %d failed, 0 skipped" % (len(RESULTS) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
