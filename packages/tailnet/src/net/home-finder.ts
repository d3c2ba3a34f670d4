import { type Clock, Wake } from "@slipway/runtime";

import { type DerpMap, type DerpRegion, emptyDerpMap, relayNodes } from "../relay/derp-map.ts";
import { chooseHome, type DatedReport, reportLifetimeMs } from "../relay/home-region.ts";
import { type FetchLatency, type LatencyReport, measureRegions } from "../relay/region-latency.ts";

export interface HomeFinderOptions {
  readonly clock: Clock;
  readonly fetchLatency: FetchLatency;
  /** Returns a number from 0 to below 1. */
  readonly random: () => number;
  /** Returns true while packets flow, which is when a nearer relay would help. */
  readonly isActive: () => boolean;
  /** Receives each choice with the report that led to it; `undefined` if the map has no relay. */
  readonly onHome: (regionId: number | undefined, report: LatencyReport) => void;
}

/** The time from one measurement to the next, while packets flow (docs/protocol/tailnet.md §2.7). */
const intervalMs = { least: 20_000, spread: 6_000 } as const;

/** Finds the nearest relay: immediately for each new map, and repeatedly while packets flow. */
export class HomeFinder {
  readonly #options: HomeFinderOptions;
  readonly #wake = new Wake();
  readonly #processNumber: number;
  #map: DerpMap = emptyDerpMap;
  #reports: readonly DatedReport[] = [];
  #home: number | undefined;
  #isDue = false;

  constructor(options: HomeFinderOptions) {
    this.#options = options;
    this.#processNumber = Math.floor(options.random() * 2 ** 31);
  }

  setMap(map: DerpMap): void {
    this.#map = map;
    // With a single relay there is no measurement to wait for.
    const [only, ...others] = [...map.regions.values()].filter(hasRelay);
    if (only !== undefined && others.length === 0) this.#choose(only.regionId, new Map());
    this.measureSoon();
  }

  /** Measures soon, for example after a change of the network. */
  measureSoon(): void {
    this.#isDue = true;
    this.#wake.wake();
  }

  /** Rejects with the signal's reason. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, isActive } = this.#options;
    for (;;) {
      if (this.#isDue || isActive()) {
        this.#isDue = false;
        await this.#measure(this.#map, signal);
      }
      await this.#wake.wait(intervalMs.least + random() * intervalMs.spread, clock, signal);
    }
  }

  async #measure(map: DerpMap, signal: AbortSignal): Promise<void> {
    const { clock, fetchLatency } = this.#options;
    const report = await measureRegions(map, { fetchLatency, clock, signal });
    // A newer map has made the report meaningless; its own measurement follows.
    if (map !== this.#map) return;
    const nowMs = clock.monotonic();
    const fresh = this.#reports.filter(({ atMs }) => nowMs - atMs <= reportLifetimeMs);
    this.#reports = [...fresh, { atMs: nowMs, report }];
    const [reports, current] = [this.#reports, this.#home];
    const processNumber = this.#processNumber;
    this.#choose(chooseHome({ map, reports, current, nowMs, processNumber }), report);
  }

  #choose(regionId: number | undefined, report: LatencyReport): void {
    this.#home = regionId;
    this.#options.onHome(regionId, report);
  }
}

function hasRelay(region: DerpRegion): boolean {
  return relayNodes(region).length > 0;
}
