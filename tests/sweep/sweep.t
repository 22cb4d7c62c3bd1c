#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sweep.t: a few faults of each kind; `make sweep` does all of them.
exec "$(dirname "$0")/sweep.py" --faults 12
