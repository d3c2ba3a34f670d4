import type { Mutant } from "../mutant.ts";

const wire = "packages/wire/src";
const timers = {
  project: "unit",
  files: ["packages/wire/src/wireguard/peer-timers.test.ts"],
} as const;
const recovery = {
  project: "unit",
  files: ["packages/wire/src/tcp/recovery.test.ts"],
} as const;
const segments = {
  project: "unit",
  files: ["packages/wire/src/tcp/connection-hostile.test.ts"],
} as const;

/** Second timeouts, attempts and segments in the protocols. */
export const protocolFaults: readonly Mutant[] = [
  {
    name: "two-timeouts-reduce-twice",
    breaks: "a second timeout for the same data lowers the threshold again",
    file: `${wire}/tcp/recovery.ts`,
    find: `if (this.#state.type !== "timeout") {`,
    replace: "if (sentEnd > 0) {",
    suite: recovery,
  },
  {
    name: "a-later-timeout-reduces-nothing",
    breaks: "a timeout after a recovery has ended leaves the threshold",
    file: `${wire}/tcp/recovery.ts`,
    find: `      this.#state = { type: "open" };
    } else if`,
    replace: "    } else if",
    suite: recovery,
  },
  {
    name: "the-second-repeat-counts",
    breaks: "a needless timeout is not taken back once its data was sent a third time",
    file: `${wire}/tcp/recovery.ts`,
    find: "this.#firstRepeatAt ??= Math.floor(now)",
    replace: "this.#firstRepeatAt = Math.floor(now)",
    suite: recovery,
  },
  {
    name: "attempts-are-not-reset",
    breaks: "attempts before a handshake that succeeded count for the next one",
    file: `${wire}/wireguard/peer-timers.ts`,
    find: `  agreed(): void {
    this.#attempts = 0;
`,
    replace: `  agreed(): void {
`,
    suite: timers,
  },
  {
    name: "giving-up-counts-on",
    breaks: "a peer that was given up gets a single attempt from then on",
    file: `${wire}/wireguard/peer-timers.ts`,
    find: `    this.#attempts = 0;
    this.#keepAliveAt = never;
    return "give-up";`,
    replace: `    this.#keepAliveAt = never;
    return "give-up";`,
    suite: timers,
  },
  {
    name: "the-second-message-is-not-answered",
    breaks: "what comes while a keep-alive waits is never answered by another",
    file: `${wire}/wireguard/peer-timers.ts`,
    find: `    else this.#needsAnotherKeepAlive = true;
`,
    replace: "",
    suite: timers,
  },
  {
    name: "the-newest-message-counts-for-silence",
    breaks: "a peer that sends on never notices that nobody answers",
    file: `${wire}/wireguard/peer-timers.ts`,
    find: "if (hasData && this.#stalledAt === never) this",
    replace: "if (hasData) this",
    suite: timers,
  },
  {
    name: "an-overtaken-segment-sets-the-window",
    breaks: "a segment that a newer one has overtaken sets the window",
    file: `${wire}/tcp/established.ts`,
    find: "this.#windowOffset < offset || (",
    replace: "this.#windowOffset !== offset || (",
    suite: segments,
  },
];
