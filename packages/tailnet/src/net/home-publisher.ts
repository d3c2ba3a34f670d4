import type { Clock, Scope } from "@slipway/runtime";

import type { SelfPlace } from "../coordination/self-node.ts";
import type { RelayPool } from "../relay/relay-pool.ts";

/** The time that others wait for this side's relay before they hear of it. */
const homeWaitMs = 1_000;

/** The peer as the publisher needs it. */
export interface HomePublisherNeeds {
  readonly clock: Clock;
  readonly relays: Pick<RelayPool, "homeId" | "statuses" | "forcedWebSockets">;
  /** Tells others of a change. */
  readonly publish: (changes: Partial<SelfPlace>) => void;
  /** Waits in the background until the peer is closed. */
  readonly run: Scope["run"];
}

/** Tells others of the relay that this side is reached by, once they reach it there. */
export class HomePublisher {
  readonly #needs: HomePublisherNeeds;

  constructor(needs: HomePublisherNeeds) {
    this.#needs = needs;
  }

  /**
   * Publishes the home once its relay is connected: others begin their handshakes there at once, and would wait five
   * seconds for a second attempt. A relay that does not answer soon is published all the same.
   */
  publishSoon(): void {
    if (this.#publishConnected()) return;
    const { clock, relays, publish, run } = this.#needs;
    run(async (signal) => {
      await clock.sleep(homeWaitMs, signal);
      publish({ homeRegionId: relays.homeId });
    });
  }

  /** Handles a change in the state of a relay. */
  noteStatus(): void {
    const forcedWebSockets = Object.fromEntries(this.#needs.relays.forcedWebSockets());
    this.#needs.publish({ forcedWebSockets });
    this.#publishConnected();
  }

  /** Returns false if the home has to be waited for. */
  #publishConnected(): boolean {
    const { relays, publish } = this.#needs;
    const { homeId } = relays;
    const home = relays.statuses().find(({ regionId }) => regionId === homeId);
    if (homeId !== undefined && home?.connection.type !== "connected") return false;
    publish({ homeRegionId: homeId });
    return true;
  }
}
