import { installedDecompressors } from "@msg-ts/compression/installed";
import {
  PubSocket as CorePubSocket,
  PullSocket as CorePullSocket,
  RepSocket as CoreRepSocket,
  ReqSocket as CoreReqSocket,
  SubSocket as CoreSubSocket,
} from "@msg-ts/core";
import type {
  CodecOption,
  Decoder,
  Decompressor,
  Encoder,
  OptionsWithout,
  Payload,
  PubOptions,
  PullOptions,
  RepCodec,
  RepOptions,
  ReqCodec,
  ReqOptions,
  SocketOptions,
  SubOptions,
  Transport,
  WithCodec,
} from "@msg-ts/core";

/** What can be received compressed under Node without being asked for, where it is installed. */
const nodeDecompressors: readonly Decompressor[] = installedDecompressors();

/**
 * Adds Node's decompressors to what the application gave; its own come first.
 *
 * Whether a codec had to be given was checked where the constructor was called: the overloads of
 * core's classes ask for nothing else.
 */
function withDecompressors<Options extends SocketOptions, Used>(
  options: Options & CodecOption<unknown>,
): WithCodec<Options, Used> {
  const given = options.decompressors ?? [];
  const decompressors = given.length === 0 ? nodeDecompressors : withNodes(given);
  return { ...options, decompressors } as unknown as WithCodec<Options, Used>;
}

function withNodes(given: readonly Decompressor[]): readonly Decompressor[] {
  const taken = new Set(given.map(({ id }) => id));
  return [...given, ...nodeDecompressors.filter(({ id }) => !taken.has(id))];
}

/** {@link CoreReqSocket}, which reads what is compressed without being told how. */
export class ReqSocket<Asked = Payload, Answered = Uint8Array> extends CoreReqSocket<
  Asked,
  Answered
> {
  constructor(transport: Transport, options: WithCodec<ReqOptions, ReqCodec<Asked, Answered>>);
  constructor(
    transport: Transport,
    ...options: OptionsWithout<ReqOptions, ReqCodec<Asked, Answered>>
  );
  constructor(transport: Transport, options: ReqOptions & CodecOption<unknown> = {}) {
    super(transport, withDecompressors<ReqOptions, ReqCodec<Asked, Answered>>(options));
  }
}

/** {@link CoreRepSocket}, which reads what is compressed without being told how. */
export class RepSocket<Asked = Uint8Array, Answered = Payload> extends CoreRepSocket<
  Asked,
  Answered
> {
  constructor(transport: Transport, options: WithCodec<RepOptions, RepCodec<Asked, Answered>>);
  constructor(
    transport: Transport,
    ...options: OptionsWithout<RepOptions, RepCodec<Asked, Answered>>
  );
  constructor(transport: Transport, options: RepOptions & CodecOption<unknown> = {}) {
    super(transport, withDecompressors<RepOptions, RepCodec<Asked, Answered>>(options));
  }
}

/** {@link CorePubSocket}, which reads what is compressed without being told how. */
export class PubSocket<T = Payload> extends CorePubSocket<T> {
  constructor(transport: Transport, options: WithCodec<PubOptions, Encoder<T>>);
  constructor(transport: Transport, ...options: OptionsWithout<PubOptions, Encoder<T>>);
  constructor(transport: Transport, options: PubOptions & CodecOption<unknown> = {}) {
    super(transport, withDecompressors<PubOptions, Encoder<T>>(options));
  }
}

/** {@link CoreSubSocket}, which reads what is compressed without being told how. */
export class SubSocket<T = Uint8Array> extends CoreSubSocket<T> {
  constructor(transport: Transport, options: WithCodec<SubOptions, Decoder<T>>);
  constructor(transport: Transport, ...options: OptionsWithout<SubOptions, Decoder<T>>);
  constructor(transport: Transport, options: SubOptions & CodecOption<unknown> = {}) {
    super(transport, withDecompressors<SubOptions, Decoder<T>>(options));
  }
}

/** {@link CorePullSocket}, which reads what is compressed without being told how. */
export class PullSocket<T = Uint8Array> extends CorePullSocket<T> {
  constructor(transport: Transport, options: WithCodec<PullOptions, Decoder<T>>);
  constructor(transport: Transport, ...options: OptionsWithout<PullOptions, Decoder<T>>);
  constructor(transport: Transport, options: PullOptions & CodecOption<unknown> = {}) {
    super(transport, withDecompressors<PullOptions, Decoder<T>>(options));
  }
}
