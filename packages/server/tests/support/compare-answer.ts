import { type RecordedLine } from "@slipway/testkit/recordings";

import type { DeliberateDifferences } from "./deliberate-differences.ts";
import { addedKeys, shapeDifferences } from "./json-shape.ts";
import { nameRequest } from "./recorded-ids.ts";
import { bodyOf, hasJson } from "./recordings.ts";

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Compares responses with recorded ones, except for listed differences, and tracks which of those have occurred. */
export class AnswerComparison {
  readonly #listed: DeliberateDifferences;
  readonly #seen = new Set<string>();

  constructor(listed: DeliberateDifferences) {
    this.#listed = listed;
  }

  /** Returns the unlisted differences: status, keys and their types, and error messages. */
  compare(record: RecordedLine, answer: Answer): readonly string[] {
    const { method = "GET", path = "", status = 0 } = record;
    const name = `${nameRequest(method, path)} ${status}`;
    const other = this.#listed.answers[name];
    if (other !== undefined) this.#seen.add(name);
    const wanted = { status, message: messageOf(record), ...other };
    if (answer.status !== wanted.status) {
      return [`${name}: ${answer.status} ${JSON.stringify(answer.body)}`];
    }
    if (!hasJson(record)) return [];
    const message = other?.message ?? (other === undefined ? wanted.message : undefined);
    const found = messageIn(answer.body);
    const others = message !== undefined && message !== found ? [`${name}: message ${found}`] : [];
    return other === undefined
      ? [...others, ...this.compareJson(name, bodyOf(record), answer.body)]
      : others;
  }

  /** Compares two JSON values, such as messages of a stream. */
  compareJson(name: string, recorded: unknown, ours: unknown): readonly string[] {
    const { lost, added, addedAtTimes = {} } = this.#listed;
    const wrong = shapeDifferences(recorded, ours)
      .filter(({ path }) => !this.#isListed("lost", lost, path))
      .map((one) => `${name}: ${one.path} is ${one.found}, recorded ${one.wanted}`);
    const more = addedKeys(recorded, ours)
      .filter((path) => !this.#isListed("added", { ...added, ...addedAtTimes }, path))
      .map((path) => `${name}: ${path} is new`);
    return [...wrong, ...more];
  }

  /** Returns the listed differences that have not occurred. */
  unseen(): readonly string[] {
    const { answers, lost, added } = this.#listed;
    return [
      ...Object.keys(answers),
      ...Object.keys(lost).map((key) => `lost ${key}`),
      ...Object.keys(added).map((key) => `added ${key}`),
    ].filter((name) => !this.#seen.has(name));
  }

  #isListed(kind: "lost" | "added", list: Readonly<Record<string, string>>, path: string): boolean {
    const key = Object.keys(list).find((end) => path === end || path.endsWith(dotted(end)));
    if (key !== undefined) this.#seen.add(`${kind} ${key}`);
    return key !== undefined;
  }
}

/** Returns a key as the end of a path, so that it does not match the end of a longer key. */
function dotted(key: string): string {
  return key.startsWith("[") ? key : `.${key}`;
}

function messageOf(record: RecordedLine): string | undefined {
  return hasJson(record) ? messageIn(bodyOf(record)) : undefined;
}

function messageIn(body: unknown): string | undefined {
  if (typeof body !== "object" || body === null || !("message" in body)) return undefined;
  return typeof body.message === "string" ? body.message : undefined;
}
