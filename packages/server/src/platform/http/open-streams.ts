import type { Route } from "@slipway/api/contract/route";

import type { Limits } from "../config/limits.ts";
import { LimitReached } from "../errors/limit-reached.ts";
import type { UserCaller } from "./caller.ts";

export type StreamLimits = Pick<
  Limits,
  "maxStreamsPerUser" | "maxWatchesPerUser" | "maxTerminalsPerUser"
>;

/** A kind of stream with a separate limit. */
type StreamKind = "watch" | "terminal" | "other";

interface OpenStream {
  readonly user: UserCaller;
  readonly kind: StreamKind;
  readonly end: () => void;
}

/** The streams that users have open on this server, so that they can be closed when their user loses access. */
export class OpenStreams {
  readonly #limits: StreamLimits;
  readonly #open = new Map<string, Set<OpenStream>>();

  constructor(limits: StreamLimits) {
    this.#limits = limits;
  }

  /** Registers a stream until the result is disposed of; `end` must be quick and not throw. */
  hold(user: UserCaller, route: Route, end: () => void): Disposable {
    const stream = { user, kind: kindOf(route), end };
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
    const limits = this.#limits;
    if (streams.size >= limits.maxStreamsPerUser) return refusal("maxStreamsPerUser", limits);
    const kind = kindOf(route);
    if (kind === "other") return undefined;
    const name = kind === "watch" ? "maxWatchesPerUser" : "maxTerminalsPerUser";
    const same = streams.values().reduce((count, one) => count + Number(one.kind === kind), 0);
    return same < limits[name] ? undefined : refusal(name, limits);
  }

  /** Returns the session keys of the open streams of some users, or of all, each once. */
  keyIds(users: ReadonlySet<string> | "all"): readonly string[] {
    const ids = users === "all" ? [...this.#open.keys()] : [...users];
    const streams = ids.flatMap((id) => Array.from(this.#open.get(id) ?? []));
    return [...new Set(streams.map(({ user }) => user.keyId))];
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

/** Returns the kind of a stream. A watch reports every change of something, for as long as it changes. */
function kindOf({ path }: Route): StreamKind {
  if (path.endsWith("/pty")) return "terminal";
  return /\/watch[a-z-]*$/.test(path) ? "watch" : "other";
}

const nouns: Readonly<Record<keyof StreamLimits, string>> = {
  maxStreamsPerUser: "streams",
  maxWatchesPerUser: "watches",
  maxTerminalsPerUser: "terminals",
};

function refusal(name: keyof StreamLimits, limits: StreamLimits): LimitReached {
  const { [name]: max } = limits;
  const what = nouns[name];
  return new LimitReached({
    name,
    isTemporary: true,
    limit: `${max} ${what} per user`,
    used: `You have ${max} ${what} open on this server`,
    advice:
      name === "maxTerminalsPerUser"
        ? "Close some that you no longer use."
        : "Close some that you no longer read.",
  });
}
