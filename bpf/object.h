/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What may be done with a file or directory? Rules name objects, not paths: a file is judged by
 * itself and by the directories above it in its own file system, whatever path led to it. A mount
 * is no step up: user space has given the root of each mount what holds where it is mounted.
 *
 * Addresses of the kernel's structs go about as numbers and are read with bpf_probe_read_kernel():
 * so a global function can take them, and a walk that a rename crosses ends somewhere harmless.
 */
#ifndef AGENTPOL_BPF_OBJECT_H
#define AGENTPOL_BPF_OBJECT_H

#include "bpf/step.h"
#include "bpf/task.h"

/* Global functions take numbers, and to the verifier a pointer is none until it was read. */
static __always_inline __u64 address_of(const void *object)
{
	const void *copy = object;
	__u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &copy);
	return address;
}

struct object_walk {
	const struct dentry *at;
	struct object_name_key name; /* name.directory is of the directory above `at` */
	struct object_key object;    /* of `at` */
	__u32 bits;		     /* OBJECT_* of rules, joined */
	__u32 anchored;		     /* the file system's root was reached */
};

static __always_inline void object_key_of(struct object_key *key, const struct dentry *dentry)
{
	const struct inode *inode = BPF_CORE_READ(dentry, d_inode);

	key->device = BPF_CORE_READ(dentry, d_sb, s_dev);
	key->inode = inode ? BPF_CORE_READ(inode, i_ino) : 0;
	key->generation = inode ? BPF_CORE_READ(inode, i_generation) : 0;
}

/* The name as rules have it; a longer one is in no rule. */
static __always_inline bool read_name(struct object_name_key *key, const struct dentry *dentry)
{
	__u32 length = BPF_CORE_READ(dentry, d_name.len);
	const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);

	__builtin_memset(key->name, 0, sizeof(key->name));
	if (!length || length >= OBJECT_NAME_BYTES)
		return false;
	return bpf_probe_read_kernel(key->name, length & (OBJECT_NAME_BYTES - 1), name) == 0;
}

/* The parts of /proc by which the kernel is commanded, as container runtimes freeze them. */
static __always_inline bool is_proc_control(const char *name)
{
	__u64 word;

	__builtin_memcpy(&word, name, sizeof(word));
	switch (bpf_be64_to_cpu(word)) {
	case 0x7379730000000000: /* sys */
	case 0x7379737271747269: /* sysrq-trigger */
	case 0x6972710000000000: /* irq */
	case 0x6275730000000000: /* bus */
	case 0x6673000000000000: /* fs */
	case 0x6163706900000000: /* acpi */
		return true;
	default:
		return false;
	}
}

static int walk_step(__u32 turn, void *context)
{
	struct object_walk *walk = context;
	const struct dentry *at = walk->at, *above = BPF_CORE_READ(at, d_parent);
	__u32 *rule = bpf_map_lookup_elem(&rules_of_object, &walk->object);

	if (rule)
		walk->bits |= turn == 1 ? *rule : *rule & ~OBJECT_EXEC_CHILDREN;
	if (above == at || !above) {
		walk->anchored = at == BPF_CORE_READ(at, d_sb, s_root);
		if (BPF_CORE_READ(at, d_sb, s_magic) == PROC_MAGIC &&
		    is_proc_control(walk->name.name))
			walk->bits |= OBJECT_FROZEN;
		return STEP_LAST;
	}
	object_key_of(&walk->name.directory, above);
	if (read_name(&walk->name, at)) {
		rule = bpf_map_lookup_elem(&rules_of_object_name, &walk->name);
		if (rule)
			walk->bits |= *rule & ~OBJECT_EXEC_CHILDREN;
	}
	walk->object = walk->name.directory;
	walk->at = above;
	return STEP_ON;
}

