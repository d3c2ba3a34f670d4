import { silentLogger } from "@slipway/runtime";
import { createFakeClock, type FakeClock } from "@slipway/testkit";
import { onTestFinished } from "vitest";

import { sodiumCrypto } from "../../src/crypto.ts";
import { Relay, type RelayOptions } from "../../src/relay.ts";

/** The actions that wait for the ends of turns, by relay. */
const turnEnds = new WeakMap<Relay, () => void>();

/** Makes a relay do all work that waits for the end of a turn of the event loop. */
export function endTurns(relay: Relay): void {
  turnEnds.get(relay)?.();
}

/** Opens a relay on a stopped clock, for the duration of a test. Its turns end on demand, or by themselves. */
export function openTestRelay(options: Partial<Omit<RelayOptions, "logger" | "defer">> = {}): {
  readonly relay: Relay;
  readonly clock: FakeClock;
} {
  const clock = createFakeClock();
  const waiting: (() => void)[] = [];
  const endAll = (): void => {
    for (let act = waiting.shift(); act !== undefined; act = waiting.shift()) act();
  };
  const defer = (act: () => void): void => {
    waiting.push(act);
    queueMicrotask(endAll);
  };
  const needs = { crypto: sodiumCrypto, clock, logger: silentLogger, defer };
  const relay = new Relay({ ...needs, ...options });
  turnEnds.set(relay, endAll);
  onTestFinished(() => relay.close(0));
  return { relay, clock };
}
