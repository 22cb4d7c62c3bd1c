/* SPDX-License-Identifier: Apache-2.0 */
/* launchset_socket.c: paths by which a sandbox would command the engine that
 * holds it. Must never miss one by its writing: paths are in normal form. */
#include "verify/launchset.h"

#include <string.h>

#include "trust/base/banned.h"

/* Where engines listen unless configured otherwise; /var/run is /run on every
 * system of today. A trailing '*' is any rest. */
static const char *const sockets[] = {
	"/run/buildkit/buildkitd.sock",
	"/run/containerd/containerd.sock",
	"/run/containerd/containerd.sock.ttrpc",
	"/run/containerd/debug.sock",
	"/run/cri-dockerd.sock",
	"/run/crio/crio.sock",
	"/run/docker.sock",
	"/run/docker/containerd/containerd.sock",
	"/run/docker/metrics.sock",
	"/run/docker/plugins",
	"/run/k3s/containerd/containerd.sock",
	"/run/podman/podman.sock",
	"/run/user/*",
};

/* below: is path `dir` or below it? */
static bool
below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strcmp(dir, "/") == 0 ||
	       (strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/'));
}

/* shows: would this place show that socket? */
static bool
shows(const char *place, const char *socket)
{
	size_t n = strlen(socket);

	if (socket[n - 1] != '*')
		return below(socket, place) || below(place, socket);
	/* a user's own engines: everything in the directory */
	return strncmp(place, socket, n - 1) == 0 || below(socket, place);
}

bool
cv_launch_socket(const char *path)
{
	const char *base = strrchr(path, '/');

	if (strncmp(path, "/var/run", 8) == 0 && (path[8] == '\0' || path[8] == '/'))
		path += 4;
	/* /proc/PID/root and /proc/PID/cwd show the whole file system of a process */
	if (below(path, "/proc"))
		return true;
	/* /var shows /var/run only where that is a directory: counted as one */
	if (strcmp(path, "/var") == 0 || strcmp(path, "/") == 0)
		return true;
	if (base != NULL &&
	    (strcmp(base, "/docker.sock") == 0 || strcmp(base, "/containerd.sock") == 0 ||
	     strcmp(base, "/podman.sock") == 0 || strcmp(base, "/crio.sock") == 0))
		return true;
	for (size_t i = 0; i < CV_COUNT(sockets); i++)
		if (shows(path, sockets[i]))
			return true;
	return false;
}
