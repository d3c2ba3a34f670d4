import type { Limits } from "../config/limits.ts";
import type { UserCaller } from "./caller.ts";

export type StreamLimits = Pick<Limits, "maxStreamsPerUser">;

interface OpenStream {
  readonly user: UserCaller;
  readonly end: () => void;
}

/** The streams that users have open here, so that they end when their user is not let in any more. */
export class OpenStreams {
  readonly #open = new Set<OpenStream>();
  readonly maxPerUser: number;

  constructor({ maxStreamsPerUser }: StreamLimits) {
    this.maxPerUser = maxStreamsPerUser;
  }

  /** Notes a stream until the result is disposed of; `end` must be quick and not throw. */
  hold(user: UserCaller, end: () => void): Disposable {
    const stream = { user, end };
    this.#open.add(stream);
    return { [Symbol.dispose]: () => void this.#open.delete(stream) };
  }

  /** Whether the user may open another one. */
  hasRoom({ id }: UserCaller): boolean {
    let count = 0;
    for (const { user } of this.#open) if (user.id === id) count += 1;
    return count < this.maxPerUser;
  }

  /** The session keys with which they were opened, each once. */
  keyIds(): readonly string[] {
    return [...new Set(Array.from(this.#open, ({ user }) => user.keyId))];
  }

  /** Ends the streams of those who would not be let in as the same again. */
  endWhere(isStale: (user: UserCaller) => boolean): number {
    const stale = [...this.#open].filter(({ user }) => isStale(user));
    for (const { end } of stale) end();
    return stale.length;
  }
}
