import { describe, expect, it } from "vitest";

import { readReinitEvent } from "./reinit-event.ts";

const workspaceId = "0967198e-ec7b-4c6b-b4d3-f71244cadbe9";
const ownerId = "8826ee2e-7933-4665-aef2-2393f84a0d05";
const reason = "prebuild_claimed";

describe("readReinitEvent", () => {
  it("reads what servers of each age send", () => {
    const event = { workspaceId, ownerId, reason };
    expect(
      readReinitEvent(JSON.stringify({ workspace_id: workspaceId, reason, owner_id: ownerId })),
    ).toEqual(event);
    expect(readReinitEvent(JSON.stringify({ WorkspaceID: workspaceId, reason }))).toEqual({
      ...event,
      ownerId: undefined,
    });
    expect(readReinitEvent(reason)).toEqual({ workspaceId: undefined, ownerId: undefined, reason });
  });

  it("takes an owner of zeros for none", () => {
    const zero = "00000000-0000-0000-0000-000000000000";
    const data = JSON.stringify({ workspace_id: workspaceId, reason, owner_id: zero });
    expect(readReinitEvent(data)?.ownerId).toBeUndefined();
  });

  it.each(["{}", "null", `{"owner_id":7,"reason":{}}`])(
    "takes %s for an event without news",
    (data) => {
      expect(readReinitEvent(data)).toEqual({
        workspaceId: undefined,
        ownerId: undefined,
        reason: "",
      });
    },
  );

  it.each(["", "claimed", "[]", "7", `"text"`, "{"])("refuses %j", (data) => {
    expect(readReinitEvent(data)).toBeUndefined();
  });
});
