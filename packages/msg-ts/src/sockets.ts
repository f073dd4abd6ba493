import { gzip } from "@msg-ts/compression/gzip";
import {
  PubSocket as CorePubSocket,
  PullSocket as CorePullSocket,
  RepSocket as CoreRepSocket,
  ReqSocket as CoreReqSocket,
  SubSocket as CoreSubSocket,
} from "@msg-ts/core";
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

/** {@link CoreReqSocket}, which takes gzip without being told. */
export class ReqSocket extends CoreReqSocket {
  constructor(transport: Transport, options: ReqOptions = {}) {
    super(transport, withDecompressors(options));
  }
}

/** {@link CoreRepSocket}, which takes gzip without being told. */
export class RepSocket extends CoreRepSocket {
  constructor(transport: Transport, options: RepOptions = {}) {
    super(transport, withDecompressors(options));
  }
}

/** {@link CorePubSocket}, which takes gzip without being told. */
export class PubSocket extends CorePubSocket {
  constructor(transport: Transport, options: PubOptions = {}) {
    super(transport, withDecompressors(options));
  }
}

/** {@link CoreSubSocket}, which takes gzip without being told. */
export class SubSocket extends CoreSubSocket {
  constructor(transport: Transport, options: SubOptions = {}) {
    super(transport, withDecompressors(options));
  }
}

/** {@link CorePullSocket}, which takes gzip without being told. */
export class PullSocket extends CorePullSocket {
  constructor(transport: Transport, options: PullOptions = {}) {
    super(transport, withDecompressors(options));
  }
}
