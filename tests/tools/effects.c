// SPDX-License-Identifier: Apache-2.0
/*
 * What system calls have done when a kill comes that was sent as they came in:
 *
 *     effects CGROUP      each in children that are moved into the cgroup, where it is denied
 *     effects             each without a policy: all of them are done, and nobody is killed
 *     effects --calls     their names, for the manifest's list
 *
 * A line each: what, how often it was done, how often the child was killed, of how many tries.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIES 5
/* What goes to somebody else may take so long to arrive. */
#define ARRIVAL_MS 200

static void fail(const char *what)
{
	(void)fprintf(stderr, "effects: %s: %s\n", what, strerror(errno));
	exit(3);
}

static void must(long result, const char *what)
{
	if (result < 0)
		fail(what);
}

/* The world that the attempts change; made anew for each try, in a folder of its own. */
static struct {
	int pipe[2];
	int server, client, fd, other_fd;
	struct sockaddr_in address;
	pid_t victim;
	int files; /* open before */
} world;
static const char *self;
static volatile uint64_t cell;

static void write_file(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	must(fd, path);
	must(write(fd, text, strlen(text)), path);
	(void)close(fd);
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static off_t size_of(const char *path)
{
	struct stat status;

	return stat(path, &status) < 0 ? -1 : status.st_size;
}

static bool is_readable(int fd)
{
	struct pollfd poller = {.fd = fd, .events = POLLIN};

	return poll(&poller, 1, ARRIVAL_MS) == 1;
}

/* ---- files ---- */

static void make_file(void)
{
	write_file("file", "text");
}
static void make_folder(void)
{
	must(mkdir("folder", 0700), "folder");
}
static void open_files(void)
{
	make_file();
	write_file("target", "");
	world.fd = open("file", O_RDONLY | O_CLOEXEC);
	world.other_fd = open("target", O_WRONLY | O_CLOEXEC);
	must(world.fd, "file");
	must(world.other_fd, "target");
}
static void close_files(void)
{
	(void)close(world.fd);
	(void)close(world.other_fd);
}

static void try_unlink(void)
{
	(void)syscall(SYS_unlinkat, AT_FDCWD, "file", 0);
}
static bool file_is_gone(void)
{
	return !exists("file");
}
static void try_mkdir(void)
{
	(void)syscall(SYS_mkdirat, AT_FDCWD, "made", 0700);
}
static void try_symlink(void)
{
	(void)syscall(SYS_symlinkat, "made", AT_FDCWD, "link");
}
static bool is_linked(void)
{
	char text[8];

	return readlink("link", text, sizeof(text)) > 0;
}
static bool is_made(void)
{
	return exists("made");
}
static void try_rename(void)
{
	(void)syscall(SYS_renameat2, AT_FDCWD, "file", AT_FDCWD, "made", 0);
}
static void try_create(void)
{
	const struct open_how how = {.flags = O_CREAT | O_WRONLY, .mode = 0600};

	(void)syscall(SYS_openat2, AT_FDCWD, "made", &how, sizeof(how));
}
static void try_truncate(void)
{
	const struct open_how how = {.flags = O_TRUNC | O_WRONLY};

	(void)syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof(how));
}
static bool is_empty(void)
{
	return size_of("file") == 0;
}
static void try_chmod(void)
{
	(void)syscall(SYS_fchmodat, AT_FDCWD, "file", 0777);
}
static bool has_mode(void)
{
	struct stat status;

	return stat("file", &status) == 0 && (status.st_mode & 0777) == 0777;
}
static void try_write(void)
{
	(void)syscall(SYS_write, world.other_fd, "text", 4);
}
static void try_copy(void)
{
	(void)syscall(SYS_copy_file_range, world.fd, NULL, world.other_fd, NULL, 4, 0);
}
static bool is_written(void)
{
	return size_of("target") > 0;
}

/* ---- the mount tree: of a namespace of our own ---- */

static bool is_mounted(void)
{
	struct statfs status;

	return statfs("folder", &status) == 0 && status.f_type == 0x01021994 /* TMPFS_MAGIC */ &&
	       umount2("folder", MNT_DETACH) == 0;
}
/* The tests' own folder may be on such a file system, too. */
static bool was_mounted(void)
{
	struct stat inner, outer;

	return stat("folder", &inner) == 0 && stat(".", &outer) == 0 &&
	       inner.st_dev != outer.st_dev && is_mounted();
}
static void mount_folder(void)
{
	make_folder();
	must(mount("none", "folder", "tmpfs", 0, NULL), "tmpfs");
}
static void try_mount(void)
{
	(void)syscall(SYS_mount, "none", "folder", "tmpfs", 0, NULL);
}
static void try_umount(void)
{
	(void)syscall(SYS_umount2, "folder", MNT_DETACH);
}
static bool is_unmounted(void)
{
	return !was_mounted();
}

/* ---- other processes ---- */

