import type { Authorizer, AuthRequest, SocketOptions } from "@msg-ts/core";
import type { World } from "./world.ts";

/** Who is let in, and what a peer that is in may do: decided by seeds, and kindly once all is well. */
export class Gates {
  readonly #world: World;
  readonly #random: () => number;
  readonly #hasAuth: boolean;

  /** @param random - of the scenario. */
  constructor(world: World, random: () => number, hasAuth: boolean) {
    this.#world = world;
    this.#random = random;
    this.#hasAuth = hasAuth;
  }

  /** A token for what dials, an authenticator for what is dialed. */
  authOptions(name: string, { binds, dials }: { binds: boolean; dials: boolean }): SocketOptions {
    if (!this.#hasAuth) return {};
    const random = this.#world.dice(`auth ${name}`);
    return {
      ...(dials ? { authToken: this.#random() < 0.5 ? "token" : async () => "token" } : {}),
      ...(binds ? { authenticator: (request) => this.#authenticate(request, random()) } : {}),
    };
  }

  /** Allows nearly always, at once or later; or says no, throws, or is late. */
  authorizer(name: string): { authorize?: Authorizer } {
    const random = this.#world.dice(`authorizer ${name}`);
    if (random() < 0.7) return {};
    return {
      authorize: () => {
        const how = this.#world.isQuiet ? 1 : random();
        if (how < 0.1) return false;
        if (how < 0.15) throw new Error("cannot tell");
        if (how > 0.6) return true;
        const lateMs = how < 0.2 ? 300 : how * 40;
        return new Promise((resolve) => {
          this.#world.clock.setTimer(() => resolve(true), lateMs);
        });
      },
    };
  }

  /** Lets in, refuses, throws, takes its time, or never says anything. */
  #authenticate({ signal }: AuthRequest, how: number): boolean | Promise<boolean> {
    if (this.#world.isQuiet || how < 0.7) return true;
    if (how < 0.8) return false;
    if (how < 0.85) throw new Error("no");
    return new Promise((resolve, reject) => {
      const later = this.#world.clock.setTimer(() => resolve(true), how < 0.95 ? 30 : 1e9);
      signal.addEventListener("abort", () => {
        this.#world.clock.clearTimer(later);
        reject(new Error("gone"));
      });
    });
  }
}
