// What applications use.
export type { Payload } from "./bytes.ts";
export { tokensEqual } from "./contracts/authenticator.ts";
export type {
  Authenticator,
  AuthRequest,
  AuthToken,
  CandidatePeer,
  Claims,
  ConnectionHook,
  ExplainEnd,
  HandshakeLink,
  PeerInfo,
} from "./contracts/authenticator.ts";
export type { Codec, Decoder, Encoder } from "./contracts/codec.ts";
export type { Compressor, Decompressor } from "./contracts/compressor.ts";
export { errorCodes, MsgError } from "./errors.ts";
export type {
  AuthorizationOptions,
  AuthorizedAction,
  Authorizer,
  AuthorizeRequest,
} from "./socket/authorization.ts";
export type { ErrorCode, MsgErrorOptions } from "./errors.ts";
export type { ReconnectOptions } from "./connection/reconnect-options.ts";
export type { CloseReport, DropReason, SocketEvents } from "./socket/events.ts";
export type { DurationStats } from "./socket/histogram.ts";
export type { Logger } from "./socket/logger.ts";
export { Message } from "./socket/message.ts";
export { PubSocket } from "./socket/pub-sub/pub.ts";
export type { PublishOptions, PubStats } from "./socket/pub-sub/pub.ts";
export type { PubOptions, WhenSlow } from "./socket/pub-sub/pub-options.ts";
export { Job } from "./socket/push-pull/job.ts";
export type { Delivery } from "./socket/push-pull/job-delivery.ts";
export { PullSocket } from "./socket/push-pull/pull.ts";
export type { PullStats } from "./socket/push-pull/pull.ts";
export type { PullOptions } from "./socket/push-pull/pull-options.ts";
export { PushSocket } from "./socket/push-pull/push.ts";
export type { PushStats, SendOptions } from "./socket/push-pull/push.ts";
export type { PushOptions } from "./socket/push-pull/push-options.ts";
export type { Consumer } from "./socket/calling-consumer.ts";
export type { BatchOptions, ConsumeOptions } from "./socket/receiving-socket.ts";
export type { DrainOptions, DrainReport } from "./socket/draining.ts";
export { RepSocket } from "./socket/req-rep/rep.ts";
export type { RepCodec, RepStats, RequestHandler, ServeOptions } from "./socket/req-rep/rep.ts";
export type { RepOptions } from "./socket/req-rep/rep-options.ts";
export { ReqSocket } from "./socket/req-rep/req.ts";
export type { ReqCodec, ReqStats, RequestOptions } from "./socket/req-rep/req.ts";
export type { ReqOptions } from "./socket/req-rep/req-options.ts";
export { ReplyError, Request } from "./socket/req-rep/request.ts";
export type { RespondOptions } from "./socket/req-rep/request.ts";
export type { CloseOptions, ReadyOptions } from "./socket/life-options.ts";
export type { SocketOptions } from "./socket/socket-options.ts";
export type { SocketStats } from "./socket/stats.ts";
export { SubSocket } from "./socket/pub-sub/sub.ts";
export type { SubStats } from "./socket/pub-sub/sub.ts";
export type { SubOptions } from "./socket/pub-sub/sub-options.ts";
export { TopicMessage } from "./socket/pub-sub/topic-message.ts";
export type { CodecOption, OptionsWithout, WithCodec } from "./socket/value-codec.ts";
export type { WaitOptions } from "./socket/waiter-list.ts";

// What transports, compressors and protocols are written against.
export type {
  Backlog,
  FrameBuffer,
  FrameDecoder,
  Handshake,
  HandshakeContext,
  MessageBatch,
  OutgoingMessage,
  Protocol,
  ProtocolOptions,
  PubSink,
  PubWriter,
  PullSink,
  PullWriter,
  Pulse,
  PushSink,
  PushWriter,
  ReadGate,
  RepSink,
  RepWriter,
  ReqSink,
  ReqWriter,
  SinkByType,
  SocketType,
  SubSink,
  SubWriter,
  Welcome,
  Wire,
  WireContext,
  WireGate,
  WriterByType,
} from "./contracts/protocol.ts";
export type {
  Link,
  LinkHandlers,
  Listener,
  ListenerHandlers,
  Transport,
} from "./contracts/transport.ts";
export { raw } from "./raw-codec.ts";
export { hostRuntime } from "./runtime.ts";
export type { Runtime, TimerHandle } from "./runtime.ts";
export { msg } from "./wire/msg/protocol.ts";
export { multipart } from "./multipart.ts";
