/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c: the fetch worker. It reads the certificate authorities and starts
 * libcurl before it is sealed; see trust/base/worker.h for the rest.
 *
 * libcurl looks up names in a thread of its own, which is what gives a look-up
 * a time limit; addresses and localhost need none. NSS modules other than those
 * inside the C library (files, dns) are mapped on first use.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "fetch/ca.h"
#include "fetch/tasks.h"
#include "trust/base/limits.h"
#include "trust/base/sandbox.h"

#include "trust/base/banned.h"

#define CONNECT_MS  15000
#define STALL_S     30
#define STALL_BYTES 64 /* a second: a person would not wait for more */
#define PAUSE_MS    250

/* proxied: the variables that libcurl reads (CURLOPT_PROXY); it takes
 * http_proxy in lower case only, since servers set HTTP_PROXY from a header. */
static bool
proxied(void)
{
	static const char *const names[] = { "https_proxy", "HTTPS_PROXY", "http_proxy",
					     "all_proxy", "ALL_PROXY" };
	size_t i;

	for (i = 0; i < CV_COUNT(names); i++)
		if (getenv(names[i]) != NULL && getenv(names[i])[0] != '\0')
			return true;
	return false;
}

/* start_curl: after the library has told OpenSSL to read no configuration. If it
 * fails, making the first handle fails too, and says so. */
static void
start_curl(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

int
main(int argc, char **argv)
{
	cv_auto(cv_buf_free) struct cv_buf ca = CV_BUF(CV_MAX_CA_BYTES);
	cv_auto(cv_net_close) struct cv_net *net = NULL;
	struct cv_net_opts opts = { .http = { .proxied = proxied(),
					      .connect_ms = CONNECT_MS,
					      .stall_s = STALL_S,
					      .stall_bytes = STALL_BYTES },
				    .pause_ms = PAUSE_MS,
				    .login = cv_fetch_login,
				    .pem = cv_fetch_pem,
				    .progress = cv_fetch_progress };
	struct cv_worker_def def = { .name = "fetch",
				     .seal = CV_SEAL_NET,
				     .many = true,
				     .warm = start_curl,
				     .tasks = cv_fetch_tasks };
	struct cv_err e = { 0 };

	if (cv_ca_read(&ca, &opts.http.ca_err) == 0)
		opts.http.ca = cv_buf_span(&ca);
	if (cv_net_open(&net, &opts, &e) != 0) {
		fprintf(stderr, "clawverify-fetch: %s\n", e.text);
		return (int)cv_reason_exit(e.reason);
	}
	def.ctx = net;
	return cv_worker_main(&def, argc, argv);
}
