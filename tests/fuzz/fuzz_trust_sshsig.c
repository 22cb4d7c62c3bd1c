/* SPDX-License-Identifier: Apache-2.0 */
/* SSH signatures, armored and not; keys and certificates. */
#include "trust/sshsig.h"

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cv_span in = cv_span(data, size);
	struct cv_message m = cv_message_bytes(cv_span("message", 7));
	struct cv_sshsig s, t;
	struct cv_ssh_proven p;
	struct cv_ssh_cert c;
	struct cv_ssh_key k;
	struct cv_err e;

	if (cv_sshsig_parse_blob(&s, in, &e) == 0)
		(void)!cv_sshsig_verify(&s, &m, "file", 0, &p, &e);
	if (cv_sshsig_parse(&t, in, &e) == 0)
		(void)!cv_sshsig_verify(&t, &m, "file", 0, &p, &e);
	(void)!cv_ssh_key_parse(&k, in, &e);
	if (cv_ssh_cert_parse(&c, in, &e) == 0)
		(void)!cv_ssh_cert_signed(&c, &e);
	cv_sshsig_free(&s);
	cv_sshsig_free(&t);
	return 0;
}
