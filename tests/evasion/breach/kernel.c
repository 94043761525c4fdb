// SPDX-License-Identifier: Apache-2.0
/*
 * The kernel's own doors: modules, other kernels, clocks, ports, keys, its log and its settings.
 * What would do harm is asked for in a way that can't work, and fails behind the check of
 * privilege.
 */
#include "breach.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define SYSLOG_CONSOLE_LEVEL 8
#define CONSOLE_LEVEL	     6
#define QUOTA_ON	     0x800002
#define HARMLESS_PORT	     0x80 /* diagnostics of the start; nobody listens */
#define CLOCK_AHEAD_S	     7200

/* ---- modules, other kernels ---- */

static int load_garbage(const struct world *world, const struct attempt *self)
{
	(void)world;
	(void)self;
	return outcome(syscall(SYS_init_module, "no module", 9UL, ""));
}

static int load_garbage_file(const struct world *world, const struct attempt *self)
{
	const int fd = open(at(world, "granted/file").text, O_RDONLY);

	(void)self;
	return fd < 0 ? -errno : outcome(syscall(SYS_finit_module, fd, "", 0));
}

static int unload_unknown(const struct world *world, const struct attempt *self)
{
	(void)world;
	(void)self;
	return outcome(syscall(SYS_delete_module, "breach_no_such_module", O_NONBLOCK));
}

static int load_kernel(const struct world *world, const struct attempt *self)
{
	(void)world;
	(void)self;
	/* Flags that no kernel knows. */
	return outcome(syscall(SYS_kexec_load, 0UL, 0UL, NULL, 0xff00UL));
}

static int load_kernel_file(const struct world *world, const struct attempt *self)
{
	const int fd = open(at(world, "granted/file").text, O_RDONLY);

	(void)self;
	return fd < 0 ? -errno : outcome(syscall(SYS_kexec_file_load, fd, -1, 1UL, "", 0xff00UL));
}

/* ---- what the whole machine has one of ---- */

static int change_key_of_reboot(const struct world *world, const struct attempt *self)
{
	(void)world;
	return outcome(reboot((int)(unsigned)self->number));
}

static void enable_key_of_reboot(const struct world *world)
{
	(void)world;
	(void)reboot((int)LINUX_REBOOT_CMD_CAD_ON);
}

static int swap_on_garbage(const struct world *world, const struct attempt *self)
{
	(void)self;
	return outcome(swapon(at(world, "granted/file").text, 0));
}

static int tune_clock(const struct world *world, const struct attempt *self)
{
	struct timex times = {0};

	(void)world;
	(void)self;
	if (adjtimex(&times) < 0)
		return -errno;
	times = (struct timex){.modes = ADJ_TIMECONST, .constant = times.constant == 3 ? 4 : 3};
	return outcome(adjtimex(&times));
}

static void tune_clock_back(const struct world *world)
{
	struct timex times = {.modes = ADJ_TIMECONST, .constant = 2};

	(void)world;
	(void)adjtimex(&times);
}

static int set_clock(const struct world *world, const struct attempt *self)
{
	struct timespec now;

	(void)world;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += CLOCK_AHEAD_S;
	if (!self->number)
		return outcome(clock_settime(CLOCK_REALTIME, &now));
	return outcome(syscall(SYS_settimeofday, &(struct timeval){.tv_sec = now.tv_sec}, NULL));
}

static void set_clock_back(const struct world *world)
{
	struct timespec now;

	(void)world;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec -= CLOCK_AHEAD_S;
	(void)clock_settime(CLOCK_REALTIME, &now);
}

static int rename_host(const struct world *world, const struct attempt *self)
{
	return self->number ? outcome(setdomainname(world->token, strlen(world->token)))
			    : outcome(sethostname(world->token, strlen(world->token)));
}

static int open_ports(const struct world *world, const struct attempt *self)
{
	(void)world;
	return self->number ? outcome(iopl(3)) : outcome(ioperm(HARMLESS_PORT, 1, 1));
}

