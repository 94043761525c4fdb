// SPDX-License-Identifier: Apache-2.0
#include "policy/unix_sockets.h"

#include "base/cleanup.h"
#include "policy/paths.h"

/*
 * /var/run is a link to /run, and what is judged here is text. A name that stands for itself is
 * denied in any folder: a relative path tells no more of it. The abstract ones are what
 * containerd's shims listened at before 1.3.9 and 1.4.3 (CVE-2020-15257).
 */
static const struct unix_default defaults[] = {
	{"/run/agentpol/**", true},	   {"/var/run/agentpol/**", true},
	{"/var/lib/agentpol/**", true},	   {"/etc/agentpol/**", true},
	{"/**/policyd.sock", false},	   {"/**/docker.sock", false},
	{"/**/cri-dockerd.sock", false},   {"/**/containerd.sock*", false},
	{"/**/crio.sock", false},	   {"/**/podman.sock", false},
	{"/**/buildkitd.sock", false},	   {"/run/containerd/**", false},
	{"/var/run/containerd/**", false}, {"/run/crio/**", false},
	{"/var/run/crio/**", false},	   {"/run/podman/**", false},
	{"/var/run/podman/**", false},	   {"/run/buildkit/**", false},
	{"/var/run/buildkit/**", false},   {"/run/user/*/containerd/**", false},
	{"/run/user/*/podman/**", false},  {"/run/user/*/buildkit/**", false},
	{"@/containerd-shim/**", false},   {"@agentpol-guard-*", true},
};

const struct unix_default *unix_default_at(size_t index)
{
	return index < ARRAY_SIZE(defaults) ? &defaults[index] : NULL;
}

const struct unix_default *unix_default_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if (path_matches(defaults[i].pattern, name))
			return &defaults[i];
	return NULL;
}
