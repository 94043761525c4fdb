// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agentpol/doctor.h"
#include "compile/hooks.h"
#include "compile/tiers.h"

#define WIDTH_MIN   80
#define WIDTH_MAX   120
#define GRANT_WIDTH 28
#define NAME_WIDTH  18
#define GAP	    2

#define PLAIN  ""
#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define RED    "\033[31m"
#define BOLD   "\033[1m"
#define RESET  "\033[0m"

struct screen {
	size_t width;
	bool colour;
};

struct cell {
	const char *text;
	size_t width;
	const char *colour;
};

static struct screen find_screen(void)
{
	struct winsize size;
	const bool terminal = isatty(STDOUT_FILENO);
	size_t width = WIDTH_MAX;

	if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
		width = size.ws_col;
	if (width < WIDTH_MIN)
		width = WIDTH_MIN;
	if (width > WIDTH_MAX)
		width = WIDTH_MAX;
	return (struct screen){.width = width, .colour = terminal && !getenv("NO_COLOR")};
}

/* As much of the text as fits, up to a space where there is one. */
static size_t fitting(const char *text, size_t width)
{
	size_t length = strlen(text), at;

	if (length <= width)
		return length;
	for (at = width; at > 0; at--)
		if (text[at] == ' ')
			return at;
	/* A word that is longer than the cell, a list of LSMs, say: at a comma, or anywhere. */
	for (at = width; at > 0; at--)
		if (text[at - 1] == ',')
			return at;
	return width;
}

static void print_padded(const struct screen *screen, const struct cell *cell, size_t length,
			 bool last)
{
	const bool colour = screen->colour && cell->colour[0] && length;

	(void)printf("%s%.*s%s", colour ? cell->colour : "", (int)length, cell->text,
		     colour ? RESET : "");
	if (!last)
		(void)printf("%*s", (int)(cell->width - length + GAP), "");
}

/* Cells side by side, each wrapped by itself. */
static void print_row(const struct screen *screen, struct cell *cells, size_t count)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < count; i++) {
			const size_t length = fitting(cells[i].text, cells[i].width);

			print_padded(screen, &cells[i], length, i + 1 == count);
			cells[i].text += length;
			cells[i].text += strspn(cells[i].text, " ");
			more = more || cells[i].text[0];
		}
		(void)putchar('\n');
	}
}

static void print_fact(const struct screen *screen, const char *name, const char *text,
		       const char *colour)
{
	struct cell cells[] = {{name, NAME_WIDTH, PLAIN},
			       {text, screen->width - NAME_WIDTH - GAP, colour}};

	print_row(screen, cells, ARRAY_SIZE(cells));
}

static void print_heading(const struct screen *screen, const char *text)
{
	(void)printf("\n%s%s%s\n", screen->colour ? BOLD : "", text, screen->colour ? RESET : "");
}

/* ---- the grants ---- */

/* Without root nothing was tried, so nothing is known of what could be. */
static struct cell cell_of(const struct doctor *doctor, const struct way *ways, size_t width)
{
	const struct way *way = way_find(ways, doctor->has);

	if (way)
		return (struct cell){way->by, width, way->partly ? YELLOW : GREEN};
	if (!doctor->features.root && ways[0].by)
		return (struct cell){"not tried", width, YELLOW};
	return (struct cell){"not enforced", width, RED};
}

static void print_grants(const struct screen *screen, const struct doctor *doctor)
{
	const size_t width = (screen->width - GRANT_WIDTH) / 2 - GAP;
	struct cell head[] = {
		{"GRANT", GRANT_WIDTH, BOLD}, {"RUN", width, BOLD}, {"ATTACH", width, BOLD}};

	print_row(screen, head, ARRAY_SIZE(head));
	for (size_t i = 0; i < mechanism_count; i++) {
		struct cell cells[] = {
			{mechanisms[i].grant, GRANT_WIDTH, PLAIN},
			cell_of(doctor, mechanisms[i].launch, width),
			cell_of(doctor, mechanisms[i].attach, width),
		};

		print_row(screen, cells, ARRAY_SIZE(cells));
	}
}

static void print_proofs(const struct screen *screen, const struct trial *trial)
{
	print_heading(screen, "Tried");
	for (size_t i = 0; i < trial->proof_count; i++) {
		const struct proof *proof = &trial->proofs[i];

		print_fact(screen, proof->proved ? "proved" : "failed",
			   proof->proved ? proof->what : proof->error.text,
			   proof->proved ? GREEN : RED);
	}
}

