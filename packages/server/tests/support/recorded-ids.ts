const uuid = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g;
const nil = "00000000-0000-0000-0000-000000000000";

/** Maps ids of the recorded server to ours, learned from answers to the same requests. */
export class RecordedIds {
  readonly #ours = new Map<string, string>();

  /** Learns the ids in a response from those in the same places of the recorded one. */
  learn(recorded: unknown, ours: unknown): void {
    if (typeof recorded === "string" && typeof ours === "string") {
      if (recorded.match(uuid)?.[0] === recorded && recorded !== nil) {
        this.#ours.set(recorded, ours);
      }
    } else if (isObject(recorded) && isObject(ours)) {
      for (const [key, value] of Object.entries(recorded)) this.learn(value, ours[key]);
    }
  }

  /** Returns a recorded text with our ids. */
  translate(text: string): string {
    return text.replaceAll(uuid, (id) => this.#ours.get(id) ?? id);
  }
}

/** Returns the name of a recorded request in tables: without the API prefix and without ids. */
export function nameRequest(method: string, path: string): string {
  return `${method} ${path.replace(/^\/api\/v2/, "").replaceAll(uuid, "ID")}`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
