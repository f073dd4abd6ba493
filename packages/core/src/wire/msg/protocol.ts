import type {
  FrameBuffer,
  Protocol,
  SinkByType,
  SocketType,
  Wire,
  WireContext,
} from "../../contracts/protocol.ts";
import { checkSocketType, msgHandshake } from "./handshake.ts";
import { frameKind } from "./header.ts";
import { HelloRefusal } from "./hello-refusal.ts";
import {
  PublishedDecoder,
  PublishedWriter,
  SubscriptionDecoder,
  SubscriptionWriter,
} from "./publish-subscribe.ts";
import { FlowDecoder, FlowWriter, JobReceiver, JobWriter } from "./push-pull.ts";
import { ReplyReceiver, RequestReceiver, RequestReplyWriter } from "./request-reply.ts";
import { ShortFrameDecoder } from "./short-frame.ts";

type Openers = {
  readonly [Type in SocketType]: (
    out: FrameBuffer,
    sink: SinkByType[Type],
    context: WireContext,
  ) => Wire<Type>;
};

const openers: Openers = {
  REQ: (out, sink, context) => ({
    decoder: new ShortFrameDecoder(frameKind.request, new ReplyReceiver(sink, context), context),
    writer: new RequestReplyWriter(out),
  }),
  REP: (out, sink, context) => ({
    decoder: new HelloRefusal(
      out,
      new ShortFrameDecoder(frameKind.request, new RequestReceiver(sink, context), context),
    ),
    writer: new RequestReplyWriter(out),
  }),
  PUB: (out, sink, context) => ({
    decoder: new HelloRefusal(out, new SubscriptionDecoder(sink, context)),
    writer: new PublishedWriter(out),
  }),
  SUB: (out, sink, context) => ({
    decoder: new PublishedDecoder(sink, context),
    writer: new SubscriptionWriter(out),
  }),
  PUSH: (out, sink, context) => ({
    decoder: new FlowDecoder(sink, context),
    writer: new JobWriter(out),
  }),
  PULL: (out, sink, context) => ({
    decoder: new ShortFrameDecoder(frameKind.job, new JobReceiver(sink, context), context),
    writer: new FlowWriter(out),
  }),
};

const theProtocol: Protocol = {
  name: "msg",
  topics: "patterns",
  recognises: (firstByte) => firstByte <= frameKind.job,
  checkOptions: checkSocketType,
  handshake: msgHandshake,
  open: (type, out, sink, context) => openers[type](out, sink, context),
};

/** The default wire: docs/wire-protocol.md, version 1. */
export function msg(): Protocol {
  return theProtocol;
}
