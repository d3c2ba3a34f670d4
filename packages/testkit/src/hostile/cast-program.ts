import { constants, setPriority } from "node:os";
import { setTimeout as pause } from "node:timers/promises";

import { errorText } from "@slipway/runtime";

import { casts } from "./casts.ts";
import type { CastName } from "./options.ts";
import { Scoreboard } from "./scoreboard.ts";
import { openTarget, type TargetData } from "./target.ts";

/*
 * One group of attackers in a separate process, which its parent ends. Real attackers run elsewhere, so it has the
 * lowest priority: its computation does not take the server's time.
 */

/** The first message, from the parent. */
export interface CastOrder {
  readonly cast: CastName;
  readonly target: TargetData;
}

/** The messages to the parent. */
export type CastMessage =
  | { readonly type: "begins"; readonly name: string }
  | {
      readonly type: "ends";
      readonly name: string;
      readonly taken: number;
      readonly refused: number;
      readonly faults: readonly string[];
    };

/** The pause between two tricks, because they share the machine with the server. */
const betweenTricksMs = 250;

/** The errors of a refused or cut session or request, which is what a trick aims for. */
const cutOff =
  /Unexpected server response: (4\d\d|503)|socket hang up|ECONNRESET|EPIPE|fetch failed/;

setPriority(constants.priority.PRIORITY_LOW);
process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
process.once("message", (order: CastOrder) => void playAll(order));

async function playAll({ cast, target: data }: CastOrder): Promise<void> {
  const target = openTarget(data);
  const tricks = casts[cast];
  const { signal } = new AbortController();
  for (let number = 0; ; number += 1) {
    const trick = tricks[number % tricks.length];
    if (trick === undefined) return;
    const { name } = trick;
    tell({ type: "begins", name });
    const scoreboard = new Scoreboard();
    const play = scoreboard.play(name);
    try {
      await trick.run(target, play, signal);
    } catch (error) {
      if (cutOff.test(errorText(error))) play.note(false);
      else scoreboard.fault(`${name}: ${errorText(error)}`);
    }
    const { counts, faults } = scoreboard;
    const [{ taken, refused } = { taken: 0, refused: 0 }] = counts;
    tell({ type: "ends", name, taken, refused, faults });
    await pause(betweenTricksMs);
  }
}

function tell(message: CastMessage): void {
  process.send?.(message);
}
