import { gzip } from "@msg-ts/compression/gzip";
import * as core from "@msg-ts/core";
import type {
  Decompressor,
  PubOptions,
  PullOptions,
  RepOptions,
  ReqOptions,
  SocketOptions,
  SubOptions,
  Transport,
} from "@msg-ts/core";

/** What can be received compressed under Node without being asked for. */
const nodeDecompressors: readonly Decompressor[] = [gzip()];

/** Adds Node's decompressors to what the application gave; its own come first. */
function withDecompressors<Options extends SocketOptions>(options: Options): Options {
  const given = options.decompressors ?? [];
  const taken = new Set(given.map(({ id }) => id));
  const added = nodeDecompressors.filter(({ id }) => !taken.has(id));
  return { ...options, decompressors: [...given, ...added] };
}

/** {@link core.ReqSocket}, which takes gzip without being told. */
export class ReqSocket extends core.ReqSocket {
  constructor(transport: Transport, options: ReqOptions = {}) {
    super(transport, withDecompressors(options));
  }
}

/** {@link core.RepSocket}, which takes gzip without being told. */
export class RepSocket extends core.RepSocket {
  constructor(transport: Transport, options: RepOptions = {}) {
    super(transport, withDecompressors(options));
  }
}

/** {@link core.PubSocket}, which takes gzip without being told. */
export class PubSocket extends core.PubSocket {
  constructor(transport: Transport, options: PubOptions = {}) {
    super(transport, withDecompressors(options));
  }
}

/** {@link core.SubSocket}, which takes gzip without being told. */
export class SubSocket extends core.SubSocket {
  constructor(transport: Transport, options: SubOptions = {}) {
    super(transport, withDecompressors(options));
  }
}

/** {@link core.PullSocket}, which takes gzip without being told. */
export class PullSocket extends core.PullSocket {
  constructor(transport: Transport, options: PullOptions = {}) {
    super(transport, withDecompressors(options));
  }
}
