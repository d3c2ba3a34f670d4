import { type Clock, errorText, type Logger, spread, Wake } from "@slipway/runtime";

import { type LimitName, type Limits, limitVariable } from "../../platform/config/limits.ts";
import { OpenCounts } from "../../platform/http/open-counts.ts";
import { allOf, type PubSub, topics } from "../../platform/pubsub/pubsub.ts";
import type { AppPage } from "./app-page.ts";

export type AppLimits = Pick<Limits, "maxAppConnections" | "maxAppConnectionsPerUser">;

/** The interval at which the rights to open apps are checked again, without a hint. */
const checkMs = 15_000;
/** The time for hints to gather, so that many together cause one check. */
const gatherMs = 250;

/** A request to an app that is under way, or a connection that resulted from one. */
export interface OpenApp {
  readonly workspaceId: string;
  /** The user who opened it; undefined for one who is not logged in. */
  readonly userId: string | undefined;
  /** The key of the right that it needs. */
  readonly right: string;
  /** Returns whether the viewer may still open the app. */
  readonly mayStay: () => Promise<boolean>;
  readonly end: () => void;
}

interface OpenAppsNeeds {
  readonly pubsub: Pick<PubSub, "subscribe">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: AppLimits;
}

/** The requests to apps that are under way, counted by user, or by address for those who are not logged in. */
export class OpenApps {
  readonly #needs: OpenAppsNeeds;
  readonly #counts: OpenCounts;
  readonly #open = new Set<OpenApp>();
  /** The requests whose right may have changed. */
  readonly #suspects = new Set<OpenApp>();
  readonly #wake = new Wake();

  constructor(needs: OpenAppsNeeds) {
    const { maxAppConnections: inAll, maxAppConnectionsPerUser: perAddress } = needs.limits;
    this.#needs = needs;
    this.#counts = new OpenCounts({ inAll, perAddress });
  }

  get size(): number {
    return this.#counts.size;
  }

  /** Counts a request until the result is disposed of; a page if there are too many. */
  hold(viewer: string, app: OpenApp): Disposable | AppPage {
    const taken = this.#counts.take(viewer);
    if (taken === "address") return tooMany("maxAppConnectionsPerUser");
    if (taken === "all") return tooMany("maxAppConnections");
    this.#open.add(app);
    const topic = topics.workspace(app.workspaceId);
    const subscription = this.#needs.pubsub.subscribe(topic, () => this.#suspect([app]));
    return {
      [Symbol.dispose]: () => {
        subscription[Symbol.dispose]();
        this.#open.delete(app);
        this.#suspects.delete(app);
        taken[Symbol.dispose]();
      },
    };
  }

  /** Ends requests that their viewers may no longer make, until the signal. Rejects with the signal's reason. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger, pubsub } = this.#needs;
    using _ = pubsub.subscribe(allOf("sessions"), (topic) =>
      this.#suspect(this.#open.values().filter(({ userId }) => isOf(topic, userId))),
    );
    let checkedAllAt = clock.monotonic();
    for (;;) {
      await this.#wake.wait(spread(checkMs), clock, signal);
      await clock.sleep(gatherMs, signal);
      if (clock.monotonic() - checkedAllAt >= checkMs / 2) {
        checkedAllAt = clock.monotonic();
        for (const app of this.#open) this.#suspects.add(app);
      }
      try {
        await this.#check();
      } catch (error) {
        signal.throwIfAborted();
        logger.warn({ error: errorText(error) }, "cannot check rights to open apps");
      }
    }
  }

  /** Ends everything. */
  endAll(): void {
    for (const app of this.#open.keys()) app.end();
  }

  #suspect(apps: Iterable<OpenApp>): void {
    for (const app of apps) this.#suspects.add(app);
    this.#wake.wake();
  }

  async #check(): Promise<void> {
    const rights = Map.groupBy(this.#suspects, ({ right }) => right);
    this.#suspects.clear();
    for (const apps of rights.values()) {
      if (await apps[0]?.mayStay()) continue;
      for (const app of apps) app.end();
    }
  }
}

/** Returns whether a hint of sessions, or of all, is about a user. */
function isOf(topic: string, userId: string | undefined): boolean {
  if (userId === undefined) return false;
  return topic === allOf("sessions") || topic === topics.sessions(userId);
}

function tooMany(name: LimitName & keyof AppLimits): AppPage {
  const isUser = name === "maxAppConnectionsPerUser";
  return {
    status: isUser ? 429 : 503,
    title: "Too many connections to apps",
    text: isUser
      ? "You have too many connections to apps open on this server."
      : "This server has too many connections to apps open.",
    advice: [
      "Close pages of apps that you no longer use, and reload this page.",
      `An administrator can raise ${limitVariable(name)}.`,
    ],
    headers: { "Retry-After": "10" },
  };
}
