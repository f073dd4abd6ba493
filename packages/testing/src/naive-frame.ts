/** The end of a pattern that reads or writes. */
export type NaiveRole = "REQ" | "REP" | "PUB" | "SUB" | "PUSH" | "PULL";

/** One frame of docs/wire-protocol.md as a plain record; payloads are as they lie on the wire. */
export type NaiveFrame =
  | {
      readonly type: "hello";
      /** 1 REQ, 2 REP, 3 PUB, 4 SUB, 5 PUSH, 6 PULL. */
      readonly socketType: number;
      readonly name: string;
    }
  | { readonly type: "hello refused"; readonly reason: number }
  | { readonly type: "auth"; readonly token: Uint8Array }
  | { readonly type: "auth answer"; readonly isAccepted: boolean }
  | {
      readonly type: "request" | "reply";
      readonly id: number;
      readonly compression: number;
      readonly payload: Uint8Array;
    }
  | {
      readonly type: "error reply";
      readonly id: number;
      readonly code: string;
      readonly message: string;
    }
  | {
      readonly type: "message";
      readonly topic: string;
      readonly timeMicros: number;
      readonly sequence: number;
      readonly compression: number;
      readonly payload: Uint8Array;
    }
  | {
      readonly type: "subscribe" | "unsubscribe";
      readonly topic: string;
      readonly timeMicros: number;
    }
  | { readonly type: "extensions" }
  | { readonly type: "mark" | "publisher drains"; readonly sequence: number }
  | { readonly type: "subscribed" | "denied"; readonly topic: string; readonly sequence: number }
  | {
      readonly type: "job";
      readonly sequence: number;
      readonly earlierDeliveries: number;
      readonly compression: number;
      readonly payload: Uint8Array;
    }
  | { readonly type: "window"; readonly count: number }
  | { readonly type: "ack" | "nack"; readonly sequence: number; readonly count: number }
  | { readonly type: "pull drains" }
  /** A whole frame that asks a PUB for nothing it knows. */
  | { readonly type: "ignored" }
  /** A whole frame whose reserved flag bits are set: that message fails, the connection lives. */
  | { readonly type: "unreadable"; readonly number: number };
