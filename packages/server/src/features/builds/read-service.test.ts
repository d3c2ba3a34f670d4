import { describe, expect, it } from "vitest";

import { buildStatus } from "./read-service.ts";

describe("buildStatus", () => {
  it.each([
    ["pending", "start", "pending"],
    ["pending", "delete", "pending"],
    ["running", "start", "starting"],
    ["running", "stop", "stopping"],
    ["running", "delete", "deleting"],
    ["succeeded", "start", "running"],
    ["succeeded", "stop", "stopped"],
    ["succeeded", "delete", "deleted"],
    ["canceling", "start", "canceling"],
    ["canceled", "stop", "canceled"],
    ["failed", "delete", "failed"],
    ["unknown", "start", "failed"],
  ] as const)("a job that is %s makes a %s build %s", (job, transition, status) => {
    expect(buildStatus(job, transition)).toBe(status);
  });
});
