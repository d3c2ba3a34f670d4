import { setImmediate as nextTurn } from "node:timers/promises";

import * as contract from "@slipway/api";
import { LoopTurn } from "@slipway/runtime";

import type { Routes } from "../../platform/http/routes.ts";

/** The time of a turn of the event loop that the description may take; the whole takes more than a turn may last. */
const maxTurnMs = 2;

/** Adds the description of the API, built from the very routes and schemas that the server validates with. */
export function addOpenApiRoutes(routes: Routes, version: string): void {
  routes.anyoneFixed(contract.getOpenApi, async () => {
    const turn = new LoopTurn(maxTurnMs);
    const steps = contract.describeApiInSteps(contract, version.replace(/^v/, ""));
    for (;;) {
      const step = steps.next();
      if (step.done === true) return { ...step.value };
      if (turn.isOver) await nextTurn();
    }
  });
}
