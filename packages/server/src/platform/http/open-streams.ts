import type { Route } from "@slipway/api";

import type { LimitName, Limits } from "../config/limits.ts";
import { LimitReached } from "../errors/limit-reached.ts";
import type { UserCaller } from "./caller.ts";

export type StreamLimits = Pick<Limits, "maxStreamsPerUser" | "maxWatchesPerUser">;

interface OpenStream {
  readonly user: UserCaller;
  readonly isWatch: boolean;
  readonly end: () => void;
}

/** The streams that users have open here, to close them when their user loses access. */
export class OpenStreams {
  readonly #limits: StreamLimits;
  readonly #open = new Map<string, Set<OpenStream>>();

  constructor(limits: StreamLimits) {
    this.#limits = limits;
  }

  /** Registers a stream until the result is disposed of; `end` must be quick and not throw. */
  hold(user: UserCaller, route: Route, end: () => void): Disposable {
    const stream = { user, isWatch: isWatch(route), end };
    const streams = this.#open.get(user.id) ?? new Set();
    this.#open.set(user.id, streams);
    streams.add(stream);
    return {
      [Symbol.dispose]: () => {
        streams.delete(stream);
        if (streams.size === 0 && this.#open.get(user.id) === streams) this.#open.delete(user.id);
      },
    };
  }

  /** Returns the refusal of another stream of the user on a route; undefined if they may open it. */
  refusal({ id }: UserCaller, route: Route): LimitReached | undefined {
    const streams = this.#open.get(id) ?? new Set();
    const { maxStreamsPerUser, maxWatchesPerUser } = this.#limits;
    if (streams.size >= maxStreamsPerUser) return refusal("maxStreamsPerUser", maxStreamsPerUser);
    if (!isWatch(route)) return undefined;
    const watches = streams.values().reduce((count, one) => count + Number(one.isWatch), 0);
    return watches < maxWatchesPerUser
      ? undefined
      : refusal("maxWatchesPerUser", maxWatchesPerUser);
  }

  /** Returns the session keys of all open streams, each once. */
  keyIds(): readonly string[] {
    return [...new Set(this.#all().map(({ user }) => user.keyId))];
  }

  /** Closes the streams whose users would no longer be authenticated as the same caller. */
  endWhere(isStale: (user: UserCaller) => boolean): number {
    const stale = this.#all().filter(({ user }) => isStale(user));
    for (const { end } of stale) end();
    return stale.length;
  }

  #all(): readonly OpenStream[] {
    return [...this.#open.values()].flatMap((streams) => Array.from(streams));
  }
}

/** Returns whether a route reports every change of something, and is written to as long as it changes. */
function isWatch({ path }: Route): boolean {
  return /\/watch[a-z-]*$/.test(path);
}

function refusal(name: LimitName, max: number): LimitReached {
  const what = name === "maxWatchesPerUser" ? "watches" : "streams";
  return new LimitReached({
    name,
    isTemporary: true,
    limit: `${max} ${what} per user`,
    used: `You have ${max} ${what} open on this server`,
    advice: "Close some that you no longer read.",
  });
}
