/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cli_rig.h"

#define ARGS_MAX 12

static char program[512];
static char folder[] = "/tmp/holdfast-cli-XXXXXX";
char socket_path[64];
static char out_path[64], err_path[64], log_path[64];

/* ---- the server: a child process ---- */

static void answer_one(int fd, const struct canned *c, FILE *log)
{
	char head[8192];
	size_t n = 0, line;

	while (n < sizeof(head) - 1) {
		ssize_t got = read(fd, head + n, sizeof(head) - 1 - n);

		if (got <= 0)
			return;
		n += (size_t)got;
		head[n] = '\0';
		if (strstr(head, "\r\n\r\n"))
			break;
	}
	line = strcspn(head, "\r");
	fprintf(log, "%.*s\n", (int)line, head);
	if (strstr(head, "Last-Event-ID: "))
		fprintf(log, "Last-Event-ID%.*s\n", 3, strstr(head, "Last-Event-ID: ") + 13);
	fflush(log);
	for (; c->request; c++) {
		size_t len = strlen(c->request);

		if (strncmp(head, c->request, len) != 0 || head[len] != ' ')
			continue;
		if (write(fd, c->answer, strlen(c->answer)) < 0)
			return;
		while (c->hold && read(fd, head, sizeof(head)) > 0)
			;
		return;
	}
	dprintf(fd, PROBLEM("404 Not Found", "the test has no answer"));
}

static void serve(int listener, const struct canned *canned)
{
	FILE *log = fopen(log_path, "w");

	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			_exit(1);
		answer_one(fd, canned, log);
		close(fd);
	}
}

static pid_t start_server(const struct canned *canned)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	pid_t pid;

	unlink(socket_path);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", socket_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 16), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		serve(fd, canned);
	close(fd);
	return pid;
}

/* ---- the command ---- */

char out_text[CLI_TEXT_MAX], err_text[CLI_TEXT_MAX], log_text[CLI_TEXT_MAX];

static void slurp(const char *path, char *text)
{
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, CLI_TEXT_MAX - 1, f) : 0;

	text[n] = '\0';
	if (f)
		fclose(f);
}

static void redirect(const char *path, int fd)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (file < 0 || dup2(file, fd) < 0)
		_exit(126);
}

int run(const struct canned *canned, const char *words)
{
	char copy[512], *args[ARGS_MAX] = { program, (char *)"--socket", socket_path };
	pid_t server = canned ? start_server(canned) : 0, pid;
	bool completes = strncmp(words, "-complete ", 10) == 0;
	size_t n = 3;
	int status;

	snprintf(copy, sizeof(copy), "%s", completes ? words + 1 : words);
	n = completes ? 1 : n;
	for (char *w = strtok(copy, " "); w && n < ARGS_MAX - 1; w = strtok(NULL, " "))
		args[n++] = strcmp(w, "''") == 0 ? w + 2 : w;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		redirect(out_path, STDOUT_FILENO);
		redirect(err_path, STDERR_FILENO);
		execv(args[0], args);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (server) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
		unlink(socket_path);
	}
	slurp(out_path, out_text);
	slurp(err_path, err_text);
	slurp(log_path, log_text);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

void expect(const struct canned *canned, const char *words, int code, const char *out)
{
	int got = run(canned, words);

	if (got != code)
		fail_msg("%s: exit %d, not %d; it said: %s", words, got, code, err_text);
	assert_string_equal(out_text, out);
}

void expect_fits(void)
{
	const char *line = out_text;

	while (*line) {
		size_t n = strcspn(line, "\n");

		if (n > 80)
			fail_msg("wider than 80 columns: %.*s", (int)n, line);
		line += n + (line[n] != '\0');
	}
}

/* ---- life ---- */

int cli_rig_make(void **state)
{
	const char *folder_of = getenv("HF_BIN_DIR");

	(void)state;
	snprintf(program, sizeof(program), "%s/holdfast", folder_of ? folder_of : "build/host/bin");
	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(folder))
		return -1;
	snprintf(socket_path, sizeof(socket_path), "%s/s", folder);
	snprintf(out_path, sizeof(out_path), "%s/out", folder);
	snprintf(err_path, sizeof(err_path), "%s/err", folder);
	snprintf(log_path, sizeof(log_path), "%s/log", folder);
	return 0;
}

int cli_rig_remove(void **state)
{
	(void)state;
	unlink(socket_path);
	unlink(out_path);
	unlink(err_path);
	unlink(log_path);
	return rmdir(folder);
}