static void print_lacks(const struct screen *screen, const struct doctor *doctor)
{
	if (doctor->lack_count)
		print_heading(screen, "Missing");
	for (size_t i = 0; i < doctor->lack_count; i++) {
		print_fact(screen, doctor->lacks[i].name, doctor->lacks[i].why, YELLOW);
		if (doctor->lacks[i].how[0])
			print_fact(screen, "", doctor->lacks[i].how, PLAIN);
	}
}

/* ---- the system ---- */

static const char *or_unknown(const char *text)
{
	return text[0] ? text : "unknown";
}

static void print_system(const struct screen *screen, const struct doctor *doctor)
{
	const struct features *features = &doctor->features;
	char text[PATH_MAX + 64];

	print_heading(screen, "System");
	print_fact(screen, "kernel", features->release, PLAIN);
	print_fact(screen, "active LSMs", or_unknown(features->lsm_list), PLAIN);
	print_fact(screen, "lockdown", or_unknown(features->lockdown), PLAIN);
	(void)snprintf(text, sizeof(text), "ABI %d", features->landlock_abi);
	print_fact(screen, "Landlock", features->landlock_abi ? text : "none", PLAIN);
	(void)snprintf(text, sizeof(text), "%s; controllers:%s%s%s%s",
		       features->cgroup_mount[0] ? features->cgroup_mount : "not mounted",
		       features->controllers & CONTROLLER_PIDS ? " pids" : "",
		       features->controllers & CONTROLLER_MEMORY ? " memory" : "",
		       features->controllers & CONTROLLER_CPU ? " cpu" : "",
		       features->controllers ? "" : " none of pids, memory, cpu");
	print_fact(screen, "cgroup v2", text, PLAIN);
	print_fact(screen, "BPF file system",
		   features->bpf_mounted ? "/sys/fs/bpf" : "not mounted; agentpol mounts it",
		   PLAIN);
	print_fact(screen, "types (BTF)", features->types ? "yes" : "no", PLAIN);
	print_fact(screen, "privileges",
		   !features->root		       ? "not root"
		   : features->capabilities_missing[0] ? "root without some capabilities"
						       : "root",
		   PLAIN);
	if (features->root && features->capabilities_missing[0])
		print_fact(screen, "", features->capabilities_missing, YELLOW);
	if (features->unprivileged_bpf == 0)
		print_fact(screen, "unprivileged BPF",
			   "allowed: every user may load programs; set "
			   "kernel.unprivileged_bpf_disabled=1",
			   YELLOW);
	print_fact(screen, "policyd",
		   doctor->daemon   ? "answers"
		   : features->root ? "does not answer: run does without, attach needs it"
				    : "does not answer, or not to this user",
		   PLAIN);
	if (doctor->has & NEED_WATCH)
		print_fact(screen, "price", WATCH_PRICE, PLAIN);
}

/* ---- system calls ---- */

static void print_syscalls(const struct screen *screen, unsigned has)
{
	const bool lsm = has & NEED_LSM;
	const size_t width = (screen->width - GRANT_WIDTH) / 2 - GAP;
	struct cell head[] = {
		{"SYSTEM CALL", GRANT_WIDTH, BOLD},
		{lsm ? "HOOKS OF THE LSM" : "HOOKS OF THE LSM (NOT HERE)", width, BOLD},
		{"BUT", width, BOLD}};

	(void)putchar('\n');
	print_row(screen, head, ARRAY_SIZE(head));
	for (size_t i = 0; i < syscall_hook_count; i++) {
		const struct syscall_hook *hook = &syscall_hooks[i];
		struct cell cells[] = {{hook->name, GRANT_WIDTH, PLAIN},
				       {hook->hooks, width, lsm ? GREEN : PLAIN},
				       {hook->note ? hook->note : "", width, PLAIN}};

		print_row(screen, cells, ARRAY_SIZE(cells));
	}
	(void)printf(
		"\nOther system calls have no hook. run denies each by seccomp, with or without "
		"one;\nwhere no LSM is heeded, attach can only kill who makes one.\n");
}

void doctor_print_text(const struct doctor *doctor, bool syscalls)
{
	const struct screen screen = find_screen();

	print_grants(&screen, doctor);
	print_proofs(&screen, &doctor->trial);
	print_lacks(&screen, doctor);
	print_system(&screen, doctor);
	if (syscalls)
		print_syscalls(&screen, doctor->has);
}
