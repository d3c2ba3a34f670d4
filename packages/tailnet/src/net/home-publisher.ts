import type { Clock, Scope } from "@slipway/runtime";

import type { SelfPlace } from "../coordination/self-node.ts";
import type { RelayPool } from "../relay/relay-pool.ts";

/** The time to wait for this side's relay before publishing it. */
const homeWaitMs = 1_000;

/** The parts of the peer that the publisher needs. */
export interface HomePublisherNeeds {
  readonly clock: Clock;
  readonly relays: Pick<RelayPool, "homeId" | "statuses" | "forcedWebSockets">;
  /** Publishes a change. */
  readonly publish: (changes: Partial<SelfPlace>) => void;
  /** Runs a task in the background until the peer is closed. */
  readonly run: Scope["run"];
}

/** Publishes the relay of this side once peers can reach this side there. */
export class HomePublisher {
  readonly #needs: HomePublisherNeeds;

  constructor(needs: HomePublisherNeeds) {
    this.#needs = needs;
  }

  /**
   * Publishes the home once its relay is connected: peers begin their handshakes there immediately, and would wait
   * five seconds for a second attempt. A relay that does not answer soon is published all the same.
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

  /** Publishes the home; returns false if its relay is not connected yet. */
  #publishConnected(): boolean {
    const { relays, publish } = this.#needs;
    const { homeId } = relays;
    const home = relays.statuses().find(({ regionId }) => regionId === homeId);
    if (homeId !== undefined && home?.connection.type !== "connected") return false;
    publish({ homeRegionId: homeId });
    return true;
  }
}
