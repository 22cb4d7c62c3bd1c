/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.h: tests/net/server.py, started by a test. It ends with the test
 * program, whose end closes its standard input.
 */
#ifndef CV_T_SERVER_H
#define CV_T_SERVER_H

#include "tests/support/t.h"

struct t_server {
	unsigned main, other, tls; /* ports of 127.0.0.1 */
	char log[256];             /* file: a line for each request */
	char ca[256];              /* with tls: PEM of the authority that signed it */
};

/* t_server_start: `script` is the text of the rules, or NULL; root a layout
 * directory, or NULL. Skips the test when Python 3 is missing, or with tls
 * openssl(1). The certificate is for the name localhost and no other. */
void t_server_start(struct t_server *s, const char *script, const char *root, bool tls);

/* t_server_count: lines of the log that have all the given parts, one after
 * another; the list ends with NULL. */
unsigned t_server_count(const struct t_server *s, const char *part, ...) __attribute__((sentinel));

/* t_pattern: what the server's pattern() gives, at one place. */
uint8_t t_pattern(size_t at);

#endif
