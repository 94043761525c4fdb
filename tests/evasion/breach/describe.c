// SPDX-License-Identifier: Apache-2.0
/* What the far end looks like, as text: an attempt got through when it is another one after it. */
#include "breach.h"

#include <dirent.h>
#include <fts.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>
#include <netinet/in.h>

#define SYSLOG_READ_ALL	  3
#define CLOCK_STEP_S	  600 /* a clock that was set is off by more */
#define IOPRIO_OF_PROCESS 1
#define SMALL_FILE	  4096

void text_put(struct text *text, const char *format, ...)
{
	const size_t room = sizeof(text->at) - text->length;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text->at + text->length, room, format, arguments);
	va_end(arguments);
	if (length > 0)
		text->length += (size_t)length < room ? (size_t)length : room - 1;
}

void text_put_file(struct text *text, const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got;

	if (fd < 0) {
		text_put(text, "%s: %m\n", path);
		return;
	}
	while ((got = read(fd, text->at + text->length, sizeof(text->at) - 1 - text->length)) > 0)
		text->length += (size_t)got;
	text->at[text->length] = '\0';
	(void)close(fd);
}

static void put_status(struct text *out, const char *path, const struct stat *status)
{
	char names[256] = "";
	const ssize_t length = llistxattr(path, names, sizeof(names));

	text_put(out, "%s %lo %o %u %u %lu %ld %ld.%09ld %ld.%09ld %zd\n", path,
		 (unsigned long)status->st_ino, status->st_mode, status->st_uid, status->st_gid,
		 (unsigned long)status->st_nlink,
		 S_ISDIR(status->st_mode) ? 0 : (long)status->st_size, (long)status->st_mtim.tv_sec,
		 status->st_mtim.tv_nsec, (long)status->st_ctim.tv_sec, status->st_ctim.tv_nsec,
		 length);
	if (S_ISREG(status->st_mode) && status->st_size <= SMALL_FILE)
		text_put_file(out, path);
}

void describe_tree(struct text *out, const struct world *world, pid_t child, const char *with)
{
	struct path places[] = {at(world, "readonly"),	     at(world, "secret"),
				at(world, "tools"),	     at(world, "bin"),
				at(world, "granted/denied"), at(world, "granted/barred"),
				at(world, "granted/private")};
	char *roots[ARRAY_SIZE(places) + 1] = {NULL};
	FTSENT *entry;
	FTS *tree;

	(void)child;
	(void)with;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		roots[i] = places[i].text;
	tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	while (tree && (entry = fts_read(tree)))
		if (entry->fts_info != FTS_DP)
			put_status(out, entry->fts_path, entry->fts_statp);
	if (tree)
		(void)fts_close(tree);
}

void describe_file(struct text *out, const struct world *world, pid_t child, const char *with)
{
	const struct path below = at(world, with);
	const char *path = *with == '/' ? with : below.text;
	struct stat status;

	(void)child;
	if (lstat(path, &status) < 0)
		text_put(out, "%s: %m\n", path);
	else
		put_status(out, path, &status);
}

/* The line of /proc/PID/status that begins with `key`. */
static void put_line_of(struct text *out, const struct text *status, const char *key)
{
	const char *line = strstr(status->at, key);

	text_put(out, "%.*s\n", line ? (int)strcspn(line, "\n") : 0, line ? line : "");
}

static bool stands_still(const struct text *status)
{
	const char *state = strstr(status->at, "State:\t");

	return !state || !strchr("RSD", state[7]);
}

void describe_witness(struct text *out, const struct world *world, pid_t child, const char *with)
{
	static const char *const lines[] = {"Name:", "TracerPid:", "Cpus_allowed_list:"};
	static const char *const files[] = {"oom_score_adj", "coredump_filter", "timerslack_ns",
					    "cgroup"};
	static struct text status;
	struct rlimit limit = {0};

	(void)child;
	(void)with;
	status.length = 0;
	text_put_file(&status, proc_path(world->witness, "status").text);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		put_line_of(out, &status, lines[i]);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		text_put_file(out, proc_path(world->witness, files[i]).text);
	(void)prlimit(world->witness, RLIMIT_NOFILE, NULL, &limit);
	text_put(out, "word %lx signals %d stopped %d nice %d policy %d ioprio %ld files %lu\n",
		 (unsigned long)witness_page->word, witness_page->signals, stands_still(&status),
		 getpriority(PRIO_PROCESS, (id_t)world->witness),
		 sched_getscheduler(world->witness),
		 syscall(SYS_ioprio_get, IOPRIO_OF_PROCESS, world->witness),
		 (unsigned long)limit.rlim_cur);
}

