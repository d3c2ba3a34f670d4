import { ProvisionerJob } from "@slipway/api/jobs/job";
import { describe, expect, it } from "vitest";

import { createValidator } from "../fields/validation.ts";
import type { JobRow } from "./queries.ts";
import { jobJson, jobStatus } from "./service.ts";

const id = "0f8fad5b-d9cb-469f-a165-70867728950e";
const at = "2026-07-24T05:20:02Z";

const row: JobRow = {
  id,
  type: "workspace_build",
  organization_id: id,
  initiator_id: id,
  file_id: id,
  template_version_id: null,
  workspace_build_id: id,
  worker_id: null,
  error: null,
  error_code: null,
  tags: {},
  created_at: at,
  started_at: null,
  canceled_at: null,
  completed_at: null,
  queue: null,
};

describe("jobStatus", () => {
  const none = { started_at: null, completed_at: null, canceled_at: null, error: null };
  it.each([
    ["pending", none],
    ["running", { ...none, started_at: at }],
    ["succeeded", { ...none, started_at: at, completed_at: at }],
    ["failed", { ...none, started_at: at, completed_at: at, error: "broken" }],
    ["canceling", { ...none, started_at: at, canceled_at: at }],
    ["canceled", { ...none, canceled_at: at, completed_at: at }],
    ["canceled", { ...none, canceled_at: at, completed_at: at, error: "canceled" }],
  ])("is %s", (status, times) => {
    expect(jobStatus(times)).toBe(status);
  });
});

describe("jobJson", () => {
  it("fits the contract and leaves out what is not there", () => {
    const check = createValidator().compile(ProvisionerJob);
    const waiting = jobJson(row);
    const failed = jobJson({
      ...row,
      worker_id: id,
      started_at: at,
      completed_at: at,
      error: "broken",
      error_code: "E",
      template_version_id: id,
    });
    for (const json of [waiting, failed]) {
      check(json);
      expect(check.errors ?? []).toEqual([]);
    }
    expect(Object.keys(waiting).filter((key) => /_at$|^error|^worker/.test(key))).toEqual([
      "created_at",
    ]);
    expect(waiting.input).toEqual({ workspace_build_id: id });
    expect(failed).toMatchObject({ status: "failed", error: "broken", worker_id: id });
  });
});