static void make_victim(void)
{
	world.victim = fork();
	if (world.victim == 0)
		for (;;)
			(void)pause();
	must(world.victim, "fork");
}
static void end_victim(void)
{
	(void)kill(world.victim, SIGKILL);
	(void)waitpid(world.victim, NULL, 0);
}
static void try_kill(void)
{
	(void)syscall(SYS_kill, world.victim, SIGTERM);
}
/* Ended or stopped, and not by us. */
static bool victim_changed(void)
{
	for (int i = 0; i < ARRIVAL_MS; i++) {
		siginfo_t state = {0};

		if (waitid(P_PID, (id_t)world.victim, &state,
			   WEXITED | WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
		    state.si_pid)
			return true;
		(void)usleep(1000);
	}
	return false;
}
static void try_ptrace(void)
{
	(void)syscall(SYS_ptrace, PTRACE_ATTACH, world.victim, NULL, NULL);
}
static void clear_cell(void)
{
	cell = 0;
}
static void try_write_memory(void)
{
	static const uint64_t one = 1;
	const struct iovec from = {(void *)(uintptr_t)&one, sizeof(one)};
	const struct iovec to = {(void *)(uintptr_t)&cell, sizeof(cell)};

	(void)syscall(SYS_process_vm_writev, getppid(), &from, 1UL, &to, 1UL, 0UL);
}
static bool cell_is_set(void)
{
	return cell != 0;
}
/* What runs anew leaves a mark by a call that is not denied. */
static void leave_mark(void)
{
	(void)syscall(SYS_linkat, AT_FDCWD, "file", AT_FDCWD, "made", 0);
}
static void try_exec(void)
{
	char *const arguments[] = {(char *)(uintptr_t)self, (char *)(uintptr_t) "--mark", NULL};

	(void)syscall(SYS_execve, self, arguments, environ);
}
static void try_clone(void)
{
	const long child = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);

	if (child != 0)
		return;
	leave_mark();
	_exit(0);
}
static bool mark_arrives(void)
{
	for (int i = 0; i < ARRIVAL_MS && !is_made(); i++)
		(void)usleep(1000);
	return is_made();
}

/* ---- sockets and pipes ---- */

static void make_sockets(int type)
{
	socklen_t length = sizeof(world.address);

	world.address = (struct sockaddr_in){.sin_family = AF_INET};
	world.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	world.server = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	world.client = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	must(bind(world.server, (struct sockaddr *)&world.address, sizeof(world.address)), "bind");
	must(getsockname(world.server, (struct sockaddr *)&world.address, &length), "getsockname");
	if (type == SOCK_STREAM)
		must(listen(world.server, 1), "listen");
}
static void make_streams(void)
{
	make_sockets(SOCK_STREAM);
}
static void make_datagrams(void)
{
	make_sockets(SOCK_DGRAM);
}
static void close_sockets(void)
{
	(void)close(world.server);
	(void)close(world.client);
}
static void try_connect(void)
{
	(void)syscall(SYS_connect, world.client, &world.address, sizeof(world.address));
}
static void try_send(void)
{
	(void)syscall(SYS_sendto, world.client, "text", 4, 0, &world.address,
		      sizeof(world.address));
}
static bool server_hears(void)
{
	return is_readable(world.server);
}
static void make_pipe(void)
{
	must(pipe2(world.pipe, O_CLOEXEC), "pipe");
	world.other_fd = world.pipe[1];
}
static void close_pipe(void)
{
	(void)close(world.pipe[0]);
	(void)close(world.pipe[1]);
}
static bool pipe_has(void)
{
	return is_readable(world.pipe[0]);
}

/* ---- the kernel's own ---- */

static int count_files(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	while (folder && readdir(folder))
		count++;
	if (folder)
		(void)closedir(folder);
	return count;
}
static void note_files(void)
{
	world.files = count_files();
}
static bool has_more_files(void)
{
	return count_files() > world.files;
}
/* Nothing else is open between two tries. */
static void close_new_files(void)
{
	for (int fd = 3; fd < 64; fd++)
		(void)close(fd);
}
static void try_bpf(void)
{
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	attributes.map_type = BPF_MAP_TYPE_ARRAY;
	attributes.key_size = 4;
	attributes.value_size = 8;
	attributes.max_entries = 1;
	(void)syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes));
}
static void make_keyring(void)
{
	must(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL), "keyring");
}
static void try_key(void)
{
	(void)syscall(SYS_add_key, "user", "effects", "text", 4, KEY_SPEC_SESSION_KEYRING);
}
static bool has_key(void)
{
	return syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", "effects", 0) >
	       0;
}
static void name_host(void)
{
	must(sethostname("before", 6), "sethostname");
}
static void try_name(void)
{
	(void)syscall(SYS_sethostname, "after", 5);
}
static bool host_is_named(void)
{
	struct utsname names;

	return uname(&names) == 0 && strcmp(names.nodename, "after") == 0;
}

