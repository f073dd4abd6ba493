/**
 * What packages are built from that bring a protocol or sockets of their own, such as `@msg-ts/zmtp`.
 * Applications need none of it. It may change in any minor version.
 */
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
