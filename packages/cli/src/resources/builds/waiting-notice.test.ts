import type { ProvisionerJob } from "@slipway/api/jobs/job";
import { expect, it } from "vitest";

import { waitingNotice } from "./waiting-notice.ts";

const usual = { owner: "", scope: "organization" };
const none = { count: 1, available: 0, most_recently_seen: null };

function job(
  status: ProvisionerJob["status"],
  tags: Readonly<Record<string, string>>,
): ProvisionerJob {
  const id = "0f8fad5b-d9cb-469f-a165-70867728950e";
  return {
    id,
    created_at: "2026-07-24T05:20:02Z",
    status,
    file_id: id,
    tags: { ...usual, ...tags },
    queue_position: 0,
    queue_size: 0,
    organization_id: id,
    initiator_id: id,
    input: {},
    type: "workspace_build",
    metadata: {
      template_version_name: "",
      template_id: id,
      template_name: "",
      template_display_name: "",
      template_icon: "",
    },
    logs_overflowed: false,
  };
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
