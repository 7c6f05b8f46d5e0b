/* SPDX-License-Identifier: Apache-2.0 */
/* Wanted long after the page was loaded. */
export const version = 'v0000';
