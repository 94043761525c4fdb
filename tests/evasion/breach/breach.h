/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attempts to break out by processes and files. Three processes take part: the judge (suite.c), who
 * stands outside and says what happened; the batch (batch.c), inside the policy, which makes each
 * attempt in a child of its own; and the witness (witness.c), a bystander outside whom attempts are
 * made upon. The tables of attempts are one file a group.
 */
#ifndef TESTS_EVASION_BREACH_H
#define TESTS_EVASION_BREACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define PLACE_ROOM	  256
#define TOKEN_ROOM	  24
#define MARKER_TEXT	  "executed"

/* What the attempts are told of their surroundings; goes through a socket as it is. */
struct world {
	char root[PLACE_ROOM];	  /* the scratch folder, see world.c */
	char cgroups[PLACE_ROOM]; /* where cgroup2 is mounted */
	char own[PLACE_ROOM];	  /* where those without a policy are */
	char foreign[PLACE_ROOM]; /* the witness's cgroup */
	char pins[PLACE_ROOM];	  /* a folder in bpffs with the bait, or "" */
	char token[TOKEN_ROOM];	  /* of this attempt: what secrets say */
	pid_t witness;
	pid_t policyd; /* 0: none runs */
	uint64_t word; /* address of a word of the witness's */
	uint32_t bait_map, bait_link;
	bool own_mounts; /* nothing else keeps mounts apart: each child does */
};

/* Who claims to stop an attempt. */
enum {
	BY_LAUNCH = 1,	 /* `run`: seccomp, capabilities, read-only kernel file systems */
	BY_LANDLOCK = 2, /* `run`, where it takes file and exec rules */
	BY_LSM = 4,	 /* BPF LSM, a live cgroup and root with all capabilities */
};

/* How it is seen that an attempt got through; what the attempt was told counts in one case only. */
enum evidence {
	SAID_TOKEN, /* the secret's token came out */
	RAN_MARKER, /* what only the marker program says came out */
	SAW_CHANGE, /* what `describe` says of the far end is not what it was */
	GOT_ANSWER, /* errno `number`: of a check that lies behind the one that denies */
};

struct text;
struct attempt {
	const char *name, *what;
	unsigned claimed;
	/* In the child: 0 or negative errno. */
	int (*make)(const struct world *world, const struct attempt *self);
	const char *with; /* parameters of make and describe */
	long number;
	enum evidence evidence;
	void (*describe)(struct text *out, const struct world *world, pid_t child,
			 const char *with);
	/* Outside, before and after. */
	void (*prepare)(struct world *world);
	void (*undo)(const struct world *world);
	bool vm_only; /* without a policy it changes the machine in a way that can't be undone */
};

struct group {
	const struct attempt *attempts;
	size_t count;
};
extern const struct group exec_group, reads_group, rings_group, writes_group, mounts_group,
	namespaces_group, bystander_group, kernel_group, bpf_group, sockets_group, cgroups_group,
	enforcer_group, lineage_group, capabilities_group;

/* ---- act.c: what attempts are made of ---- */
struct path {
	char text[2 * PLACE_ROOM];
};
/* A path below the scratch folder. */
struct path at(const struct world *world, const char *name);
struct path proc_path(pid_t pid, const char *name);
/* 0, or negative errno where a call returned a negative number. */
int outcome(long result);
int tell_fd(int fd);
int tell_file(const char *path);
int write_text(const char *path, int flags, const char *text);
int copy_file(const char *from, const char *to, mode_t mode);
int run_file(const char *path);
int marker_memfd(void);
extern const unsigned char marker_begin[], marker_end[], library_begin[], library_end[];
extern const unsigned char code_begin[], code_end[];

/* ---- text.c, describe.c: what is seen outside ---- */
#define TEXT_ROOM (128 * 1024)
struct text {
	size_t length;
	char at[TEXT_ROOM];
};
void text_put(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_put_file(struct text *text, const char *path);
void describe_tree(struct text *out, const struct world *world, pid_t child, const char *with);
void describe_witness(struct text *out, const struct world *world, pid_t child, const char *with);
void describe_cgroup(struct text *out, const struct world *world, pid_t child, const char *with);
/* One file, whatever it holds. */
void describe_file(struct text *out, const struct world *world, pid_t child, const char *with);
void describe_log(struct text *out, const struct world *world, pid_t child, const char *with);
void describe_host(struct text *out, const struct world *world, pid_t child, const char *with);
/* Of the child that makes the attempt: its cgroup, its mounts, a namespace, its open files with a
 * word in their name, the family of its sockets. */
void describe_membership(struct text *out, const struct world *world, pid_t child,
			 const char *with);
void describe_mounts(struct text *out, const struct world *world, pid_t child, const char *with);
void describe_namespace(struct text *out, const struct world *world, pid_t child, const char *with);
void describe_open(struct text *out, const struct world *world, pid_t child, const char *with);
void describe_sockets(struct text *out, const struct world *world, pid_t child, const char *with);

/* ---- world.c ---- */
int world_make(const char *root, bool all_capabilities);
int world_enter(struct world *world, const char *root);
int world_reset(struct world *world);
void world_leave(struct world *world);

/* ---- witness.c ---- */
int witness_start(struct world *world);
/* It lives, and the secret that it has open is the one that is there. */
bool witness_stands(const struct world *world);
void witness_end(struct world *world);
/* What was done to it. */
struct witness_page {
	volatile uint64_t word;
	volatile int signals;
	volatile int descriptors; /* its secret's descriptor, for others to look for */
};
extern struct witness_page *witness_page;

/* ---- bait.c: BPF objects that play the enforcer's ---- */
int bait_make(struct world *world);
void bait_remove(const struct world *world);
void describe_bait(struct text *out, const struct world *world, pid_t child, const char *with);

/* ---- batch.c, suite.c ---- */
struct order {
	struct world world;
	char name[48];
};
struct answer {
	pid_t child;
	int told; /* 0 or negative errno; 1: it ended without a word */
};
const struct attempt *attempt_find(const char *name);
const struct attempt *attempt_at(size_t index);
int batch_run(void);
int suite_run(const char *root, unsigned tiers, bool in_vm, const char *only, pid_t policyd,
	      char **wrapper);

#endif