/* What rules leave of what holds by default: READ, WRITE, EXEC, OPEN, and what has taken away. */
static __always_inline __u32 object_sum(__u32 bits, __u32 by_default)
{
	__u32 sum = by_default | bits;

	if (sum & OBJECT_EXEC_CHILDREN)
		sum |= OBJECT_EXEC;
	sum &= ~(OBJECT_EXEC_CHILDREN | OBJECT_OPEN);
	if (sum & (OBJECT_DENY | OBJECT_ENFORCER))
		return sum & (OBJECT_DENY | OBJECT_ENFORCER | OBJECT_FROZEN);
	if (sum & OBJECT_FROZEN)
		sum &= ~OBJECT_WRITE;
	return sum | OBJECT_OPEN;
}

/* The slow way: once a file and policy. `dentry` may be one that is not there yet. */
VERIFIED_ONCE __u32 object_access(__u64 dentry, __u32 policy_id, __u32 by_default)
{
	struct object_walk walk = {.at = (const struct dentry *)dentry,
				   .name.directory.policy_id = policy_id,
				   .object.policy_id = policy_id};

	object_key_of(&walk.object, walk.at);
	bpf_loop(OBJECT_DEPTH_MAX, walk_step, &walk, 0);
	/* Deeper than we look, or a file that a handle opened: nobody can say where it is. */
	if (!walk.anchored)
		return OBJECT_DENY;
	return object_sum(walk.bits, by_default);
}

/* ---- for people ---- */

/* A path as it is put together, from its end. */
struct path_text {
	const struct dentry *at;
	const struct mount
		*mount; /* NULL: not known, so that the text ends at the file system's root */
	struct object_event *event;
	__u32 start;
};

static __always_inline const struct mount *mount_of(const struct vfsmount *mnt)
{
	return (const void *)mnt - bpf_core_field_offset(struct mount, mnt);
}

static int text_step(__u32 turn, void *context)
{
	struct path_text *text = context;
	const struct dentry *at = text->at, *above = BPF_CORE_READ(at, d_parent);
	const struct mount *mount = text->mount;
	__u32 length;

	if (above == at || (mount && at == BPF_CORE_READ(mount, mnt.mnt_root))) {
		const struct mount *below = mount;

		if (!mount)
			return STEP_LAST;
		text->mount = BPF_CORE_READ(below, mnt_parent);
		text->at = BPF_CORE_READ(below, mnt_mountpoint);
		return text->mount == below ? STEP_LAST : STEP_ON;
	}
	length = BPF_CORE_READ(at, d_name.len);
	if (length > 255 || length + 1 > text->start)
		return STEP_LAST;
	text->start -= length;
	bpf_probe_read_kernel(text->event->path + (text->start & (OBJECT_TEXT_BYTES - 1)),
			      length & 255, BPF_CORE_READ(at, d_name.name));
	text->start--;
	text->event->path[text->start & (OBJECT_TEXT_BYTES - 1)] = '/';
	text->at = above;
	return STEP_ON;
}

/* Always 0. */
VERIFIED_ONCE int object_write_path(struct object_event *event, __u64 dentry, __u64 mnt)
{
	struct path_text text = {.at = (const struct dentry *)dentry,
				 .mount = mnt ? mount_of((const struct vfsmount *)mnt) : NULL,
				 .event = event,
				 .start = OBJECT_TEXT_BYTES};

	if (!event)
		return 0;
	bpf_loop(2 * OBJECT_DEPTH_MAX, text_step, &text, 0);
	if (text.start == OBJECT_TEXT_BYTES)
		event->path[OBJECT_TEXT_BYTES - 1] = '/';
	return 0;
}

/* What equal denials are counted under: the object, or the directory in which nothing is called so
 * yet. Never 0. */
static __always_inline __u64 object_name_of(const struct dentry *dentry)
{
	struct object_key key = {};

	object_key_of(&key, dentry);
	if (!key.inode)
		object_key_of(&key, BPF_CORE_READ(dentry, d_parent));
	return stir(stir(key.inode ^ egress_config.key[1]) ^
		    ((__u64)key.device << 32 | key.generation)) |
	       1;
}

