/* SPDX-License-Identifier: Apache-2.0 */
/* Loaded into the suite's server before it starts: it listens on loopback only. */
import { Server } from 'node:net';

const listen = Server.prototype.listen;
Server.prototype.listen = function (port, ...more) {
	return listen.call(this, Number(port), '127.0.0.1', ...more.filter((a) => typeof a === 'function'));
};
