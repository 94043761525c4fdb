// SPDX-License-Identifier: Apache-2.0
/*
 * The SQL guard without the kernel's part: plays policyd. Makes a listener on loopback, starts the
 * two children, connects to one server whatever was asked for, and starts again what ends. Records
 * go to standard output, a line each; "ready GUARD PARSER" (process ids) to standard error.
 *
 * sql_rig -m MANIFEST --tool T --listen 127.0.0.1:PORT --server HOST:PORT|DIRECTORY[:PORT]
 *         [--allowed] [--literals] [--remote] [--uid N] [--root DIR]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "base/file.h"
#include "manifest/manifest.h"
#include "policyd/sql_child.h"
#include "sql/packets.h"

#define POLICY_REF   7
#define LISTENER_REF 11

struct rig {
	const char *manifest, *tool, *listen, *server;
	const char *uid, *root;
	struct guard_policy policy;
	bool remote;
	char *text, *ca;
	size_t length, ca_length;
	int listener, link;
	pid_t guard, parser;
};

static void die(const char *what)
{
	(void)fprintf(stderr, "sql_rig: %s: %s\n", what, strerror(errno));
	exit(STATUS_SYSTEM);
}

static int memory_file(const char *text, size_t length)
{
	int fd = memfd_create("rig", MFD_CLOEXEC);

	if (fd < 0 || file_write_fd(fd, text, length) < 0)
		die("memfd");
	return fd;
}

static pid_t spawn(struct rig *rig, const char *child, int theirs)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid > 0) {
		(void)close(theirs);
		return pid;
	}
	if (theirs == SQL_CHILD_LINK)
		(void)fcntl(theirs, F_SETFD, 0);
	else if (dup2(theirs, SQL_CHILD_LINK) < 0)
		_exit(1);
	execl("/proc/self/exe", "sql_rig", child, "--uid", rig->uid, "--root", rig->root,
	      (char *)NULL);
	_exit(1);
}

static void tell(struct rig *rig, const struct guard_message *head, const void *tail,
		 const int *fds, size_t count)
{
	if (packet_send(rig->link, head, tail, fds, count) < 0)
		(void)fputs("the guard does not listen\n", stderr); /* it is started again */
}

static void start_parser(struct rig *rig)
{
	const struct guard_message head = {.type = GUARD_PARSER};
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		die("socketpair");
	rig->parser = spawn(rig, "sql-parser-child", ends[1]);
	tell(rig, &head, NULL, &ends[0], 1);
	(void)close(ends[0]);
}

static void send_policy(struct rig *rig)
{
	const struct guard_message policy = {
		.type = GUARD_POLICY, .length = sizeof(rig->policy), .ref = POLICY_REF};
	const struct guard_message listener = {
		.type = GUARD_LISTENER, .ref = LISTENER_REF, .value = POLICY_REF};
	int fds[2] = {memory_file(rig->text, rig->length), -1};

	if (rig->ca)
		fds[1] = memory_file(rig->ca, rig->ca_length);
	tell(rig, &policy, &rig->policy, fds, rig->ca ? 2 : 1);
	(void)close(fds[0]);
	if (rig->ca)
		(void)close(fds[1]);
	tell(rig, &listener, NULL, &rig->listener, 1);
}

static void start_guard(struct rig *rig)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		die("socketpair");
	if (rig->link >= 0)
		(void)close(rig->link);
	rig->link = ends[0];
	rig->guard = spawn(rig, "sql-guard-child", ends[1]);
	if (rig->parser == 0)
		start_parser(rig);
	send_policy(rig);
	(void)fprintf(stderr, "ready %d %d\n", rig->guard, rig->parser);
}

/* "127.0.0.1:5432" */
static struct sockaddr_in inet_of(const char *text)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	char host[64];
	const char *colon = strrchr(text, ':');

	(void)snprintf(host, sizeof(host), "%.*s", colon ? (int)(colon - text) : 0, text);
	address.sin_port = htons((uint16_t)(colon ? strtoul(colon + 1, NULL, 10) : 0));
	if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
		errno = EINVAL;
		die(text);
	}
	return address;
}

static int connect_server(const struct rig *rig)
{
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	struct sockaddr_in address;
	const struct sockaddr *to = (const struct sockaddr *)&local;
	socklen_t length = sizeof(local);
	const char *port = strrchr(rig->server, ':');
	int fd;

	if (rig->server[0] == '/') {
		(void)snprintf(local.sun_path, sizeof(local.sun_path), "%.*s/.s.PGSQL.%s",
			       port ? (int)(port - rig->server) : (int)strlen(rig->server),
			       rig->server, port ? port + 1 : "5432");
	} else {
		address = inet_of(rig->server);
		to = (const struct sockaddr *)&address;
		length = sizeof(address);
	}
	fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, to, length) < 0 && errno != EINPROGRESS) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static void answer(struct rig *rig, const struct packet *packet)
{
	const struct guard_client client = {.connecting = 1, .local = !rig->remote};
	struct guard_message head = {.ref = packet->head.ref};
	static const char sentence[] = "the rig cannot reach the server";
	int fd = connect_server(rig);

	head.type = fd >= 0 ? GUARD_SERVER : GUARD_REFUSE;
	head.length = fd >= 0 ? sizeof(client) : sizeof(sentence) - 1;
	tell(rig, &head, fd >= 0 ? (const void *)&client : sentence, &fd, fd >= 0);
	if (fd >= 0)
		(void)close(fd);
}

