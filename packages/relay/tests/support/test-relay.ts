import { silentLogger } from "@slipway/runtime";
import { createFakeClock, type FakeClock } from "@slipway/testkit";
import { onTestFinished } from "vitest";

import { sodiumCrypto } from "../../src/crypto.ts";
import { Relay, type RelayOptions } from "../../src/relay.ts";

/** The actions that wait for the ends of turns, by relay. */
const turnEnds = new WeakMap<Relay, () => void>();

/** Lets a relay do all that waits for the end of a turn of the event loop. */
export function endTurns(relay: Relay): void {
  turnEnds.get(relay)?.();
}

/** Opens a relay on a clock that stands, for the length of a test. Its turns end when a test says so, or by themselves. */
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
