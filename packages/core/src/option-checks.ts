import { describe } from "./bytes.ts";
import { MsgError } from "./errors.ts";

// Each check is written so that NaN fails it.

/** @throws MsgError `MSG_INVALID_OPTION` unless `min <= value <= max`. */
export function checkNumber(name: string, value: number, min: number, max: number): void {
  if (typeof value === "number" && value >= min && value <= max) return;
  throw outOfRange(name, value, `${min} to ${max}`);
}

/** @throws MsgError `MSG_INVALID_OPTION` unless it is a whole number with `min <= value <= max`. */
export function checkInteger(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw outOfRange(name, value, `a whole number, ${min} to ${max}`);
}

/** As {@link checkInteger}, but `Infinity` passes: no bound. */
export function checkIntegerOrInfinity(name: string, value: number, min: number): void {
  if (value !== Infinity) checkInteger(name, value, min, Number.MAX_SAFE_INTEGER);
}

/** @throws MsgError `MSG_INVALID_OPTION` unless it is 0 to 2^31-1 ms, or `Infinity` for never. */
export function checkDelay(name: string, value: number, min = 0): void {
  if (value !== Infinity) checkNumber(name, value, min, 2 ** 31 - 1);
}

/** @throws MsgError `MSG_INVALID_OPTION` unless it is one of the choices. */
export function checkChoice(name: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  throw outOfRange(name, value, choices.map((choice) => `"${choice}"`).join(", "));
}

/** @throws MsgError `MSG_INVALID_OPTION` unless it is a function or absent. */
export function checkFunction(name: string, value: unknown): void {
  if (value === undefined || typeof value === "function") return;
  throw outOfRange(name, value, "a function");
}

/** @throws MsgError `MSG_INVALID_OPTION` unless it is a boolean. */
export function checkBoolean(name: string, value: unknown): void {
  if (typeof value !== "boolean") throw outOfRange(name, value, "true or false");
}

/** @throws MsgError `MSG_INVALID_OPTION` unless it is an object that has all these methods. */
export function checkMethods(name: string, value: unknown, methods: readonly string[]): void {
  const isObject = typeof value === "object" && value !== null;
  const found = isObject ? (value as Record<string, unknown>) : {};
  if (methods.every((method) => typeof found[method] === "function")) return;
  throw outOfRange(name, value, `an object with ${methods.join(", ")}`);
}

/** @throws MsgError `MSG_INVALID_OPTION` unless it is an object or absent. */
export function checkObject(name: string, value: unknown): void {
  if (value === undefined || (typeof value === "object" && value !== null)) return;
  throw outOfRange(name, value, "an object");
}

/** @throws MsgError `MSG_INVALID_OPTION` unless it is an array. */
export function checkArray(name: string, value: unknown): void {
  if (!Array.isArray(value)) throw outOfRange(name, value, "an array");
}

function outOfRange(name: string, value: unknown, range: string): MsgError {
  const shown = typeof value === "string" ? `"${value.slice(0, 40)}"` : describe(value);
  return new MsgError("MSG_INVALID_OPTION", `${name} is ${shown}, must be ${range}`);
}
