// SPDX-License-Identifier: Apache-2.0
/*
 * The scratch folder, as the manifest sees it:
 *   granted/          read and write; below it denied/ and the file private, which it denies
 *   readonly/         read
 *   secret/           nothing
 *   bin/              execute
 *   tools/            nothing; has a program that nobody may execute
 * The folders and granted/private stay the same objects all the time: rules bind to objects.
 */
#include "breach.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define ALL_CAPABILITIES 41 /* of Linux 5.9 and later */

static const char *const folders[] = {
	"granted", "granted/denied", "granted/barred", "readonly", "secret", "bin", "tools"};
static const char *const kept_files[] = {"granted/private", "secret/file", "bin/breach",
					 "manifest.json"};

/* Moved by an attempt that got through, and to be moved back. */
static const struct {
	const char *from, *to;
} moved[] = {{"granted/moved", "secret"}, {"granted/other", "granted/denied"}};

static int write_blob(const char *path, const unsigned char *begin, const unsigned char *end,
		      mode_t mode)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	const ssize_t length = end - begin;
	bool whole;

	if (fd < 0)
		return -1;
	whole = write(fd, begin, (size_t)length) == length && fchmod(fd, mode) == 0;
	return close(fd) == 0 && whole ? 0 : -1;
}

/* ---- the manifest ---- */

static void print_places(FILE *out, const char *root)
{
	(void)fprintf(out,
		      "  \"files\": {\n"
		      "    \"read\": [\"%s/readonly\", \"%s/bin\", \"/dev\", \"/etc\", \"/lib\", "
		      "\"/lib64\", "
		      "\"/proc\", \"/sys\", \"/usr\"],\n"
		      "    \"write\": [\"%s/granted\", \"/dev/null\"],\n"
		      "    \"deny\": [\"%s/granted/denied\", \"%s/granted/barred\", "
		      "\"%s/granted/private\"]\n  }\n",
		      root, root, root, root, root, root);
}

static const char *const capability_names[ALL_CAPABILITIES] = {
	"CHOWN",
	"DAC_OVERRIDE",
	"DAC_READ_SEARCH",
	"FOWNER",
	"FSETID",
	"KILL",
	"SETGID",
	"SETUID",
	"SETPCAP",
	"LINUX_IMMUTABLE",
	"NET_BIND_SERVICE",
	"NET_BROADCAST",
	"NET_ADMIN",
	"NET_RAW",
	"IPC_LOCK",
	"IPC_OWNER",
	"SYS_MODULE",
	"SYS_RAWIO",
	"SYS_CHROOT",
	"SYS_PTRACE",
	"SYS_PACCT",
	"SYS_ADMIN",
	"SYS_BOOT",
	"SYS_NICE",
	"SYS_RESOURCE",
	"SYS_TIME",
	"SYS_TTY_CONFIG",
	"MKNOD",
	"LEASE",
	"AUDIT_WRITE",
	"AUDIT_CONTROL",
	"SETFCAP",
	"MAC_OVERRIDE",
	"MAC_ADMIN",
	"SYSLOG",
	"WAKE_ALARM",
	"BLOCK_SUSPEND",
	"AUDIT_READ",
	"PERFMON",
	"BPF",
	"CHECKPOINT_RESTORE",
};
/* What the attempts on capabilities alone are about, and nothing else needs. */
static const char *const withheld[] = {"NET_BIND_SERVICE", "LEASE", "SETFCAP", "IPC_LOCK"};

static bool is_withheld(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(withheld); i++)
		if (strcmp(withheld[i], name) == 0)
			return true;
	return false;
}

static int write_manifest(const char *path, const char *root, bool all_capabilities)
{
	FILE *out = fopen(path, "we");
	const char *between = "";

	if (!out)
		return -1;
	(void)fprintf(out,
		      "{\n  \"agentpol\": 1,\n  \"name\": \"breach\",\n  \"process\": {\n"
		      "    \"exec\": [\"%s/bin\", \"/bin/sh\", \"/usr/bin/sh\", \"/usr/bin/dash\", "
		      "\"/lib64\", \"/usr/lib\", \"/lib\"],\n"
		      "    \"syscalls\": {\"deny\": [\"@escape\", \"@clock\", \"@raw-io\", "
		      "\"@reboot\", \"@swap\", \"@debug\", \"@resources\", \"acct\", \"quotactl\", "
		      "\"sethostname\", \"setdomainname\", \"syslog\", \"open_by_handle_at\", "
		      "\"process_madvise\", \"vhangup\"]},\n    \"capabilities\": [",
		      root);
	for (size_t i = 0; all_capabilities && i < ALL_CAPABILITIES; i++)
		if (!is_withheld(capability_names[i])) {
			(void)fprintf(out, "%s\"CAP_%s\"", between, capability_names[i]);
			between = ", ";
		}
	(void)fprintf(out, "]\n  },\n");
	print_places(out, root);
	(void)fprintf(out, "}\n");
	return fclose(out);
}

/* ---- the folders ---- */

