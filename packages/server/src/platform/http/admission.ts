import type { Route } from "@slipway/api/contract/route";
import { type Clock, systemClock } from "@slipway/runtime";
import type { FastifyReply, FastifyRequest } from "fastify";

import type { AgentCaller, Authenticator, UserCaller } from "./caller.ts";
import type { CountedParty, RequestLimits } from "./request-limits.ts";
import { clientAddress, originOf } from "./request-origin.ts";

/** The first step of a route: refuses a request, or identifies its caller. */
export type Admission = (raw: FastifyRequest, reply: FastifyReply) => Promise<void>;

/** The time after which the caller of an unanswered request is identified again. */
const identifiedMs = 1_000;

/** An identification of a request's caller. */
interface Identification {
  readonly atMs: number;
  readonly identify: (raw: FastifyRequest) => Promise<CountedParty>;
}

/** Creates the admissions of routes, by kind of caller. */
export class Admissions {
  readonly #authenticator: Authenticator;
  readonly #limits: RequestLimits;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #identified = new WeakMap<FastifyRequest, Identification>();

  constructor(
    authenticator: Authenticator,
    limits: RequestLimits,
    clock: Pick<Clock, "monotonic"> = systemClock,
  ) {
    this.#authenticator = authenticator;
    this.#limits = limits;
    this.#clock = clock;
  }

  anyone(route: Route): Admission {
    return this.by(route, async (raw) => ({ address: clientAddress(raw) }));
  }

  user(route: Route): Admission {
    // Routes that a workspace proxy may also call have their own refusals (docs/protocol/rest.md §1.11, class U).
    const isForProxies = route.path.startsWith("/workspaceagents/");
    return this.by(route, async (raw) => {
      const user = await (isForProxies
        ? this.#authenticator.userOrProxy(raw, route)
        : this.#authenticator.user(raw, route));
      const caller = { ...user, origin: originOf(raw, route.status) };
      callers.setUser(raw, caller);
      return { user: caller };
    });
  }

  /**
   * Runs after a request was checked against the route's schemas: refuses a user whose key does not cover everything
   * that it names.
   */
  things(route: Route): Admission {
    return async (raw) => {
      const user = callers.findUser(raw);
      if (user !== undefined) await this.#authenticator.allow(user, route, raw);
    };
  }

  agent(route: Route): Admission {
    return this.by(route, async (raw) => {
      const agent = await this.#authenticator.agent(raw);
      callers.setAgent(raw, agent);
      return { agentId: agent.agentId };
    });
  }

  /** Identifies the caller and counts the request; a refused caller is counted by address. */
  by(route: Route, identify: (raw: FastifyRequest) => Promise<CountedParty>): Admission {
    return async (raw, reply) => {
      this.#limits.refuseRepeated(route, raw, reply);
      const counted = await identify(raw).catch((error: unknown) => {
        this.#limits.count(route, raw, reply, { address: clientAddress(raw) });
        throw error;
      });
      this.#limits.count(route, raw, reply, counted);
      this.#identified.set(raw, { atMs: this.#clock.monotonic(), identify });
    };
  }

  /**
   * Identifies the caller again before a request is answered, if its body or its turn took a while: rights and sessions
   * may have ended since. Throws the errors of the admission.
   */
  async renew(raw: FastifyRequest): Promise<void> {
    const found = this.#identified.get(raw);
    if (found === undefined || this.#clock.monotonic() - found.atMs < identifiedMs) return;
    await found.identify(raw);
  }
}

export function needCaller<T>(caller: T | undefined): T {
  if (caller === undefined) throw new TypeError("route was not authenticated");
  return caller;
}

/** The callers by request: set before the handler runs. */
export const callers = (() => {
  const users = new WeakMap<FastifyRequest, UserCaller>();
  const agents = new WeakMap<FastifyRequest, AgentCaller>();
  const keys = new WeakMap<FastifyRequest, string>();
  return {
    user: (raw: FastifyRequest) => needCaller(users.get(raw)),
    findUser: (raw: FastifyRequest) => users.get(raw),
    findAgent: (raw: FastifyRequest) => agents.get(raw),
    agent: (raw: FastifyRequest) => needCaller(agents.get(raw)),
    setUser: (raw: FastifyRequest, caller: UserCaller) => void users.set(raw, caller),
    /** The id of a key that is neither a user's nor an agent's. */
    findKey: (raw: FastifyRequest) => keys.get(raw),
    setKey: (raw: FastifyRequest, id: string) => void keys.set(raw, id),
    setAgent: (raw: FastifyRequest, caller: AgentCaller) => void agents.set(raw, caller),
  };
})();
