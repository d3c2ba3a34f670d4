import { expect, it } from "vitest";

import { claimSteps } from "./claim-steps.ts";

it("measures each step from the claim, and leaves open what has not happened", () => {
  const steps = claimSteps({
    claimed_at: "2026-01-01T00:00:00.000Z",
    reinit_sent_at: "2026-01-01T00:00:00.020Z",
    reinit_received_at: null,
    ready_at: "2026-01-01T00:00:01.500Z",
  });
  expect(steps.map(({ afterMs }) => afterMs)).toEqual([20, undefined, 1500]);
});
