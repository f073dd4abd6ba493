/** zeromq.js: libzmq 4.3.5 behind Node-API, its defaults. */
import * as zeromq from "zeromq";
import type { Contender } from "./contender.ts";
import { contenderOf } from "./zeromq-classes.ts";

// 1,023 by default, which is less than some scenarios have in one process.
zeromq.context.maxSockets = 16_384;

export const contender: Contender = contenderOf("zeromq", "zeromq", zeromq);
