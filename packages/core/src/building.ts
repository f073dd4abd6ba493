/**
 * What packages are built from that bring a protocol or sockets of their own, such as `@msg-ts/zmtp`.
 * Applications need none of it. It may change in any minor version.
 */
export { batchBytes, maxBatchedPayloadBytes } from "./batch-limits.ts";
export {
  allocate,
  copyInto,
  copyOf,
  decodeText,
  describe,
  emptyBytes,
  encodeText,
  payloadBytes,
  viewAt,
  viewOf,
} from "./bytes.ts";
export type { LazyError } from "./lazy-error.ts";
export { partsOf } from "./multipart.ts";
export {
  checkArray,
  checkBoolean,
  checkChoice,
  checkDelay,
  checkFunction,
  checkInteger,
  checkIntegerOrInfinity,
  checkMethods,
  checkNumber,
  checkObject,
} from "./option-checks.ts";
export { remoteError } from "./wire/msg/request-reply.ts";
export { askHook } from "./wire/told-apart.ts";
export type { Connection } from "./connection/connection.ts";
export { listenToAbort, unlistenToAbort } from "./socket/abort-listeners.ts";
export { Deque } from "./socket/deque.ts";
export type { Linked } from "./socket/linked-queue.ts";
export { LinkedQueue } from "./socket/linked-queue.ts";
export { Peer } from "./socket/peer.ts";
export { PrefixIndex } from "./socket/pub-sub/prefix-index.ts";
export { ReceiveSource } from "./socket/receive-queue.ts";
export type { Settler } from "./socket/receivers.ts";
export { ReceivingSocket } from "./socket/receiving-socket.ts";
export { TurnBudget } from "./socket/turn-budget.ts";
export { ValueCodec } from "./socket/value-codec.ts";
export { abortReason, quietly, WaiterList } from "./socket/waiter-list.ts";
