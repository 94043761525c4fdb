/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control groups (v2 alone): where they are mounted, who is in them, making and ending them. The
 * mount is looked up, never assumed: hybrid machines have it at /sys/fs/cgroup/unified.
 */
#ifndef AGENTPOL_KERNEL_CGROUP_H
#define AGENTPOL_KERNEL_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* All paths are absolute paths in this mount namespace, PATH_MAX bytes of room each. */

/* The first cgroup2 mount in /proc/self/mountinfo. */
int cgroup_find_mount(char *path, struct error *error) MUST_USE;
/* The v2 cgroup that a process is in ("0::" of /proc/PID/cgroup). */
int cgroup_of_pid(pid_t pid, char *path, struct error *error) MUST_USE;
/* Resolves what a person wrote: an absolute path below the mount, or one relative to it. */
int cgroup_resolve(const char *written, char *path, struct error *error) MUST_USE;
/* The cgroup of a container (an id or the start of one, 12 digits at least) or of a systemd unit
 * (NAME or NAME.service): the one whose folder's name says so. */
int cgroup_find_named(const char *name, char *path, struct error *error) MUST_USE;
/* The number that bpf_get_current_cgroup_id gives; the error names the path. */
int cgroup_id(const char *path, uint64_t *id, struct error *error) MUST_USE;
/* Levels below the mount: 0 is the root cgroup. */
unsigned cgroup_level(const char *mount, const char *path);
/* The id in the path of a container's cgroup (libpod-ID.scope, docker/ID, cri-containerd-ID.scope):
 * 64 hexadecimal digits. False where there is none. */
bool cgroup_container_id(const char *path, char id[65]) MUST_USE;

int cgroup_create(const char *path, struct error *error) MUST_USE;
/* Moves the calling process. */
int cgroup_join(const char *path, struct error *error) MUST_USE;
/* The same in two steps, for who gives up the right to open the door before going through (Linux
 * asks for the opener's rights, from 5.16 and 5.15.14 on): a descriptor of the caller's, and 0 or
 * -errno. */
int cgroup_open_door(const char *path, struct error *error) MUST_USE;
int cgroup_enter(int door) MUST_USE;
/* Does any process live in it or below it? False too when it is gone. */
bool cgroup_is_populated(const char *path);
/* Processes in it and below; 0 when it is gone. */
size_t cgroup_count_processes(const char *path);
/* One of them, 0 where there is none. */
pid_t cgroup_first_process(const char *path);
/* SIGKILL to all in it and below (cgroup.kill, Linux 5.14), waits until they are gone for at most
 * `timeout_ms`. 0, also where it is gone; or -errno. */
int cgroup_empty(const char *path, int timeout_ms) MUST_USE;
/* As cgroup_empty; then removes it and what is below. */
int cgroup_end(const char *path, int timeout_ms) MUST_USE;

#endif
