/**
 * How hard PUSH and PULL try. It is each end's own choice; the other end is not told.
 *
 * - `at-least-once`: no job is lost while both ends live, but some may be done twice;
 * - `at-most-once`: no job is done twice, but those under way on a lost connection are lost.
 */
export type Delivery = "at-least-once" | "at-most-once";

/** Every {@link Delivery}. */
export const deliveries: readonly Delivery[] = ["at-least-once", "at-most-once"];
