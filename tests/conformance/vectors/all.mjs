/* SPDX-License-Identifier: Apache-2.0 */
import './sync.mjs';
import './periodic.mjs';
import './queue.mjs';
import './answers.mjs';
