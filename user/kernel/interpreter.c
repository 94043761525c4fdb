// SPDX-License-Identifier: Apache-2.0
#include "kernel/interpreter.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* As binfmt_elf: headers that take more than a page are no program's. */
#define HEADERS_MAX 64

static bool read_at(int fd, void *place, size_t length, uint64_t offset)
{
	return offset <= INT64_MAX && pread(fd, place, length, (off_t)offset) == (ssize_t)length;
}

bool interpreter_read(int fd, char *path, size_t room)
{
	_cleanup_close_ int file = -1;
	Elf64_Ehdr header;
	char link[64];

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	file = open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (file < 0 || !read_at(file, &header, sizeof(header), 0) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(Elf64_Phdr))
		return false;
	for (uint64_t i = 0; i < header.e_phnum && i < HEADERS_MAX; i++) {
		Elf64_Phdr part;

		if (!read_at(file, &part, sizeof(part), header.e_phoff + i * sizeof(part)))
			return false;
		if (part.p_type != PT_INTERP)
			continue;
		if (part.p_filesz == 0 || part.p_filesz >= room ||
		    !read_at(file, path, part.p_filesz, part.p_offset))
			return false;
		path[part.p_filesz] = '\0';
		return path[0] == '/';
	}
	return false;
}
