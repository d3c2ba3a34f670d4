import type { JobLog } from "@slipway/api/jobs/job";
import { printableLine } from "@slipway/runtime";

import type { Colors } from "../../terminal/colors.ts";
import { levelText, linesOf } from "./log-text.ts";

/** Turns the log of a build or an import into lines: a headline when a stage begins, its output below. */
export class JobLogLines {
  readonly #colors: Colors;
  readonly #errors = new Set<string>();
  #stage = "";

  constructor(colors: Colors) {
    this.#colors = colors;
  }

  /** Returns the lines of one entry; an entry without output only begins a stage (docs/protocol/clients.md §2.6). */
  next(entry: JobLog): string[] {
    const lines: string[] = [];
    if (entry.stage !== this.#stage && entry.stage !== "") {
      lines.push(this.#colors.bold(`==> ${printableLine(entry.stage)}`));
    }
    this.#stage = entry.stage;
    if (entry.output === "") return lines;
    for (const text of linesOf(entry)) {
      this.#remember(entry, text);
      lines.push(levelText(`    ${text}`, entry.log_level, this.#colors));
    }
    return lines;
  }

  /** Returns whether the log has already shown this text, as errors. */
  hasShown(error: string): boolean {
    const lines = error.split("\n").map((line) => line.trim());
    return lines.every((line) => line === "" || this.#errors.has(line));
  }

  #remember(entry: JobLog, text: string): void {
    if (entry.log_level === "error") this.#errors.add(text.trim());
  }
}
