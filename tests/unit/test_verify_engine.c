/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_engine.c: whole runs over a small agent with the real workers. */
#include "tests/engine/run.h"
#include "tests/support/small.h"
#include "tests/support/t.h"

#include <stdlib.h>
#include <unistd.h>

static void
locks_and_passes(void)
{
	struct small s;
	struct run r;

	small_make(&s, run_dir("good"));
	run_open(&r, &s);
	run_lock(&r);
	run_verify(&r);
	run_show(r.res);
	T_INT(r.res->decision.outcome, CV_PASS);
	T(cv_allows(r.res->decision.verdict));
	run_close(&r);
	small_free(&s);
}

static const struct t_case cases[] = {
	{ "a good agent locks and passes", locks_and_passes },
};
T_MAIN(cases)
