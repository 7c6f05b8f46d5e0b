/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite's page cache (sqlite3_pcache_methods2). Pages that lead to others, the inner
 * nodes of B-trees, are kept longer than leaves: a look-up among many rows brings
 * leaves that are not used again, and would push out the nodes that the next one needs.
 */
#ifndef HF_STORE_PAGE_CACHE_H
#define HF_STORE_PAGE_CACHE_H

#include <sqlite3.h>

extern const sqlite3_pcache_methods2 hf_page_cache_methods;

/* From now on, for all databases of the process. Without effect once SQLite is in
 * use. */
void hf_page_cache_install(void);

#endif
