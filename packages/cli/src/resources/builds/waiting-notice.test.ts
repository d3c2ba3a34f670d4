import type { ProvisionerJob } from "@slipway/api/jobs/job";
import { expect, it } from "vitest";

import { sampleBuild } from "../../../tests/support/sample-workspace.ts";
import { waitingNotice } from "./waiting-notice.ts";

const usual = { owner: "", scope: "organization" };
const none = { count: 1, available: 0, most_recently_seen: null };

function job(
  status: ProvisionerJob["status"],
  tags: Readonly<Record<string, string>>,
): ProvisionerJob {
  return { ...sampleBuild.job, status, tags: { ...usual, ...tags } };
}

it("names the tags that no connected provisioner has", () => {
  const waiting = {
    job: job("pending", { size: "big", region: "e\u001bu" }),
    matched_provisioners: none,
  };
  expect(waitingNotice(waiting)).toMatch(
    /no provisioner with the tags region=e.* size=big is connected/,
  );
  expect(waitingNotice(waiting)).not.toContain("\u001b");
});

it("is silent about jobs that run, that somebody can take, and that are for servers", () => {
  const tags = { region: "eu" };
  const one = { ...none, available: 1 };
  for (const quiet of [
    { job: job("running", tags), matched_provisioners: none },
    { job: job("pending", tags), matched_provisioners: one },
    { job: job("pending", {}), matched_provisioners: none },
    { job: job("pending", tags) },
  ]) {
    expect(waitingNotice(quiet)).toBeUndefined();
  }
});
