/* SPDX-License-Identifier: Apache-2.0 */
/* See table.h. */
#include "cli/table.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/text.h"

#define GAP	2
#define CUT_MIN 6 /* no column is cut below this */

void cli_table_init(struct cli_table *t, const struct cli_column *columns, size_t n)
{
	assert(n <= CLI_TABLE_COLUMNS_MAX);
	*t = (struct cli_table){ .columns = columns, .columns_n = n };
}

void cli_table_finish(struct cli_table *t)
{
	for (size_t i = 0; i < t->cells_n; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct cli_table){ 0 };
}

static char *safe_copy(const char *text)
{
	struct hf_buf out;
	char *copy = NULL;

	hf_buf_init(&out, 64 * 1024);
	if (cli_escape(&out, hf_span_str(text)) == 0)
		copy = hf_span_dup(hf_buf_span(&out));
	hf_buf_finish(&out);
	return copy;
}

void cli_table_add(struct cli_table *t, const char *text)
{
	if (t->cells_n == t->cells_cap) {
		size_t cap = t->cells_cap ? t->cells_cap * 2 : 64;
		char **cells = realloc(t->cells, cap * sizeof(*cells));

		if (!cells) {
			t->nomem = true;
			return;
		}
		t->cells = cells;
		t->cells_cap = cap;
	}
	t->cells[t->cells_n] = safe_copy(text && *text ? text : "-");
	if (t->cells[t->cells_n])
		t->cells_n++;
	else
		t->nomem = true;
}

/* Of the terminal; 80 where it does not say, and in a pipe. */
static size_t line_width(void)
{
	struct winsize size;
	const char *columns = getenv("COLUMNS");
	long n = 0;

	if (!isatty(STDOUT_FILENO))
		return CLI_TABLE_WIDTH;
	if (columns)
		n = strtol(columns, NULL, 10);
	if (n <= 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		n = size.ws_col;
	return n >= CLI_TABLE_WIDTH_MIN ? (size_t)n : CLI_TABLE_WIDTH;
}

static void measure(const struct cli_table *t, size_t *widths)
{
	for (size_t i = 0; i < t->columns_n; i++)
		widths[i] = strlen(t->columns[i].title);
	for (size_t i = 0; i < t->cells_n; i++) {
		size_t w = cli_columns(t->cells[i]);

		if (w > widths[i % t->columns_n])
			widths[i % t->columns_n] = w;
	}
}

/* The column that is farthest above its least width, columns_n: none. */
static size_t widest(const struct cli_table *t, const size_t *widths, bool hard)
{
	size_t best = t->columns_n, best_excess = 0;

	for (size_t i = 0; i < t->columns_n; i++) {
		size_t least = hard ? CUT_MIN : t->columns[i].cut;

		if (t->columns[i].cut && widths[i] > least && widths[i] - least > best_excess) {
			best = i;
			best_excess = widths[i] - least;
		}
	}
	return best;
}

/* Takes from the columns that may be cut until the rows fit, if they can. */
static void fit(const struct cli_table *t, size_t *widths)
{
	size_t total = GAP * (t->columns_n - 1), most = line_width();

	for (size_t i = 0; i < t->columns_n; i++)
		total += widths[i];
	for (; total > most; total--) {
		size_t i = widest(t, widths, false);

		if (i == t->columns_n)
			i = widest(t, widths, true);
		if (i == t->columns_n)
			return;
		widths[i]--;
	}
}

static void put_spaces(size_t n)
{
	while (n-- > 0)
		putchar(' ');
}

/* The end of @text that takes at most @columns. */
static const char *end_of(const char *text, size_t columns)
{
	size_t skip = 1;

	while (cli_columns(text) > columns) {
		text += cli_bytes_in(text, &skip);
		skip = skip ? 1 : 2; /* a wide character */
	}
	return text;
}

/* Returns the columns that it takes, at most @width. */
static size_t put_cut(const char *text, size_t width, bool ends)
{
	const char *end = end_of(text, ends ? (width - 2) / 2 : 0);
	size_t w = width - 2 - cli_columns(end);

	printf("%.*s..%s", (int)cli_bytes_in(text, &w), text, end);
	return w + 2 + cli_columns(end);
}

static void put_cell(const struct cli_table *t, size_t i, const char *text, size_t width)
{
	const struct cli_column *column = &t->columns[i];
	bool last = i + 1 == t->columns_n;
	size_t w = cli_columns(text);

	if (column->right && w < width)
		put_spaces(width - w);
	if (w > width) {
		w = put_cut(text, width, t->ends & 1u << i);
	} else {
		fputs(text, stdout);
	}
	if (!last && !column->right && w < width)
		put_spaces(width - w);
	if (!last)
		put_spaces(GAP);
}

bool cli_table_print(const struct cli_table *t)
{
	size_t widths[CLI_TABLE_COLUMNS_MAX], n = t->columns_n;

	if (t->nomem)
		return false;
	assert(t->cells_n % n == 0);
	measure(t, widths);
	fit(t, widths);
	for (size_t i = 0; i < n; i++)
		put_cell(t, i, t->columns[i].title, widths[i]);
	putchar('\n');
	for (size_t i = 0; i < t->cells_n; i++) {
		put_cell(t, i % n, t->cells[i], widths[i % n]);
		if ((i + 1) % n == 0)
			putchar('\n');
	}
	return true;
}
