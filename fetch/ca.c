/* SPDX-License-Identifier: Apache-2.0 */
/* ca.c: see ca.h. */
#include "fetch/ca.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust/base/banned.h"

/* Where distributions keep the bundle; the first that exists is taken. */
static const char *const bundles[] = {
	"/etc/ssl/certs/ca-certificates.crt", /* Debian, Ubuntu, Alpine, Arch */
	"/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, RHEL */
	"/etc/ssl/ca-bundle.pem",             /* SUSE */
	"/etc/ssl/cert.pem",
};

static void
dir_close(DIR **d)
{
	if (*d != NULL)
		closedir(*d);
	*d = NULL;
}

static int
read_at(struct cv_buf *out, int dir, const char *path, struct cv_err *e)
{
	cv_auto(cv_closep) int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return cv_fail_errno(e, "certificate authorities: %s", path);
	if (cv_buf_read_fd(out, fd, path, e) != 0)
		return cv_fail_within(e, "certificate authorities");
	cv_buf_byte(out, '\n');
	return cv_buf_ok(out, path, e);
}

/* hashed: eight hex digits, a dot, a number: what OpenSSL's directory look-up
 * opens. Other files in the directory are not trusted by being there. */
static bool
hashed(const char *name)
{
	size_t i;

	for (i = 0; i < 8; i++)
		if (!isxdigit((unsigned char)name[i]))
			return false;
	if (name[8] != '.' || name[9] == '\0')
		return false;
	for (i = 9; name[i] != '\0'; i++)
		if (!isdigit((unsigned char)name[i]))
			return false;
	return true;
}

static int
read_dir(struct cv_buf *out, const char *path, struct cv_err *e)
{
	cv_auto(dir_close) DIR *d = opendir(path);
	struct dirent *f;

	if (d == NULL)
		return cv_fail_errno(e, "certificate authorities: %s", path);
	while ((f = readdir(d)) != NULL)
		if (hashed(f->d_name) && read_at(out, dirfd(d), f->d_name, e) != 0)
			return -1;
	return 0;
}

static const char *
named(const char *variable)
{
	const char *value = getenv(variable);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

int
cv_ca_read(struct cv_buf *out, struct cv_err *e)
{
	const char *file = named("CURL_CA_BUNDLE"), *dir = named("SSL_CERT_DIR");
	size_t i;

	if (file == NULL)
		file = named("SSL_CERT_FILE");
	if (file != NULL && read_at(out, AT_FDCWD, file, e) != 0)
		return -1;
	if (dir != NULL && read_dir(out, dir, e) != 0)
		return -1;
	for (i = 0; file == NULL && dir == NULL && i < CV_COUNT(bundles); i++)
		if (access(bundles[i], R_OK) == 0)
			return read_at(out, AT_FDCWD, bundles[i], e);
	return 0;
}
