// SPDX-License-Identifier: Apache-2.0
#include "policyd/resolvers.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "kernel/cgroup.h"

#define CONF_BYTES_MAX 65536
#define WORD_BLANKS    " \t\r"

/* The next word of a line, NUL-terminated in `word`; false where there is none that fits. */
static bool next_word(const char **at, char *word, size_t room)
{
	size_t length;

	*at += strspn(*at, WORD_BLANKS);
	length = strcspn(*at, WORD_BLANKS "\n");
	if (length == 0 || length >= room)
		return false;
	memcpy(word, *at, length);
	word[length] = '\0';
	*at += length;
	return true;
}

static void take_server(const char *at, struct resolvers *resolvers)
{
	char word[RESOLV_NAME_ROOM], *zone;

	if (resolvers->count == RESOLVERS_MAX || !next_word(&at, word, sizeof(word)))
		return;
	/* "fe80::1%eth0" */
	zone = strchr(word, '%');
	if (zone)
		*zone = '\0';
	if (address_parse(word, &resolvers->addresses[resolvers->count]))
		resolvers->count++;
}

static bool is_domain(const char *word)
{
	for (const char *at = word; *at; at++)
		if (!isalnum((unsigned char)*at) && *at != '-' && *at != '_' &&
		    (*at != '.' || at == word || at[1] == '.'))
			return false;
	return word[0] != '\0';
}

/* The last such line counts. */
static void take_search(const char *at, struct resolvers *resolvers)
{
	char word[RESOLV_NAME_ROOM];

	resolvers->search_count = 0;
	while (resolvers->search_count < SEARCH_DOMAINS_MAX && next_word(&at, word, sizeof(word))) {
		char *domain = resolvers->search[resolvers->search_count];
		size_t length = strlen(word);

		if (word[length - 1] == '.')
			word[--length] = '\0';
		if (!is_domain(word))
			continue;
		for (size_t i = 0; i <= length; i++)
			domain[i] = (char)tolower((unsigned char)word[i]);
		resolvers->search_count++;
	}
}

void resolvers_parse(const char *text, struct resolvers *resolvers)
{
	const struct ip_address localhost = {{[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}};
	char word[16];

	*resolvers = (struct resolvers){.known = true};
	while (*text) {
		const char *at = text;

		if (next_word(&at, word, sizeof(word)) && *at != '\n') {
			if (strcmp(word, "nameserver") == 0)
				take_server(at, resolvers);
			else if (strcmp(word, "search") == 0 || strcmp(word, "domain") == 0)
				take_search(at, resolvers);
		}
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	if (resolvers->count == 0)
		resolvers->addresses[resolvers->count++] = localhost;
}

/* Below the process's own root: an absolute link in a container leads to a place in it. */
static int open_conf(pid_t pid)
{
	const struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
				     .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	char root[64];
	_cleanup_close_ int folder = -1;

	(void)snprintf(root, sizeof(root), "/proc/%ld/root", (long)pid);
	folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	/* Linux 5.6 */
	int fd = (int)syscall(SYS_openat2, folder, "etc/resolv.conf", &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static int read_conf(pid_t pid, struct resolvers *resolvers, struct error *error)
{
	char text[CONF_BYTES_MAX];
	struct stat status;
	ssize_t length = 0, got;
	_cleanup_close_ int fd = open_conf(pid);

	if (fd == -ENOENT || fd == -ENOTDIR) {
		resolvers_parse("", resolvers);
		return 0;
	}
	if (fd < 0 || fstat(fd, &status) < 0)
		return error_set_errno(error, STATUS_SYSTEM, fd < 0 ? -fd : errno,
				       "/etc/resolv.conf of process %ld, which \"resolvers\": "
				       "\"system\" means",
				       (long)pid);
	if (!S_ISREG(status.st_mode))
		return error_set(error, STATUS_SYSTEM,
				 "/etc/resolv.conf of process %ld, which \"resolvers\": \"system\" "
				 "means, is no regular file; list the resolvers in the manifest",
				 (long)pid);
	while ((got = read(fd, text + length, sizeof(text) - 1 - (size_t)length)) > 0)
		length += got;
	if (got < 0 || (size_t)length == sizeof(text) - 1)
		return error_set(error, STATUS_SYSTEM,
				 "/etc/resolv.conf of process %ld can't be read whole", (long)pid);
	text[length] = '\0';
	resolvers_parse(text, resolvers);
	return 0;
}

int resolvers_read(const char *cgroup_path, struct resolvers *resolvers, struct error *error)
{
	const pid_t pid = cgroup_first_process(cgroup_path);
	struct error first;

	if (pid <= 0)
		return read_conf(getpid(), resolvers, error);
	if (read_conf(pid, resolvers, &first) == 0)
		return 0;
	/* It may have ended meanwhile. */
	if (cgroup_first_process(cgroup_path) == pid) {
		*error = first;
		return -1;
	}
	return read_conf(getpid(), resolvers, error);
}
