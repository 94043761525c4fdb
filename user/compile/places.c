// SPDX-License-Identifier: Apache-2.0
#include "compile/places.h"

#include "base/cleanup.h"

/*
 * Places that an agent has no use for, and that root's number alone, without any capability, could
 * write to or speak to: the enforcer's own; the sockets of container runtimes; and those by which
 * another process acts for whoever asks: starts units (dbus, the user's own manager in /run/user)
 * or looks names up.
 */
const struct hidden_place hidden_places[] = {
	{"/sys/fs/bpf", false},
	{"/run/agentpol", true},
	{"/var/log/agentpol", true},
	{"/var/lib/agentpol", false},
	{"/etc/agentpol", false},
	{"/run/docker.sock", false},
	{"/run/containerd", false},
	{"/run/crio", false},
	{"/run/podman", false},
	{"/run/user", false},
	{"/run/systemd/private", false},
	{"/run/dbus/system_bus_socket", false},
	{"/run/systemd/resolve/io.systemd.Resolve", false},
	{"/run/nscd/socket", false},
};
const size_t hidden_place_count = ARRAY_SIZE(hidden_places);

/* Parts of /proc by which root's number commands the kernel, as container runtimes have them. */
const char *const read_only_places[] = {
	"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs",
};
const size_t read_only_place_count = ARRAY_SIZE(read_only_places);
