import type { PullSink, PullWriter, PushWriter, Wire } from "@msg-ts/core";
import type { FrameWriter } from "../wire/frame-writer.ts";
import type { WireParts } from "./wire-parts.ts";
import { openReader } from "./wire-parts.ts";

/** PUSH (RFC 30): nothing comes back, so that a job is done once the transport took it. */
export function openPush(parts: WireParts): Wire<"PUSH"> {
  return {
    decoder: openReader(parts, { onMessage: () => {} }),
    writer: new JobWriter(parts.writer, parts.options.sendHighWaterMark),
  };
}

/** PULL (RFC 30): takes jobs as long as there is room, and says nothing. */
export function openPull(parts: WireParts, sink: PullSink): Wire<"PULL"> {
  let sequence = 0;
  const decoder = openReader(parts, {
    onMessage: (first, all) => {
      sink.onJob(sequence, 0, first, all);
      sequence = (sequence + 1) >>> 0;
    },
  });
  return { decoder, writer: silentWriter };
}

class JobWriter implements PushWriter {
  readonly mostUntaken: number;
  readonly #writer: FrameWriter;

  constructor(writer: FrameWriter, mostUntaken: number) {
    this.#writer = writer;
    this.mostUntaken = mostUntaken;
  }

  job(_sequence: number, _deliveries: number, _compression: number, payload: Uint8Array): void {
    this.#writer.payload(payload);
  }
}

const silentWriter: PullWriter = {
  isOneWay: true,
  window() {},
  acknowledge() {},
  refuse() {},
  bye() {},
};
