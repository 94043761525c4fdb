// SPDX-License-Identifier: Apache-2.0
#include "agentpol/mcp_server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define NOT_FOUND      127
#define NOT_EXECUTABLE 126

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

/* [0] is read from. */
struct pipes {
	int input[2], output[2], report[2];
};

static int make_pipes(struct pipes *pipes, struct error *error)
{
	if (pipe2(pipes->input, O_CLOEXEC) < 0 || pipe2(pipes->output, O_CLOEXEC) < 0 ||
	    pipe2(pipes->report, O_CLOEXEC) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "pipe");
	return 0;
}

static void become_server(const struct mcp_server *server, const struct pipes *pipes)
{
	sigset_t none;
	int fault;

	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(pipes->input[0], STDIN_FILENO) >= 0 &&
	    dup2(pipes->output[1], STDOUT_FILENO) >= 0 &&
	    syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) == 0 &&
	    (!server->wrapped || fcntl(server->lease_fd, F_SETFD, 0) == 0))
		(void)execvp(server->command[0], server->command);
	fault = errno;
	(void)!write(pipes->report[1], &fault, sizeof(fault));
	_exit(NOT_EXECUTABLE);
}

int mcp_server_start(struct mcp_server *server, struct error *error)
{
	struct pipes pipes;
	int fault = 0;
	ssize_t got;

	server->input = server->output = -1;
	server->exit_code = STATUS_SYSTEM;
	if (make_pipes(&pipes, error) < 0)
		return -1;
	server->pid = fork();
	if (server->pid == 0)
		become_server(server, &pipes);
	(void)close(pipes.input[0]);
	(void)close(pipes.output[1]);
	(void)close(pipes.report[1]);
	if (server->wrapped)
		(void)close(server->lease_fd);
	server->input = pipes.input[1];
	server->output = pipes.output[0];
	if (server->pid < 0) {
		(void)close(pipes.report[0]);
		return error_set_errno(error, STATUS_SYSTEM, errno, "fork");
	}
	/* Closed without a word: exec has happened. */
	do
		got = read(pipes.report[0], &fault, sizeof(fault));
	while (got < 0 && errno == EINTR);
	(void)close(pipes.report[0]);
	(void)fcntl(server->input, F_SETFL, O_NONBLOCK);
	(void)fcntl(server->output, F_SETFL, O_NONBLOCK);
	if (got == 0)
		return 0;
	(void)waitpid(server->pid, NULL, 0);
	server->exit_code = fault == ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
	return error_set_errno(error, STATUS_SYSTEM, fault, "%s", server->command[0]);
}

bool mcp_server_reap(struct mcp_server *server)
{
	int status;

	if (waitpid(server->pid, &status, WNOHANG) != server->pid)
		return false;
	server->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	server->pid = 0;
	return true;
}

void mcp_server_close_input(struct mcp_server *server)
{
	if (server->input >= 0)
		(void)close(server->input);
	server->input = -1;
}
