/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of a panel's connection. */
#ifndef HF_TESTS_CONNECTION_CASE_H
#define HF_TESTS_CONNECTION_CASE_H

#include "lib/panel_case.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: " PANEL_RIG_HOST "\r\n\r\n"
#define OK_HI	  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

#endif