void describe_cgroup(struct text *out, const struct world *world, pid_t child, const char *with)
{
	static const char *const files[] = {"cgroup.procs", "cgroup.freeze",
					    "cgroup.max.descendants", "cgroup.subtree_control"};
	char path[2 * PLACE_ROOM];

	(void)child;
	(void)with;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", world->foreign, files[i]);
		text_put_file(out, path);
	}
	(void)snprintf(path, sizeof(path), "%s/made", world->foreign);
	text_put(out, "below %d\n", access(path, F_OK));
}

static size_t times_in(const char *text, const char *word)
{
	size_t times = 0;

	for (; (text = strstr(text, word)); text++)
		times++;
	return times;
}

void describe_log(struct text *out, const struct world *world, pid_t child, const char *with)
{
	static char log[1024 * 1024];
	const int length = klogctl(SYSLOG_READ_ALL, log, sizeof(log) - 1);

	(void)child;
	(void)with;
	log[length > 0 ? length : 0] = '\0';
	for (int i = 0; i < length; i++)
		if (!log[i])
			log[i] = ' ';
	text_put(out, "%zu %zu\n", times_in(log, world->token), times_in(log, "sysrq: HELP"));
}

void describe_host(struct text *out, const struct world *world, pid_t child, const char *with)
{
	static const char *const files[] = {
		"/proc/sys/kernel/ctrl-alt-del", "/proc/sys/kernel/printk",   "/proc/swaps",
		"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe",
	};
	static struct text keys;
	struct timex times = {0};
	struct timespec real, boot;
	struct timezone zone = {0};
	struct utsname names;

	(void)child;
	(void)with;
	(void)uname(&names);
	(void)adjtimex(&times);
	(void)syscall(SYS_gettimeofday, NULL, &zone);
	(void)clock_gettime(CLOCK_REALTIME, &real);
	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	keys.length = 0;
	text_put_file(&keys, "/proc/keys");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		text_put_file(out, files[i]);
	text_put(out, "%s %s %ld %d %ld keys %zu\n", names.nodename, names.domainname,
		 (long)times.constant, zone.tz_minuteswest,
		 (long)(real.tv_sec - boot.tv_sec + CLOCK_STEP_S / 2) / CLOCK_STEP_S,
		 times_in(keys.at, world->token));
}

/* ---- the child that makes the attempt ---- */

void describe_membership(struct text *out, const struct world *world, pid_t child, const char *with)
{
	(void)world;
	(void)with;
	text_put_file(out, proc_path(child, "cgroup").text);
}

void describe_mounts(struct text *out, const struct world *world, pid_t child, const char *with)
{
	(void)world;
	(void)with;
	text_put_file(out, proc_path(child, "mountinfo").text);
}

void describe_namespace(struct text *out, const struct world *world, pid_t child, const char *with)
{
	char link[PLACE_ROOM] = "";

	(void)world;
	(void)!readlink(proc_path(child, with).text, link, sizeof(link) - 1);
	text_put(out, "%s\n", link);
}

/* Calls `put` for each open descriptor. */
static void each_open(struct text *out, pid_t child, const char *with,
		      void (*put)(struct text *, pid_t, int, const char *, const char *))
{
	const struct path folder = proc_path(child, "fd");
	DIR *open_files = opendir(folder.text);
	const struct dirent *entry;

	while (open_files && (entry = readdir(open_files))) {
		char link[PLACE_ROOM] = "";

		if (*entry->d_name == '.' ||
		    readlinkat(dirfd(open_files), entry->d_name, link, sizeof(link) - 1) < 0)
			continue;
		put(out, child, atoi(entry->d_name), link, with);
	}
	if (open_files)
		(void)closedir(open_files);
}

static void put_named(struct text *out, pid_t child, int fd, const char *link, const char *with)
{
	(void)child;
	if (strstr(link, with))
		text_put(out, "%d %s\n", fd, link);
}

/* With "bound": those that have a port, and the port. */
static void put_socket(struct text *out, pid_t child, int fd, const char *link, const char *with)
{
	static const int options[] = {SO_DOMAIN, SO_TYPE, SO_PROTOCOL};
	struct sockaddr_in address = {0};
	socklen_t room = sizeof(address);
	int pidfd, copy;

	if (strncmp(link, "socket:", 7) != 0)
		return;
	pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (with && getsockname(copy, (struct sockaddr *)&address, &room) == 0 &&
	    address.sin_family == AF_INET && address.sin_port)
		text_put(out, "port %d\n", ntohs(address.sin_port));
	for (size_t i = 0; !with && i < ARRAY_SIZE(options); i++) {
		int value = -1;
		socklen_t length = sizeof(value);

		(void)getsockopt(copy, SOL_SOCKET, options[i], &value, &length);
		text_put(out, "%d ", value);
	}
	(void)close(copy);
	(void)close(pidfd);
}

void describe_open(struct text *out, const struct world *world, pid_t child, const char *with)
{
	(void)world;
	each_open(out, child, with, put_named);
}

void describe_sockets(struct text *out, const struct world *world, pid_t child, const char *with)
{
	(void)world;
	each_open(out, child, with, put_socket);
}