static const struct effect {
	const char *what;
	const char *call;
	void (*prepare)(void);
	void (*attempt)(void); /* in the child: one system call that counts */
	bool (*is_done)(void);
	void (*clean)(void);
	bool shares_files; /* the child's descriptors are the parent's */
} effects[] = {
	{"unlink", "unlinkat", make_file, try_unlink, file_is_gone, NULL, false},
	{"mkdir", "mkdirat", NULL, try_mkdir, is_made, NULL, false},
	{"rename", "renameat2", make_file, try_rename, is_made, NULL, false},
	{"symlink", "symlinkat", NULL, try_symlink, is_linked, NULL, false},
	{"chmod", "fchmodat", make_file, try_chmod, has_mode, NULL, false},
	{"open with O_CREAT", "openat2", NULL, try_create, is_made, NULL, false},
	{"open with O_TRUNC", "openat2", make_file, try_truncate, is_empty, NULL, false},
	{"write to a file", "write", open_files, try_write, is_written, close_files, false},
	{"copy_file_range", "copy_file_range", open_files, try_copy, is_written, close_files,
	 false},
	{"write to a pipe", "write", make_pipe, try_write, pipe_has, close_pipe, false},
	{"connect, TCP", "connect", make_streams, try_connect, server_hears, close_sockets, false},
	{"sendto, UDP", "sendto", make_datagrams, try_send, server_hears, close_sockets, false},
	{"kill of another", "kill", make_victim, try_kill, victim_changed, end_victim, false},
	{"ptrace attach", "ptrace", make_victim, try_ptrace, victim_changed, end_victim, false},
	{"process_vm_writev", "process_vm_writev", clear_cell, try_write_memory, cell_is_set, NULL,
	 false},
	{"execve", "execve", make_file, try_exec, mark_arrives, NULL, false},
	{"clone", "clone", make_file, try_clone, mark_arrives, NULL, false},
	{"mount", "mount", make_folder, try_mount, was_mounted, NULL, false},
	{"umount", "umount2", mount_folder, try_umount, is_unmounted, NULL, false},
	{"bpf map create", "bpf", note_files, try_bpf, has_more_files, close_new_files, true},
	{"add_key", "add_key", make_keyring, try_key, has_key, NULL, false},
	{"sethostname", "sethostname", name_host, try_name, host_is_named, NULL, false},
};

#define EFFECTS (sizeof(effects) / sizeof(effects[0]))

/* ---- a try ---- */

static void move_into(const char *cgroup, pid_t child)
{
	char path[PATH_MAX], text[32];

	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	(void)snprintf(text, sizeof(text), "%ld", (long)child);
	write_file(path, text);
}

static pid_t start_child(const struct effect *effect, int go)
{
	const pid_t child = (pid_t)syscall(
		SYS_clone, SIGCHLD | (effect->shares_files ? CLONE_FILES : 0), NULL, NULL, NULL, 0);
	char byte;

	must(child, "clone");
	if (child > 0)
		return child;
	(void)!read(go, &byte, 1);
	effect->attempt();
	_exit(0);
}

/* Whether the child was killed. */
static bool run_child(const struct effect *effect, const char *cgroup)
{
	int go[2], status;
	pid_t child;

	must(pipe2(go, O_CLOEXEC), "pipe");
	child = start_child(effect, go[0]);
	if (cgroup)
		move_into(cgroup, child);
	must(write(go[1], "", 1), "pipe");
	must(waitpid(child, &status, 0), "waitpid");
	(void)close(go[0]);
	(void)close(go[1]);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void run_effect(const struct effect *effect, const char *cgroup)
{
	int done = 0, killed = 0;

	for (int i = 0; i < TRIES; i++) {
		char folder[] = "/tmp/agentpol-effects-XXXXXX";

		if (!mkdtemp(folder) || chdir(folder) < 0)
			fail(folder);
		if (effect->prepare)
			effect->prepare();
		killed += run_child(effect, cgroup);
		done += effect->is_done();
		if (effect->clean)
			effect->clean();
		for (const char *const *name =
			     (const char *const[]){"file", "made", "link", "target", NULL};
		     *name; name++)
			(void)remove(*name);
		(void)umount2("folder", MNT_DETACH);
		(void)rmdir("folder");
		must(chdir("/"), "/");
		must(rmdir(folder), folder);
	}
	(void)printf("%s\t%d\t%d\t%d\n", effect->what, done, killed, TRIES);
}

static int list_calls(void)
{
	for (size_t i = 0; i < EFFECTS; i++)
		(void)puts(effects[i].call);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--mark") == 0) {
		leave_mark();
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "--calls") == 0)
		return list_calls();
	self = realpath("/proc/self/exe", NULL);
	if (!self)
		fail("/proc/self/exe");
	/* What is mounted and named here goes with this process. */
	must(unshare(CLONE_NEWNS | CLONE_NEWUTS), "unshare");
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "/");
	for (size_t i = 0; i < EFFECTS; i++)
		run_effect(&effects[i], argc > 1 ? argv[1] : NULL);
	return 0;
}
