/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: one write per line to stderr. To the journal each line starts with
 * its priority (sd-daemon(3)) and nothing else, since the journal has time and
 * name; elsewhere with the time and the level. May be called on any thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "port/linux/loop.h"

static int syslog_priority(int level)
{
	switch ((enum hf_log_level)level) {
	case HF_LOG_ERROR:
		return 3;
	case HF_LOG_WARNING:
		return 4;
	case HF_LOG_INFO:
		return 6;
	case HF_LOG_DEBUG:
		return 7;
	}
	return 6;
}

static int write_time(char *out, size_t size)
{
	struct timespec ts;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	return snprintf(out, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
			tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
			(int)(ts.tv_nsec / 1000000));
}

static void write_log(struct hf_port *port, int level, const char *line)
{
	char head[96], newline[] = "\n";
	int n;
	struct iovec parts[3];

	if (hf_linux_of(port)->journal) {
		n = snprintf(head, sizeof(head), "<%d>", syslog_priority(level));
	} else {
		n = write_time(head, sizeof(head));
		n += snprintf(head + n, sizeof(head) - (size_t)n, " %-7s ",
			      hf_log_level_name((enum hf_log_level)level));
	}
	parts[0] = (struct iovec){ head, (size_t)n };
	parts[1] = (struct iovec){ (void *)(uintptr_t)line, strlen(line) };
	parts[2] = (struct iovec){ newline, 1 };
	if (writev(STDERR_FILENO, parts, 3) < 0) {
		/* there is nowhere to say that the log cannot be written */
	}
}

/* JOURNAL_STREAM names the device and inode of the journal's socket; stderr may
 * have been sent elsewhere since. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       !fstat(STDERR_FILENO, &st) && st.st_dev == dev && st.st_ino == ino;
}

void hf_linux_log_init(struct hf_port_linux *p)
{
	p->journal = stderr_is_journal();
	p->port.log = write_log;
}
