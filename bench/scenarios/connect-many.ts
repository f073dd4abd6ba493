/** So many connect at a time: what listens is not to be flooded. */
const atOnce = 64;

/** Connects `count` of something, and gives them in their order. */
export async function connectMany<T>(count: number, connect: () => Promise<T>): Promise<T[]> {
  const connected: T[] = [];
  while (connected.length < count) {
    const some = Array.from({ length: Math.min(atOnce, count - connected.length) }, connect);
    connected.push(...(await Promise.all(some)));
  }
  return connected;
}