static int turn_quotas_on(const struct world *world, const struct attempt *self)
{
	(void)world;
	(void)self;
	/* Of what is no file system. */
	return outcome(syscall(SYS_quotactl, QUOTA_ON << 8, "/dev/null", 0, NULL));
}

static int set_console_level(const struct world *world, const struct attempt *self)
{
	(void)world;
	(void)self;
	return outcome(klogctl(SYSLOG_CONSOLE_LEVEL, NULL, CONSOLE_LEVEL));
}

/* Without its end a line of the log is not shown yet. */
static int write_log(const struct world *world, const struct attempt *self)
{
	char line[TOKEN_ROOM + 2];

	(void)snprintf(line, sizeof(line), "%s\n", world->token);
	return write_text(self->with, 0, line);
}

static void restore_settings(const struct world *world)
{
	(void)world;
	(void)write_text("/proc/sys/kernel/core_pattern", 0, "core");
	(void)write_text("/proc/sys/kernel/modprobe", 0, "/sbin/modprobe");
}

static int write_setting(const struct world *world, const struct attempt *self)
{
	(void)world;
	return write_text(self->with, 0, "h");
}

/* Reads, and writes nothing. */
static int open_for_writing(const struct world *world, const struct attempt *self)
{
	(void)world;
	return outcome(open(self->with, O_RDWR));
}

/* ---- things to hold ---- */

static int open_counters(const struct world *world, const struct attempt *self)
{
	struct perf_event_attr counters = {.type = PERF_TYPE_SOFTWARE,
					   .size = sizeof(counters),
					   .config = PERF_COUNT_SW_CPU_CLOCK};

	(void)world;
	(void)self;
	return outcome(syscall(SYS_perf_event_open, &counters, 0, -1, -1, 0));
}

static int open_faults(const struct world *world, const struct attempt *self)
{
	(void)world;
	(void)self;
	return outcome(syscall(SYS_userfaultfd, 1 /* user mode only */));
}

static int open_fault_device(const struct world *world, const struct attempt *self)
{
	const int device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);

	(void)world;
	(void)self;
	return device < 0
		       ? -errno
		       : outcome(syscall(SYS_ioctl, device, 0xAA00 /* USERFAULTFD_IOC_NEW */, 0));
}

static int add_key(const struct world *world, const struct attempt *self)
{
	(void)self;
	return outcome(
		syscall(SYS_add_key, "user", world->token, "x", 1UL, KEY_SPEC_PROCESS_KEYRING));
}

static int join_keyring(const struct world *world, const struct attempt *self)
{
	(void)self;
	return outcome(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, world->token, 0, 0, 0));
}

static int request_key(const struct world *world, const struct attempt *self)
{
	(void)self;
	return outcome(syscall(SYS_request_key, "user", world->token, NULL, 0));
}

