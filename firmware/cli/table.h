/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table for people: columns as wide as what is in them, in the width of the
 * terminal (a pipe: 80) as long as those that may be cut leave room. Cells are made safe for a terminal.
 */
#ifndef HF_CLI_TABLE_H
#define HF_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#define CLI_TABLE_WIDTH	      80
#define CLI_TABLE_WIDTH_MIN   40 /* a terminal that says less is not believed */
#define CLI_TABLE_COLUMNS_MAX 9

struct cli_column {
	const char *title;
	bool right;   /* numbers */
	unsigned cut; /* may be shortened with "..": to this width at first; 0: never */
};

struct cli_table {
	const struct cli_column *columns;
	size_t columns_n;
	unsigned ends; /* bits of columns of which names begin alike: ".." in the middle */
	char **cells;  /* row after row */
	size_t cells_n, cells_cap;
	bool nomem;
};

void cli_table_init(struct cli_table *t, const struct cli_column *columns, size_t n);
void cli_table_finish(struct cli_table *t);
/* The next cell, in the order of the columns. */
void cli_table_add(struct cli_table *t, const char *text);
/* Prints the titles and all rows; false: there was too little memory. */
bool cli_table_print(const struct cli_table *t);

#endif
