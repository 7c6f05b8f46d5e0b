/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/settings_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "holdfast/err.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char pem[] = "-----BEGIN CERTIFICATE-----\n";
static const char key_pem[] = "-----BEGIN EC PARAMETERS-----\n-----BEGIN EC PRIVATE KEY-----\n";
static const char encrypted_pem[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n";

static const struct {
	const char *path, *text;
	int err;
} files[] = {
	{ "/etc/m.json", "{}", 0 },
	{ "/etc/till.json", "{\"routes\":[{\"queue\":{\"credential\":\"till\"}}]}", 0 },
	{ "/etc/bad.json", "{\n\"nam\":1}", 0 },
	{ "/etc/ca.pem", pem, 0 },
	{ "/etc/key.pem", key_pem, 0 },
	{ "/etc/encrypted.pem", encrypted_pem, 0 },
	{ "/etc/secret", "", HF_EPERM },
	{ "/etc/folder", "", HF_ESTATE },
	{ "/etc/huge", "", HF_ETOOBIG },
	{ "/etc/broken", "", HF_EIO },
};

const char *settings_conf;

static int give(const char *text, size_t len, char **out, size_t *out_len)
{
	*out = malloc(len + 1);
	if (!*out)
		return HF_ENOMEM;
	memcpy(*out, text, len);
	(*out)[len] = '\0';
	*out_len = len;
	return 0;
}

int settings_read_real(const char *path, size_t max, char **out, size_t *len)
{
	FILE *f = fopen(path, "rb");
	char text[16 * 1024];
	size_t n;

	if (!f)
		return HF_ENOENT;
	n = fread(text, 1, sizeof(text), f);
	fclose(f);
	return n > max ? HF_ETOOBIG : give(text, n, out, len);
}

static int file_read(struct hf_port *port, const char *path, size_t max, char **out, size_t *len)
{
	(void)port;
	if (strcmp(path, "/etc/holdfast.conf") == 0)
		return give(settings_conf, strlen(settings_conf), out, len);
	for (size_t i = 0; i < COUNT(files); i++) {
		if (strcmp(path, files[i].path) == 0 && files[i].err)
			return files[i].err;
		if (strcmp(path, files[i].path) == 0)
			return give(files[i].text, strlen(files[i].text), out, len);
	}
	return settings_read_real(path, max, out, len);
}

static int dir_read(struct hf_port *port, const char *dir,
		    int (*each)(void *user, const char *path), void *user)
{
	(void)port;
	if (strcmp(dir, "/etc/certs") == 0)
		return each(user, "/etc/certs/a.pem");
	return strcmp(dir, "/etc/none") == 0 ? 0 : HF_ENOENT;
}

struct hf_port settings_port = { .file_read = file_read, .dir_read = dir_read };
