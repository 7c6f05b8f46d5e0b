/* SPDX-License-Identifier: Apache-2.0 */
/* sync now. */
#include <stdio.h>

#include "cli/client.h"
#include "cli/text.h"

int cli_sync_now(struct cli *c, int argc, char **argv)
{
	struct cli_reply reply;
	int err;

	(void)argv;
	if (argc != 0)
		return cli_usage("sync now takes nothing");
	err = cli_ask(c, "POST", "/.holdfast/sync-now", &reply);
	if (!err && c->json)
		cli_put_raw(hf_buf_span(&reply.body));
	else if (!err)
		puts("Everything that waits is tried now.");
	cli_reply_finish(&reply);
	return err;
}