int world_make(const char *root, bool all_capabilities)
{
	struct world world = {0};
	char self[PLACE_ROOM] = "";

	if (strlen(root) >= sizeof(world.root) ||
	    readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return -1;
	(void)strncpy(world.root, root, sizeof(world.root) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (mkdir(at(&world, folders[i]).text, 0755) < 0 && errno != EEXIST)
			return -1;
	if (write_text(at(&world, "granted/private").text, O_CREAT, "private\n") < 0 ||
	    copy_file(self, at(&world, "bin/breach").text, 0755) < 0)
		return -1;
	return write_manifest(at(&world, "manifest.json").text, root, all_capabilities);
}

static bool is_kept(const char *name, bool is_folder)
{
	const char *const *list = is_folder ? folders : kept_files;
	const size_t count = is_folder ? ARRAY_SIZE(folders) : ARRAY_SIZE(kept_files);

	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

/* What lies beside the folders is not the attempts'. */
static void empty_folders(const struct world *world)
{
	struct path places[ARRAY_SIZE(folders)];
	char *roots[ARRAY_SIZE(folders) + 1] = {NULL};
	const size_t length = strlen(world->root);
	FTSENT *entry;
	FTS *tree;

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		places[i] = at(world, folders[i]);
		roots[i] = places[i].text;
	}
	tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	while (tree && (entry = fts_read(tree))) {
		const char *name = entry->fts_path + length;
		const bool is_folder = entry->fts_info == FTS_DP;

		if (entry->fts_info == FTS_D || is_kept(name + (*name == '/'), is_folder))
			continue;
		(void)(is_folder ? rmdir(entry->fts_path) : unlink(entry->fts_path));
	}
	if (tree)
		(void)fts_close(tree);
}

static void move_back(const struct world *world)
{
	for (size_t i = 0; i < ARRAY_SIZE(moved); i++)
		if (access(at(world, moved[i].to).text, F_OK) < 0)
			(void)rename(at(world, moved[i].from).text, at(world, moved[i].to).text);
	if (access(at(world, "granted/private").text, F_OK) < 0)
		(void)rename(at(world, "granted/public").text, at(world, "granted/private").text);
}

/* A new token each time: what an earlier attempt has brought out proves nothing. */
static void choose_token(struct world *world)
{
	uint64_t random = 0;

	(void)!getrandom(&random, sizeof(random), 0);
	(void)snprintf(world->token, sizeof(world->token), "tk-%016lx", (unsigned long)random);
}

static int fill_folders(const struct world *world)
{
	static const char *const secrets[] = {"secret/file", "granted/denied/file",
					      "granted/barred/file"};
	char text[PLACE_ROOM + 64];
	int result = 0;

	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++)
		result |= write_text(at(world, secrets[i]).text, O_CREAT | O_TRUNC, world->token);
	result |= write_text(at(world, "granted/private").text, O_TRUNC, world->token);
	(void)snprintf(text, sizeof(text), "secret/%s", world->token);
	result |= write_text(at(world, text).text, O_CREAT, "");
	result |= write_text(at(world, "readonly/file").text, O_CREAT, "for reading only\n");
	result |= write_text(at(world, "granted/file").text, O_CREAT, "granted\n");
	result |= mkdir(at(world, "readonly/folder").text, 0755);
	result |= write_blob(at(world, "readonly/marker").text, marker_begin, marker_end, 0755);
	result |= write_blob(at(world, "granted/marker.so").text, library_begin, library_end, 0755);
	result |= write_blob(at(world, "tools/marker").text, marker_begin, marker_end, 0755);
	result |= write_text(at(world, "bin/tool").text, O_CREAT, "#!/bin/sh\n");
	(void)snprintf(text, sizeof(text), "#!%s/tools/marker\n", world->root);
	result |= write_text(at(world, "bin/script").text, O_CREAT, text);
	result |=
		chmod(at(world, "bin/script").text, 0755) | chmod(at(world, "bin/tool").text, 0755);
	return result ? -1 : 0;
}

int world_reset(struct world *world)
{
	move_back(world);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		(void)chmod(at(world, folders[i]).text, 0755);
	empty_folders(world);
	choose_token(world);
	if (fill_folders(world) < 0)
		return -1;
	/* A new one only where the old one is gone: a namespace takes its time. */
	if (witness_stands(world))
		return 0;
	witness_end(world);
	return witness_start(world);
}

/* ---- what is around them ---- */

static int find_cgroups(struct world *world)
{
	FILE *mounts = fopen("/proc/self/mounts", "re");
	char line[2 * PLACE_ROOM];

	while (mounts && !*world->cgroups && fgets(line, sizeof(line), mounts)) {
		char type[16], point[PLACE_ROOM];

		if (sscanf(line, "%*s %255s %15s", point, type) == 2 &&
		    strcmp(type, "cgroup2") == 0)
			(void)strcpy(world->cgroups, point);
	}
	if (mounts)
		(void)fclose(mounts);
	return *world->cgroups ? 0 : -1;
}

int world_enter(struct world *world, const char *root)
{
	*world = (struct world){0};
	(void)strncpy(world->root, root, sizeof(world->root) - 1);
	if (find_cgroups(world) < 0)
		return -1;
	(void)snprintf(world->foreign, sizeof(world->foreign), "%.200s/breach-%d", world->cgroups,
		       (int)getpid());
	(void)snprintf(world->pins, sizeof(world->pins), "/sys/fs/bpf/breach-%d", (int)getpid());
	(void)snprintf(world->own, sizeof(world->own), "%.240s-own", world->foreign);
	if (mkdir(world->foreign, 0755) < 0 || mkdir(world->own, 0755) < 0)
		return -1;
	if (bait_make(world) < 0)
		(void)fprintf(stderr, "# no bait: %m\n");
	return 0;
}

void world_leave(struct world *world)
{
	witness_end(world);
	bait_remove(world);
	/* Its processes may still be on their way out. */
	for (int tries = 0; tries < 200 && rmdir(world->foreign) < 0 && errno == EBUSY; tries++)
		(void)usleep(5000);
	for (int tries = 0; tries < 200 && rmdir(world->own) < 0 && errno == EBUSY; tries++)
		(void)usleep(5000);
}