static int trace_me_32bit(const struct world *world, const struct attempt *self)
{
	long result = 26; /* ptrace */

	(void)world;
	(void)self;
	__asm__ volatile("int $0x80"
			 : "+a"(result)
			 : "b"(0), "c"(0), "d"(0), "S"(0)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}

#define BOTH	       .claimed = BY_LAUNCH | BY_LSM
#define HOST	       BOTH, .evidence = SAW_CHANGE, .describe = describe_host
#define HELD	       BOTH, .evidence = SAW_CHANGE, .describe = describe_open
#define ANSWER(error)  BOTH, .evidence = GOT_ANSWER, .number = -(error)
#define FILE_OF_KERNEL .claimed = BY_LANDLOCK | BY_LSM

static const struct attempt attempts[] = {
	{"module-init", "init_module", ANSWER(ENOEXEC), .make = load_garbage},
	{"module-init-file", "finit_module", ANSWER(ENOEXEC), .make = load_garbage_file},
	{"module-delete", "delete_module", ANSWER(ENOENT), .make = unload_unknown},
	{"kexec-load", "kexec_load", ANSWER(EINVAL), .make = load_kernel},
	{"kexec-load-file", "kexec_file_load", ANSWER(EINVAL), .make = load_kernel_file},
	{"reboot-key", "reboot", HOST, .make = change_key_of_reboot,
	 .number = LINUX_REBOOT_CMD_CAD_OFF, .undo = enable_key_of_reboot, .vm_only = true},
	{"swap-on", "swapon", ANSWER(EINVAL), .make = swap_on_garbage},
	{"clock-tune", "adjtimex", HOST, .make = tune_clock, .undo = tune_clock_back,
	 .vm_only = true},
	{"clock-set", "clock_settime", HOST, .make = set_clock, .undo = set_clock_back,
	 .vm_only = true},
	{"clock-set-of-day", "settimeofday", HOST, .make = set_clock, .number = 1,
	 .undo = set_clock_back, .vm_only = true},
	{"host-name", "sethostname", HOST, .make = rename_host},
	{"host-domain", "setdomainname", HOST, .make = rename_host, .number = 1},
	{"ports-some", "ioperm", BOTH, .evidence = GOT_ANSWER, .make = open_ports},
	/* Nothing of the kernel's judges it before it knows what it is about. */
	{"quota-control", "quotactl", .claimed = BY_LAUNCH, .evidence = GOT_ANSWER,
	 .number = -ENOTBLK, .make = turn_quotas_on},
	{"log-level", "the console's level, by syslog", HOST, .make = set_console_level,
	 .vm_only = true},
	{"log-write", "/dev/kmsg", FILE_OF_KERNEL, .evidence = SAW_CHANGE, .describe = describe_log,
	 .make = write_log, .with = "/dev/kmsg"},
	{"log-sysrq", "/proc/sysrq-trigger", .claimed = BY_LAUNCH | BY_LSM, .evidence = SAW_CHANGE,
	 .describe = describe_log, .make = write_setting, .with = "/proc/sysrq-trigger"},
	{"setting-core-pattern", "/proc/sys/kernel/core_pattern", HOST, .make = write_log,
	 .with = "/proc/sys/kernel/core_pattern", .undo = restore_settings, .vm_only = true},
	{"setting-modprobe", "/proc/sys/kernel/modprobe", HOST, .make = write_log,
	 .with = "/proc/sys/kernel/modprobe", .undo = restore_settings, .vm_only = true},
	{"setting-open", "a file of /proc/sys opened for writing", BOTH, .evidence = GOT_ANSWER,
	 .make = open_for_writing, .with = "/proc/sys/kernel/printk"},
	{"setting-sysfs", "a file of /sys opened for writing", BOTH, .evidence = GOT_ANSWER,
	 .make = open_for_writing, .with = "/sys/kernel/mm/transparent_hugepage/enabled"},
	{"memory-device", "/dev/mem", .claimed = BY_LAUNCH | BY_LANDLOCK | BY_LSM,
	 .evidence = GOT_ANSWER, .make = open_for_writing, .with = "/dev/mem"},
	{"port-device", "/dev/port", .claimed = BY_LAUNCH | BY_LANDLOCK | BY_LSM,
	 .evidence = GOT_ANSWER, .make = open_for_writing, .with = "/dev/port"},
	{"held-counters", "perf_event_open", HELD, .make = open_counters, .with = "perf_event"},
	{"held-faults", "userfaultfd", HELD, .make = open_faults,
	 .with = "anon_inode:[userfaultfd]"},
	{"held-fault-device", "/dev/userfaultfd", FILE_OF_KERNEL, .evidence = SAW_CHANGE,
	 .describe = describe_open, .make = open_fault_device, .with = "[userfaultfd]"},
	{"key-add", "add_key", HOST, .make = add_key},
	{"key-join", "keyctl", HOST, .make = join_keyring},
	/* The LSM is asked about keys, and there is none. */
	{"key-request", "request_key", .claimed = BY_LAUNCH, .evidence = GOT_ANSWER,
	 .number = -ENOKEY, .make = request_key},
	{"trace-32bit", "ptrace by the 32-bit entry", BOTH, .evidence = GOT_ANSWER,
	 .make = trace_me_32bit},
};
const struct group kernel_group = {attempts, ARRAY_SIZE(attempts)};
