import { constants, setPriority } from "node:os";
import { setTimeout as pause } from "node:timers/promises";

import { errorText } from "@slipway/runtime";

import { casts } from "./casts.ts";
import type { CastName } from "./options.ts";
import { Scoreboard } from "./scoreboard.ts";
import { openTarget, type TargetData } from "./target.ts";

/*
 * One group of hostile ones, in a process of its own until its parent ends it. They would be elsewhere, so it has the
 * lowest priority here: the time that they compute is not the server's.
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

/** The pause between two tricks: the machine is shared. */
const betweenTricksMs = 250;

/** A refused or cut session or request is the aim of a trick. */
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
