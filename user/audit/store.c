// SPDX-License-Identifier: Apache-2.0
#include "audit/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"

#define LOCK_TRIES 200

struct audit_store {
	int fd;
	uint64_t last_seq;
	off_t end; /* of the file, when last_seq was right */
	uint64_t lost;
	struct json_writer line;
	char path[PATH_MAX];
};

/* The number in `{"seq":N,...`, as audit_record_write writes it; 0 where there is none. */
static uint64_t seq_of_line(const char *line)
{
	static const char start[] = "{\"seq\":";
	char *end;
	uint64_t seq;

	if (strncmp(line, start, sizeof(start) - 1) != 0)
		return 0;
	errno = 0;
	seq = strtoull(line + sizeof(start) - 1, &end, 10);
	return errno == 0 && *end == ',' ? seq : 0;
}

/* Reads the file's last AUDIT_LINE_MAX bytes: the last whole line's number, and where it ends. */
static int read_tail(int fd, off_t size, uint64_t *seq, off_t *whole)
{
	size_t length = size < AUDIT_LINE_MAX ? (size_t)size : AUDIT_LINE_MAX;
	_cleanup_free_ char *tail = malloc(length + 1);
	char *last, *line;
	ssize_t got;

	if (!tail)
		return -ENOMEM;
	got = pread(fd, tail, length, size - (off_t)length);
	if (got < 0)
		return -errno;
	if ((size_t)got != length)
		return -EIO;
	tail[length] = '\0';
	*seq = 0;
	*whole = 0;
	last = memrchr(tail, '\n', length);
	if (!last)
		return size > (off_t)length ? -EBADMSG : 0;
	*whole = size - (off_t)length + (last - tail) + 1;
	line = memrchr(tail, '\n', (size_t)(last - tail));
	*seq = seq_of_line(line ? line + 1 : tail);
	return *seq ? 0 : -EBADMSG;
}

/* With the lock held: where the file has changed since this writer's last record, learns its end
 * anew, and cuts off half a line. */
static int catch_up(struct audit_store *store)
{
	struct stat status;
	off_t whole = 0;
	int result;

	if (fstat(store->fd, &status) < 0)
		return -errno;
	if (status.st_size == store->end)
		return 0;
	if (status.st_size == 0) {
		store->end = 0;
		return 0;
	}
	result = read_tail(store->fd, status.st_size, &store->last_seq, &whole);
	if (result < 0)
		return result;
	if (whole < status.st_size) {
		if (ftruncate(store->fd, whole) < 0)
			return -errno;
		store->lost++;
	}
	store->end = whole;
	return 0;
}

static int write_record(struct audit_store *store, struct audit_record *record)
{
	const char *text;
	int result;

	record->seq = store->last_seq + 1;
	json_writer_reset(&store->line);
	audit_record_write(record, &store->line);
	text = json_writer_text(&store->line);
	if (!text)
		return -ENOMEM;
	if (store->line.length > AUDIT_LINE_MAX)
		return -EMSGSIZE;
	result = file_write_fd(store->fd, text, store->line.length);
	if (result < 0) {
		/* Half a line would be taken for a record that somebody cut. */
		(void)!ftruncate(store->fd, store->end);
		return result;
	}
	store->end += (off_t)store->line.length;
	store->last_seq = record->seq;
	return 0;
}

static int write_lost(struct audit_store *store)
{
	struct audit_record record = {
		.time_ns = audit_time_now(),
		.kind = "lost",
		.verdict = "noted",
		.reason = "lost",
		.count = store->lost,
		.message = "records were lost before they reached the log",
	};
	int result = 0;

	if (store->lost) {
		result = write_record(store, &record);
		if (result == 0)
			store->lost = 0;
	}
	return result;
}

static int append_locked(struct audit_store *store, struct audit_record *record)
{
	int result = catch_up(store);

	if (result == 0)
		result = write_lost(store);
	if (result == 0 && record)
		result = write_record(store, record);
	return result;
}

/* A writer holds it for microseconds; whoever holds it longer is none, and must not hold the daemon
 * up: the record is counted as lost then. */
static int take_lock(int fd)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	for (int tries = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; tries++) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || tries == LOCK_TRIES)
			return -errno;
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

static int append(struct audit_store *store, struct audit_record *record)
{
	int result;

	result = take_lock(store->fd);
	if (result < 0)
		return result;
	result = append_locked(store, record);
	(void)flock(store->fd, LOCK_UN);
	return result;
}

struct audit_store *audit_store_open(const char *folder, struct error *error)
{
	struct audit_store *store;
	int result;

	if (file_make_directories(folder, 0700, error) < 0)
		return NULL;
	store = calloc(1, sizeof(*store));
	if (!store) {
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	(void)snprintf(store->path, sizeof(store->path), "%s/%s", folder, AUDIT_LOG_NAME);
	store->fd = open(store->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	result = store->fd < 0 ? -errno : append(store, NULL);
	if (result < 0) {
		if (result == -EBADMSG)
			(void)error_set(error, STATUS_SYSTEM,
					"%s does not end in an audit record; move it away",
					store->path);
		else
			(void)error_set_errno(error, STATUS_SYSTEM, -result, "audit log %s",
					      store->path);
		audit_store_close(store);
		return NULL;
	}
	return store;
}

void audit_store_close(struct audit_store *store)
{
	if (!store)
		return;
	if (store->fd >= 0) {
		audit_store_flush(store);
		(void)close(store->fd);
	}
	json_writer_free(&store->line);
	free(store);
}

int audit_store_append(struct audit_store *store, struct audit_record *record)
{
	int result = append(store, record);

	if (result < 0)
		store->lost++;
	return result;
}

void audit_store_add_lost(struct audit_store *store, uint64_t count)
{
	store->lost += count;
}

void audit_store_flush(struct audit_store *store)
{
	if (store->lost)
		(void)!append(store, NULL);
	(void)fdatasync(store->fd);
}
