#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# table.sh FILE...: a C file that takes the samples below verify/demo into the
# program by the assembler, and their table. The paths are relative to the root of
# the source, where the compiler runs.
set -eu
echo '/* made by verify/demo/table.sh */'
echo '#include "verify/demo/demo.h"'
echo '#include "trust/base/auto.h"'
i=0
for f in "$@"; do
	cat <<EOF
__asm__(".section .rodata\n.hidden cv_demo_$i\n.globl cv_demo_$i\ncv_demo_$i:\n.incbin \"$f\"\n"
	".hidden cv_demo_end_$i\n.globl cv_demo_end_$i\ncv_demo_end_$i:\n.byte 0\n.previous\n");
extern const char cv_demo_$i[] __attribute__((visibility("hidden")));
extern const char cv_demo_end_$i[] __attribute__((visibility("hidden")));
EOF
	i=$((i + 1))
done
echo 'const struct cv_demo_file cv_demo_files[] = {'
i=0
for f in "$@"; do
	echo "	{ \"${f#verify/demo/}\", cv_demo_$i, cv_demo_end_$i },"
	i=$((i + 1))
done
echo '};'
echo 'const size_t cv_demo_nfiles = CV_COUNT(cv_demo_files);'