/* Tells a verdict with the path that the object has. */
static __always_inline void object_tell(struct question *question, enum event_verdict verdict,
					enum event_reason reason, const struct dentry *dentry,
					const struct vfsmount *mnt)
{
	struct object_event *event;
	struct denial_count *seen;
	struct denial_key what;
	__u64 count;

	question->name = object_name_of(dentry);
	question_key_of(question, verdict, reason, &what);
	count = denial_count_up(&what, &seen);
	if (!is_power_of_two(count))
		return;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		enforcer_count(COUNTER_EVENTS_LOST);
		return;
	}
	actor_set_current(&question->actor);
	event_fill(&event->event, &what, count, question->hook, &question->actor);
	__builtin_memset(event->path, 0, OBJECT_TEXT_BYTES);
	object_write_path(event, address_of(dentry), address_of(mnt));
	if (seen)
		seen->reported = count;
	bpf_ringbuf_submit(event, 0);
}

/* As conclude_task(). */
static __always_inline int conclude_object(struct question *question, enum event_reason reason,
					   const struct dentry *dentry, const struct vfsmount *mnt)
{
	enum event_verdict verdict = verdict_of(question, reason);
	__u32 flags = POLICY_FLAGS(question->subject.policy);

	if (flags & POLICY_QUIET)
		return verdict == EVENT_DENY ? -EPERM : 0;
	verdict_count(question->subject.slot, reason == REASON_NONE);
	if (reason != REASON_NONE ||
	    (flags & (question->kind == EVENT_EXEC ? POLICY_LOG_EXEC : POLICY_LOG_FILE)))
		object_tell(question, verdict, reason, dentry, mnt);
	return refuse(question, verdict == EVENT_DENY ? DENY : ALLOW);
}

/* ---- judging ---- */

/* File systems by which the kernel is commanded (include/uapi/linux/magic.h, fs/sysfs and others):
 * those who are policed read them. The enforcer's pins are on one, too. */
static __always_inline bool is_control_panel(unsigned long magic)
{
	switch (magic) {
	case 0x62656572: /* sysfs */
	case 0x63677270: /* cgroup2 */
	case 0x27e0eb:	 /* cgroup */
	case 0x64626720: /* debugfs */
	case 0x74726163: /* tracefs */
	case 0x73636673: /* securityfs */
	case 0x62656570: /* configfs */
	case 0x6165676c: /* pstore */
	case 0xde5e81e4: /* efivarfs */
	case 0xcafe4a11: /* bpf */
	case 0xf97cff8c: /* selinuxfs */
	case 0x43415d53: /* smackfs */
	case 0x65735543: /* fusectl */
		return true;
	default:
		return false;
	}
}

static __always_inline enum event_reason object_reason(__u32 access, __u32 wanted)
{
	if (access & OBJECT_ENFORCER)
		return REASON_ENFORCER;
	if (access & OBJECT_DENY)
		return REASON_FILE_DENIED;
	if ((access & wanted) == wanted)
		return REASON_NONE;
	if ((access & OBJECT_FROZEN) && (wanted & OBJECT_WRITE))
		return REASON_FROZEN;
	return wanted & OBJECT_EXEC ? REASON_EXEC : REASON_FILE;
}

/* OBJECT_* of what is there or would be made there; the slow way. */
static __always_inline __u32 object_access_for(const struct subject *subject,
					       const struct dentry *dentry)
{
	const struct confinement *confinement = confinement_of(subject->policy);
	__u32 access;

	if (!confinement)
		return OBJECT_DENY;
	/* It is in no folder, and whoever has it has made it or was given it. */
	if (BPF_CORE_READ(dentry, d_sb, s_flags) & SB_NOUSER)
		return OBJECT_OPEN | OBJECT_READ | OBJECT_WRITE |
		       (confinement->objects & OBJECT_EXEC);
	access =
		object_access(address_of(dentry), POLICY_ID(subject->policy), confinement->objects);
	if (is_control_panel(BPF_CORE_READ(dentry, d_sb, s_magic)))
		access = (access | OBJECT_FROZEN) & ~OBJECT_WRITE;
	return access;
}

#endif
