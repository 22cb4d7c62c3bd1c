#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""checks: clawverify-checks(7) from the catalogue and its explanations.

    docs/man/checks.py           write docs/man/clawverify-checks.7
    docs/man/checks.py --check   exit 1 if it is not what would be written
"""
import os
import re
import sys
import textwrap

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(TOP, "docs", "man", "clawverify-checks.7")
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')

HEAD = r'''.\" SPDX-License-Identifier: Apache-2.0
.\" Written by docs/man/checks.py; edit verify/report/explain.def instead.
.Dd November 25, 2026
.Dt CLAWVERIFY-CHECKS 7
.Os
.Sh NAME
.Nm clawverify-checks
.Nd what clawverify checks, and what to do about a problem
.Sh DESCRIPTION
Each check has an id that never changes; reports, policies and the gate's
answers speak of checks by these ids.
Its outcome is pass, fail, unknown (it could not be decided), waived or not
applicable.
A policy says which checks are required; see
.Pa docs/formats.md
of the distribution.
The same text is shown by
.Ic clawverify explain Ar check .
.Sh CHECKS
.Bl -tag -width Ds
'''
TAIL = r'''.El
.Sh SEE ALSO
.Xr clawverify 1
'''


def calls(path, macro):
    """The arguments of each MACRO(...) in a .def file: strings joined, words as they are."""
    text = open(os.path.join(TOP, path), encoding="utf-8").read()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    for body in re.findall(r"^%s\((.*?)\)$" % macro, text, re.S | re.M):
        parts, at = [[]], 0
        for m in re.finditer(STRING.pattern + r"|,", body):
            if m[0] == ",":
                parts.append([])
            else:
                parts[-1].append(m[1].replace('\\"', '"').replace("\\\\", "\\"))
            at = m.end()
        assert not body[at:].strip(), body
        yield ["".join(p) for p in parts]


def roff(text):
    """Text as mdoc lines: each sentence begins one, none reads as a request."""
    lines = []
    for sentence in re.split(r"(?<=[.!?]) (?=[A-Z])", text.replace("\\", "\\e")):
        lines += textwrap.wrap(sentence, 76, break_long_words=False, break_on_hyphens=False)
    return "".join("%s%s\n" % ("\\&" if line[:1] in ".'" else "", line) for line in lines)


def page():
    title = {c[0]: c[2] for c in calls("trust/base/checks.def", "CV_CHECK")}
    out = [HEAD]
    for name, why, harmless, step, maker, related in calls("verify/report/explain.def",
                                                           "CV_EXPLAIN"):
        out.append(".It Cm %s\n%s.\n.Pp\n%s" % (name, title[name][0].upper() + title[name][1:],
                                              roff(why)))
        for label, text in (("Often harmless when", harmless), ("What you can do", step),
                            ("What its maker can do", maker)):
            if text:
                out.append(".Pp\n.Em %s :\n%s" % (label, roff(text)))
        if related:
            out.append(".Pp\nSee also %s.\n" % ", ".join(related.split()))
    return "".join(out) + TAIL


def main():
    new = page()
    if sys.argv[1:] == ["--check"]:
        return 0 if open(PAGE, encoding="utf-8").read() == new else 1
    with open(PAGE, "w", encoding="utf-8") as f:
        f.write(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
