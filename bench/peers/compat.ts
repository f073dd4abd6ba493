/** The classes of zeromq.js over our sockets, with the very code that zeromq.js is measured by. */
import * as compat from "@msg-ts/zmtp/compat";
import type { Contender } from "./contender.ts";
import { contenderOf } from "./zeromq-classes.ts";

export const contender: Contender = contenderOf("compat", "@msg-ts/zmtp/compat", compat);
