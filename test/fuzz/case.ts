import type { ErrorCode } from "@msg-ts/core";
import type { Mutation } from "./mutations.ts";
import type { Random } from "./random.ts";

/** One input, and how to judge what comes of it. */
export interface Case {
  /** How the input was made and how the target is set, for a report. */
  readonly how: string;
  readonly input: Uint8Array;
  /** Whether it may take so much memory that two at a time would be mistaken for too much. */
  readonly isLarge?: boolean;
  /** Takes the input in. Called again when the first call was slow. */
  take(): unknown;
  /** What is wrong with this result, or nothing. */
  wrongResult(result: unknown): string | undefined;
  /** What is wrong with being refused, although the code may be used; or nothing. */
  wrongRefusal(code: ErrorCode): string | undefined;
}

/** Something that takes in bytes from outside. */
export interface Target {
  readonly name: string;
  /** The codes that it may refuse with. */
  readonly refusals: readonly ErrorCode[];
  /** Loads what it needs, or says why it cannot run here. */
  open(): Promise<OpenTarget | string>;
}

/** A target that is ready. */
export interface OpenTarget {
  readonly makeCase: CaseMaker;
  /** Takes in bytes that are given; the same bytes always in the same way. */
  caseOf(input: Uint8Array): Case;
  /** Changes a field that says how long something is. */
  readonly editLength: Mutation;
  /** Gives back what it holds of the host. */
  readonly close?: () => Promise<void>;
  /** Takes in a valid input that stands for 64 MiB, and keeps nothing of it. */
  readonly takeLarge?: () => Promise<void>;
}

/** Makes a case. The same random numbers make the same one. */
export type CaseMaker = (random: Random) => Case;
