/* SPDX-License-Identifier: Apache-2.0 */
/* outputs.c: see outputs.h. */
#include "verify/outputs.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "verify/cmdline.h"
#include "verify/report/report.h"

#include "trust/base/banned.h"

#define MAX_REPORT (256 * CV_MIB)

static int
render(struct cv_buf *out, const struct cv_cmdline *c, const struct cv_result *r, bool json,
       bool to_terminal, struct cv_err *e)
{
	struct cv_report_opts o = { .color = to_terminal && c->color,
				    .quiet = to_terminal && cv_cl_flag(c, "quiet"),
				    .verbose = cv_cl_flag(c, "verbose") };

	return json ? cv_report_json(out, r, e) : cv_report_text(out, r, &o, e);
}

/* write_file: a regular file is replaced in one step; a device or a pipe (such
 * as /dev/null) is written to, never replaced. */
static int
write_file(const char *file, struct cv_span text, struct cv_err *e)
{
	cv_auto(cv_closep) int fd = -1;
	struct stat st;

	if (stat(file, &st) != 0 || S_ISREG(st.st_mode))
		return cv_conf_write(file, text, e);
	fd = open(file, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return cv_fail_errno(e, "%s", file);
	return cv_write_all(fd, text.p, text.n, file, e);
}

static int
write_one(const struct cv_cmdline *c, const struct cv_result *r, bool json, const char *file,
	  struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(MAX_REPORT);

	if (render(&out, c, r, json, file == NULL, e) != 0)
		return -1;
	if (file != NULL)
		return write_file(file, cv_buf_span(&out), e);
	if (out.n > 0)
		(void)fwrite(out.p, 1, out.n, stdout); /* cv_cmd_stdout() asks how it went */
	return 0;
}

int
cv_outputs_write(const struct cv_cmdline *c, const struct cv_result *r, struct cv_err *e)
{
	size_t n;
	const char *const *v = cv_cl_values(c, "output", &n);
	bool to_stdout = false;

	for (size_t i = 0; i < n; i++) {
		const char *eq = strchr(v[i], '=');

		to_stdout = to_stdout || eq == NULL;
		if (write_one(c, r, strncmp(v[i], "json", 4) == 0, eq != NULL ? eq + 1 : NULL, e) !=
		    0)
			return -1;
	}
	return to_stdout ? 0 : write_one(c, r, false, NULL, e);
}
