import { type JsonObject, objectOf, printableLine, textOf } from "@slipway/runtime";

import { type StepTiming, maxSteps } from "../stage-timing.ts";

/** The maximum number of steps that are open at a time; the program itself runs ten. */
const maxOpen = 1_000;
const maxNameLength = 256;

/** Measures what a run does with each resource, by its messages (`-json`). Keeps the longest steps. */
export class StepTimings {
  readonly #redact: (text: string) => string;
  readonly #started = new Map<string, number>();
  #steps: StepTiming[] = [];

  /** `redact` hides the secrets of the run. */
  constructor(redact: (text: string) => string) {
    this.#redact = redact;
  }

  /** The longest steps that have ended, in the order of their start. */
  get steps(): readonly StepTiming[] {
    return this.#longest().toSorted((a, b) => a.startedMs - b.startedMs);
  }

  add(message: JsonObject): void {
    const [, kind = "", event = ""] = stepEvent.exec(textOf(message["type"])) ?? [];
    const atMs = Date.parse(textOf(message["@timestamp"]));
    if (event === "" || Number.isNaN(atMs)) return;
    const hook = objectOf(message["hook"]);
    const { addr, implied_provider: provider } = objectOf(hook["resource"]);
    const resource = textOf(addr);
    // Only changes and reads name their action.
    const action = textOf(hook["action"]) || (actions[kind] ?? kind);
    const key = `${kind} ${action} ${resource}`;
    if (event === "start") {
      if (this.#started.size < maxOpen) this.#started.set(key, atMs);
      return;
    }
    const startedMs = this.#started.get(key);
    if (startedMs === undefined) return;
    this.#started.delete(key);
    this.#steps.push({
      source: this.#name(textOf(provider)),
      action: this.#name(action),
      resource: this.#name(resource),
      startedMs: Math.min(startedMs, atMs),
      endedMs: atMs,
    });
    if (this.#steps.length >= 2 * maxSteps) this.#steps = this.#longest();
  }

  #longest(): StepTiming[] {
    return this.#steps.toSorted((a, b) => lengthOf(b) - lengthOf(a)).slice(0, maxSteps);
  }

  #name(text: string): string {
    return this.#redact(printableLine(text)).slice(0, maxNameLength);
  }
}

const stepEvent = /^(apply|refresh|provision|ephemeral_op)_(start|complete|errored)$/;
const actions: Readonly<Record<string, string>> = { refresh: "state refresh" };

function lengthOf({ startedMs, endedMs }: StepTiming): number {
  return endedMs - startedMs;
}
