/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `holdfast-sim live`: the real holdfastd, with real sockets, between a demo
 * panel and a demo origin, and a page from which the world around it is made
 * worse. Everything listens on loopback, and everything ends with the program.
 */
#ifndef LIVE_LIVE_H
#define LIVE_LIVE_H

/* @args: what stands behind "live", NULL at the end. Returns the exit code. */
int live_main(char **args);

extern const char live_usage[];

#endif
