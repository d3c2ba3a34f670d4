import { hasControllingTerminal } from "@slipway/runtime";

/*
 * The only module of the stand-alone agent that handles process signals. The program imports it first: a signal that
 * arrives while the rest is being loaded still ends the agent gracefully.
 */
const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
type SignalName = (typeof names)[number];

const first = Promise.withResolvers<SignalName>();
const second = new AbortController();

/** Resolves with the first signal, which ends the agent gracefully. */
export const interrupted: Promise<SignalName> = first.promise;
/** Aborted by a second signal, which ends it immediately. */
export const forced: AbortSignal = second.signal;

let hasSignal = false;
// The agent started without a terminal: a hang-up comes from one that it acquired by accident.
const isDetached = !hasControllingTerminal();
for (const name of names) {
  process.on(name, () => {
    if (name === "SIGHUP" && isDetached) return;
    if (hasSignal) second.abort();
    hasSignal = true;
    first.resolve(name);
  });
}
