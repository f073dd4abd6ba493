import { seededRandom } from "./simulated-runtime.ts";

/**
 * What becomes of a direction once {@link DirectionFaults.afterBytes} have passed:
 *
 * - `reset`: the link breaks, at this end at once;
 * - `end`: the rest is lost and the direction ends in order, as a process that is killed looks;
 * - `hold`: nothing passes until the link is released, and the writer is held up;
 * - `drop`: the rest is taken and lost, and nobody is told.
 */
export type Fate = "reset" | "end" | "hold" | "drop";

/** What one direction of a link suffers. Absent fields change nothing. */
export interface DirectionFaults {
  /** How much later bytes arrive, in milliseconds. Order is kept. */
  readonly delayMs?: number | (() => number);
  /** The most bytes that move at a time: short writes, or short reads. */
  readonly pieceBytes?: number | (() => number);
  /** How many turns of the event loop each piece waits beyond the next one. */
  readonly extraTurns?: number | (() => number);
  /** What is on its way at most before the writer is held up. @defaultValue 65_536 */
  readonly capacityBytes?: number;
  /** So many bytes pass, and then {@link fate}. */
  readonly afterBytes?: number;
  /** @defaultValue "reset" */
  readonly fate?: Fate;
}

/** What one end of a link suffers. */
export interface LinkFaults {
  readonly outgoing?: DirectionFaults;
  readonly incoming?: DirectionFaults;
  /** How much later `onDrain` is told: a slow drain. */
  readonly drainDelayMs?: number;
  /** How much later `onClose` is told. */
  readonly closeDelayMs?: number;
  /** Tells the end and the close once more, against the contract of a link. */
  readonly closesTwice?: boolean;
}

/** What one attempt to dial suffers. */
export interface DialFaults {
  readonly delayMs?: number;
  /** It fails; or it hangs until it is aborted. */
  readonly fate?: "fail" | "hang";
}

/** Which end of its link it is. */
export type LinkSide = "dialed" | "accepted";

/** Decides what a new link suffers. @param number - counts the links of its transport, from 0. */
export type FaultsOfLink = (number: number, side: LinkSide) => LinkFaults | undefined;

/** Decides what an attempt suffers. @param number - counts the attempts, from 0. */
export type FaultsOfDial = (number: number, address: string) => DialFaults | undefined;

/** How likely each fault is, from 0 to 1, and how large. Absent chances are 0. */
export interface FaultMix {
  readonly reset?: number;
  readonly end?: number;
  readonly hold?: number;
  readonly drop?: number;
  /** Where such a fault strikes at the latest. @defaultValue 2_000 */
  readonly maxAfterBytes?: number;
  readonly delay?: number;
  /** @defaultValue 20 */
  readonly maxDelayMs?: number;
  readonly shortPieces?: number;
  readonly extraTurns?: number;
  readonly smallCapacity?: number;
  readonly slowDrain?: number;
  readonly lateClose?: number;
  readonly doubleClose?: number;
  readonly dialFails?: number;
  readonly dialHangs?: number;
  readonly slowDial?: number;
}

/** Faults that are the same for the same seed and number of a link, whatever else happens. */
export function seededFaults(
  seed: number,
  mix: FaultMix,
): { readonly faults: FaultsOfLink; readonly dialFaults: FaultsOfDial } {
  return {
    faults: (number, side) =>
      linkFaults(new Dice(seed, number * 2 + (side === "dialed" ? 0 : 1)), mix),
    dialFaults: (number) => dialFaults(new Dice(seed + 1, number), mix),
  };
}

class Dice {
  readonly random: () => number;

  constructor(seed: number, number: number) {
    this.random = seededRandom(Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b));
  }

  hits(chance: number | undefined): boolean {
    // Drawn also for what cannot be, so that a change of one chance moves no other.
    return this.random() < (chance ?? 0);
  }

  upTo(max: number): number {
    return Math.floor(this.random() * (max + 1));
  }
}

function linkFaults(dice: Dice, mix: FaultMix): LinkFaults {
  const { maxDelayMs = 20 } = mix;
  return {
    outgoing: directionFaults(dice, mix),
    incoming: directionFaults(dice, mix),
    ...(dice.hits(mix.slowDrain) ? { drainDelayMs: dice.upTo(maxDelayMs) } : {}),
    ...(dice.hits(mix.lateClose) ? { closeDelayMs: dice.upTo(maxDelayMs) } : {}),
    closesTwice: dice.hits(mix.doubleClose),
  };
}

function directionFaults(dice: Dice, mix: FaultMix): DirectionFaults {
  const { maxAfterBytes = 2_000, maxDelayMs = 20 } = mix;
  const fate = fateOf(dice, mix);
  const afterBytes = dice.upTo(maxAfterBytes);
  const most = 1 + dice.upTo(dice.upTo(1) * 30);
  const fixedMs = dice.upTo(maxDelayMs);
  const { random } = dice;
  return {
    ...(fate === undefined ? {} : { afterBytes, fate }),
    ...(dice.hits(mix.delay) ? { delayMs: () => fixedMs * random() } : {}),
    ...(dice.hits(mix.shortPieces) ? { pieceBytes: () => 1 + Math.floor(random() * most) } : {}),
    ...(dice.hits(mix.extraTurns) ? { extraTurns: () => Math.floor(random() * 4) } : {}),
    ...(dice.hits(mix.smallCapacity) ? { capacityBytes: 1 + dice.upTo(200) } : {}),
  };
}

function fateOf(dice: Dice, mix: FaultMix): Fate | undefined {
  let fate: Fate | undefined;
  for (const name of ["reset", "end", "hold", "drop"] as const) {
    if (dice.hits(mix[name])) fate = name;
  }
  return fate;
}

function dialFaults(dice: Dice, mix: FaultMix): DialFaults {
  const fails = dice.hits(mix.dialFails);
  const hangs = dice.hits(mix.dialHangs);
  const fate = fails ? "fail" : "hang";
  return {
    ...(dice.hits(mix.slowDial) ? { delayMs: dice.upTo(mix.maxDelayMs ?? 20) } : {}),
    ...(fails || hangs ? { fate } : {}),
  };
}
