// SPDX-License-Identifier: Apache-2.0
#include "compile/hooks.h"

#include <string.h>

#include "base/cleanup.h"

const struct syscall_hook syscall_hooks[] = {
	{"bpf", "bpf", NULL},
	{"ptrace", "ptrace_access_check, ptrace_traceme", "a tracer that is there already goes on"},
	{"process_vm_readv", "ptrace_access_check", "a task may reach itself"},
	{"process_vm_writev", "ptrace_access_check", "a task may reach itself"},
	{"pidfd_getfd", "ptrace_access_check", "a task may reach itself"},
	{"perf_event_open", "perf_event_open", NULL},
	{"userfaultfd", "inode_init_security_anon", NULL},
	{"io_uring_setup", "inode_init_security_anon, uring_allowed, uring_sqpoll", NULL},
	{"io_uring_enter", "uring_override_creds, uring_sqpoll, uring_cmd",
	 "a ring that is there already goes on; each thing it does is judged by its own hook"},
	{"io_uring_register", "uring_override_creds, uring_sqpoll, uring_cmd",
	 "a ring that is there already goes on; each thing it does is judged by its own hook"},
	{"add_key", "key_alloc, key_permission", "only what reaches a key is judged"},
	{"request_key", "key_alloc, key_permission", "only what reaches a key is judged"},
	{"keyctl", "key_alloc, key_permission", "only what reaches a key is judged"},
	{"unshare", "userns_create, capable", "namespaces alone are judged"},
	{"setns", "capable", NULL},
	{"mount", "sb_mount, capable", NULL},
	{"umount", "sb_umount, capable", NULL},
	{"umount2", "sb_umount, capable", NULL},
	{"move_mount", "move_mount, capable", NULL},
	{"pivot_root", "sb_pivotroot, capable", NULL},
	{"chroot", "path_chroot, capable", NULL},
	{"fsopen", "capable", NULL},
	{"fspick", "capable", NULL},
	{"fsmount", "capable", NULL},
	{"mount_setattr", "capable", NULL},
	{"fsconfig", "capable", "it needs what fsopen or fspick gave"},
	{"open_tree", "capable",
	 "only a copy of the tree is judged: without one it opens no more than O_PATH does"},
	{"init_module", "capable, kernel_load_data", NULL},
	{"finit_module", "capable, kernel_read_file", NULL},
	{"delete_module", "capable", NULL},
	{"kexec_load", "capable, kernel_load_data", NULL},
	{"kexec_file_load", "capable, kernel_read_file", NULL},
	{"reboot", "capable", NULL},
	{"swapon", "capable", NULL},
	{"swapoff", "capable", NULL},
	{"acct", "capable", NULL},
	{"sethostname", "capable", NULL},
	{"setdomainname", "capable", NULL},
	{"vhangup", "capable", NULL},
	{"open_by_handle_at", "capable", NULL},
	{"iopl", "capable", "only what needs a privilege is judged"},
	{"ioperm", "capable", "only what needs a privilege is judged"},
	{"settimeofday", "settime, capable", NULL},
	{"clock_settime", "settime, capable", NULL},
	{"adjtimex", "capable", "only what needs a privilege is judged"},
	{"clock_adjtime", "capable", "only what needs a privilege is judged"},
	{"quotactl", "quotactl, quota_on, capable", "only what a file system is asked is judged"},
	{"quotactl_fd", "quotactl, quota_on, capable",
	 "only what a file system is asked is judged"},
	{"fanotify_init", "capable", "only what needs a privilege is judged"},
	{"capset", "capable", "only what needs a privilege is judged"},
	{"setuid", "capable", "only what needs a privilege is judged"},
	{"setgid", "capable", "only what needs a privilege is judged"},
	{"setreuid", "capable", "only what needs a privilege is judged"},
	{"setregid", "capable", "only what needs a privilege is judged"},
	{"setresuid", "capable", "only what needs a privilege is judged"},
	{"setresgid", "capable", "only what needs a privilege is judged"},
	{"setgroups", "capable", "only what needs a privilege is judged"},
	{"setfsuid", "capable", "only what needs a privilege is judged"},
	{"setfsgid", "capable", "only what needs a privilege is judged"},
	{"chown", "capable", "only what needs a privilege is judged"},
	{"fchown", "capable", "only what needs a privilege is judged"},
	{"lchown", "capable", "only what needs a privilege is judged"},
	{"fchownat", "capable", "only what needs a privilege is judged"},
};
const size_t syscall_hook_count = ARRAY_SIZE(syscall_hooks);

const struct syscall_hook *syscall_hook_find(const char *name)
{
	for (size_t i = 0; i < syscall_hook_count; i++)
		if (strcmp(syscall_hooks[i].name, name) == 0)
			return &syscall_hooks[i];
	return NULL;
}
