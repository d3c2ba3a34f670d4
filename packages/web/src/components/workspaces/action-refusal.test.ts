import { describe, expect, it } from "vitest";

import { type ActionSubject, actionRefusal, type WorkspaceAction } from "./action-refusal.ts";

type Status = ActionSubject["latest_build"]["status"];

function subject(status: Status, changes: Partial<ActionSubject> = {}): ActionSubject {
  return {
    outdated: false,
    template_allow_user_cancel_workspace_jobs: true,
    latest_build: { status },
    ...changes,
  };
}

const member = { mayWriteTemplates: false };

it.each<[Status, readonly WorkspaceAction[]]>([
  ["running", ["stop", "restart", "delete"]],
  ["stopped", ["start", "delete"]],
  ["failed", ["start", "stop", "restart", "delete"]],
  ["starting", ["cancel"]],
  ["canceling", []],
  ["deleted", []],
])("offers for a %s workspace %j", (status, wanted) => {
  const all = ["start", "stop", "restart", "update", "delete", "cancel"] as const;
  const possible = all.filter(
    (action) => actionRefusal(action, subject(status), member) === undefined,
  );
  expect(possible).toEqual(wanted);
});

it("updates only an outdated workspace", () => {
  expect(actionRefusal("update", subject("stopped", { outdated: true }), member)).toBeUndefined();
});

describe("where a template does not allow canceling", () => {
  const building = subject("starting", { template_allow_user_cancel_workspace_jobs: false });

  it("cancels only for those who write templates", () => {
    expect(actionRefusal("cancel", building, member)).toContain("does not allow");
    expect(actionRefusal("cancel", building, { mayWriteTemplates: true })).toBeUndefined();
  });
});