static void serve_link(struct rig *rig)
{
	static char room[GUARD_TAIL_MAX + 1];
	struct packet packet;

	if (packet_receive(rig->link, &packet, room, MSG_DONTWAIT) <= 0)
		return;
	if (packet.head.type == GUARD_ASK || packet.head.type == GUARD_ASK_CANCEL)
		answer(rig, &packet);
	else if (packet.head.type == GUARD_RECORD)
		(void)printf("%s\n", packet.tail);
	(void)fflush(stdout);
	packet_close_fds(&packet);
}

static void reap(struct rig *rig)
{
	int status;
	pid_t pid;

	/* One that ends at once is not started a thousand times a second. */
	static const struct timespec pause = {.tv_nsec = 100000000};

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		(void)fprintf(stderr, "ended %d %x\n", pid, (unsigned)status);
		(void)nanosleep(&pause, NULL);
		if (pid == rig->guard) {
			rig->guard = 0;
			/* The parser's link was the guard's: it ends as well. */
			rig->parser = 0;
		} else if (pid == rig->parser) {
			rig->parser = 0;
		}
	}
	if (rig->guard == 0) {
		start_guard(rig);
	} else if (rig->parser == 0) {
		start_parser(rig);
		(void)fprintf(stderr, "ready %d %d\n", rig->guard, rig->parser);
	}
}

static void on_child(int number)
{
	(void)number;
}

/* Without SIGCHLD blocked in between, one could come just before poll. */
static void __attribute__((noreturn)) run(struct rig *rig)
{
	const struct sigaction action = {.sa_handler = on_child};
	struct pollfd poller = {.events = POLLIN};
	sigset_t blocked, open;

	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &blocked, &open);
	(void)sigaction(SIGCHLD, &action, NULL);
	start_guard(rig);
	for (;;) {
		poller.fd = rig->link;
		if (ppoll(&poller, 1, NULL, &open) > 0 && poller.revents & POLLIN)
			serve_link(rig);
		reap(rig);
	}
}

static void listen_at(struct rig *rig)
{
	struct sockaddr_in address = inet_of(rig->listen);
	const int on = 1;

	rig->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(rig->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (rig->listener < 0 ||
	    bind(rig->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(rig->listener, 1024) < 0)
		die(rig->listen);
}

static void read_manifest(struct rig *rig)
{
	struct error error = {0};
	struct policy *policy = manifest_read_file(rig->manifest, NULL, &error);
	const struct tool *tool = policy ? policy_find_tool(policy, rig->tool) : NULL;

	if (!tool || !tool->sql ||
	    file_read_all(rig->manifest, 8U << 20, &rig->text, &rig->length, &error) < 0 ||
	    (tool->sql->ca &&
	     file_read_all(tool->sql->ca, 1U << 20, &rig->ca, &rig->ca_length, &error) < 0)) {
		(void)fprintf(stderr, "sql_rig: %s\n", policy ? error.text : "no such tool");
		exit(STATUS_UNUSABLE);
	}
	(void)snprintf(rig->policy.tool, sizeof(rig->policy.tool), "%s", rig->tool);
	rig->policy.audit = policy->mode == MODE_AUDIT;
	rig->policy.has_ca = rig->ca != NULL;
	policy_free(policy);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"tool", required_argument, NULL, 't'},
						{"listen", required_argument, NULL, 'l'},
						{"server", required_argument, NULL, 's'},
						{"allowed", no_argument, NULL, 'a'},
						{"literals", no_argument, NULL, 'L'},
						{"remote", no_argument, NULL, 'R'},
						{"uid", required_argument, NULL, 'u'},
						{"root", required_argument, NULL, 'r'},
						{0}};
	struct rig rig = {.uid = "64242", .root = "/var/empty", .link = -1};
	int option, status;

	if (sql_child_main(argc, argv, &status))
		return status;
	while ((option = getopt_long(argc, argv, "m:", options, NULL)) != -1) {
		switch (option) {
		case 'm':
			rig.manifest = optarg;
			break;
		case 't':
			rig.tool = optarg;
			break;
		case 'l':
			rig.listen = optarg;
			break;
		case 's':
			rig.server = optarg;
			break;
		case 'a':
			rig.policy.log_allowed = 1;
			break;
		case 'L':
			rig.policy.log_literals = 1;
			break;
		case 'R':
			rig.remote = true;
			break;
		case 'u':
			rig.uid = optarg;
			break;
		case 'r':
			rig.root = optarg;
			break;
		default:
			return STATUS_UNUSABLE;
		}
	}
	if (!rig.manifest || !rig.tool || !rig.listen || !rig.server) {
		(void)fputs("usage: sql_rig -m MANIFEST --tool T --listen ADDRESS:PORT --server "
			    "ADDRESS:PORT|DIRECTORY:PORT [--allowed] [--literals] [--remote]\n",
			    stderr);
		return STATUS_UNUSABLE;
	}
	(void)mkdir(rig.root, 0755);
	read_manifest(&rig);
	listen_at(&rig);
	run(&rig);
}
