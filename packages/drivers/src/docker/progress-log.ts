import { objectOf, textOf } from "@slipway/runtime";
import type { Clock } from "@slipway/runtime";

import type { DriverLog } from "../driver.ts";
import { BuildKitTrace } from "./buildkit-trace.ts";

/** The time between two lines about layers, in milliseconds. */
const layerLineMs = 1_000;

/** The lines that one build of an image may write: a `RUN yes` would fill the database. */
const maxLines = 10_000;
const maxLineLength = 2_000;

/** The id of the lines of JSON in which an engine passes on BuildKit's progress. */
const traceId = "moby.buildkit.trace";

/**
 * Writes the progress of a pull or a build to a build's log. An engine repeats the state of each layer many times a
 * second: a line is written when a layer's state changes, and at most one a second.
 */
export class ProgressLog {
  readonly #log: DriverLog;
  readonly #stage: string;
  readonly #clock: Pick<Clock, "now">;
  readonly #layers = new Map<string, string>();
  readonly #trace = new BuildKitTrace();
  #nextLayerLineAt = 0;
  #lines = 0;

  constructor(log: DriverLog, stage: string, clock: Pick<Clock, "now">) {
    this.#log = log;
    this.#stage = stage;
    this.#clock = clock;
  }

  /** Takes a line of progress and returns its error; undefined if it has none. */
  take(progress: unknown): string | undefined {
    const fields = objectOf(progress);
    const error = textOf(objectOf(fields["errorDetail"])["message"]) || textOf(fields["error"]);
    if (error !== "") return error;
    const [id, status] = [textOf(fields["id"]), textOf(fields["status"])];
    if (id === traceId) this.#takeTrace(textOf(fields["aux"]));
    else if (id === "") this.#writeLines(textOf(fields["stream"]) || status);
    else this.#takeLayer(id, status);
    return undefined;
  }

  #takeTrace(base64: string): void {
    for (const part of this.#trace.read(Buffer.from(base64, "base64"))) {
      if ("text" in part) this.#writeLines(part.text);
      else this.#takeLayer(part.layer, part.state);
    }
  }

  #takeLayer(id: string, status: string): void {
    if (status === "" || this.#layers.get(id) === status) return;
    if (this.#layers.size >= maxLines) this.#layers.clear();
    this.#layers.set(id, status);
    const now = this.#clock.now();
    if (now < this.#nextLayerLineAt) return;
    this.#nextLayerLineAt = now + layerLineMs;
    this.#write(`${id}: ${status}`);
  }

  #writeLines(text: string): void {
    for (const line of text.split(/[\r\n]+/)) if (line.trim() !== "") this.#write(line);
  }

  #write(line: string): void {
    this.#lines += 1;
    if (this.#lines > maxLines) return;
    const last = "further output is not kept: it has more than 10,000 lines";
    this.#log.write(
      "info",
      this.#stage,
      this.#lines < maxLines ? line.slice(0, maxLineLength) : last,
    );
  }
}
