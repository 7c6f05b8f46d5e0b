/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over files and folders of files, without a fuzzer. */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void die(const char *path, const char *what)
{
	fprintf(stderr, "%s: %s\n", path, what);
	exit(1);
}

static void replay_file(const char *path, size_t size)
{
	uint8_t *data = malloc(size ? size : 1);
	FILE *file = fopen(path, "rb");

	if (!data || !file || fread(data, 1, size, file) != size)
		die(path, "cannot be read");
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
}

static size_t replay(const char *path);

static size_t replay_folder(const char *path)
{
	struct dirent **entries;
	int i, n = scandir(path, &entries, NULL, alphasort);
	size_t files = 0;
	char *child;

	if (n < 0)
		die(path, "cannot be listed");
	for (i = 0; i < n; i++) {
		if (entries[i]->d_name[0] != '.') {
			if (asprintf(&child, "%s/%s", path, entries[i]->d_name) < 0)
				die(path, "out of memory");
			files += replay(child);
			free(child);
		}
		free(entries[i]);
	}
	free(entries);
	return files;
}

static size_t replay(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		die(path, "no such file");
	if (S_ISDIR(st.st_mode))
		return replay_folder(path);
	replay_file(path, (size_t)st.st_size);
	return 1;
}

int main(int argc, char **argv)
{
	size_t files = 0;
	int i;

	for (i = 1; i < argc; i++)
		files += replay(argv[i]);
	printf("%zu inputs replayed\n", files);
	return files > 0 ? 0 : 1;
}
