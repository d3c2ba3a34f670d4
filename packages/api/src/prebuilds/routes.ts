import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { oneOf, Uuid } from "../contract/scalars.ts";
import { InvalidatedPresets, PrebuildPool, PrebuildsSettings } from "./pool.ts";

export const getPrebuildsSettings = defineRoute({
  method: "GET",
  path: "/prebuilds/settings",
  summary: "Get the prebuild settings",
  response: PrebuildsSettings,
});

export const updatePrebuildsSettings = defineRoute({
  method: "PUT",
  path: "/prebuilds/settings",
  summary: "Pause or resume the reconciliation of prebuild pools",
  body: PrebuildsSettings,
  mayBeUnchanged: true,
  response: PrebuildsSettings,
});

export const listPrebuildPools = defineRoute({
  method: "GET",
  path: "/prebuilds/pools",
  summary: "List prebuild pools and their state",
  response: Type.Array(PrebuildPool),
});

export const invalidatePrebuilds = defineRoute({
  method: "POST",
  path: "/templates/:template/prebuilds/invalidate",
  summary: "Replace the unclaimed prebuilds of a template's active version",
  scopes: ["template:update"],
  params: Type.Object({ template: Type.String() }),
  response: InvalidatedPresets,
});

export const agentReinit = defineRoute({
  method: "GET",
  path: "/workspaceagents/me/reinit",
  summary: "Wait until a prebuilt workspace is claimed",
  caller: "agent",
  kind: "event-stream",
  query: Type.Object({ wait: Type.Optional(Type.String()) }),
  response: Type.Object({
    workspace_id: Uuid,
    reason: oneOf("prebuild_claimed"),
    owner_id: Uuid,
  }),
});
