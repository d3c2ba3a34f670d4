import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { InvalidatedPresets, PrebuildPool, PrebuildsSettings } from "./pool.ts";

export const getPrebuildsSettings = defineRoute({
  method: "GET",
  path: "/prebuilds/settings",
  summary: "Tell whether pools are filled",
  response: PrebuildsSettings,
});

export const updatePrebuildsSettings = defineRoute({
  method: "PUT",
  path: "/prebuilds/settings",
  summary: "Pause or resume the filling of pools",
  body: PrebuildsSettings,
  mayBeUnchanged: true,
  response: PrebuildsSettings,
});

export const listPrebuildPools = defineRoute({
  method: "GET",
  path: "/prebuilds/pools",
  summary: "List the pools of prebuilds and how full they are",
  response: Type.Array(PrebuildPool),
});

export const invalidatePrebuilds = defineRoute({
  method: "POST",
  path: "/templates/:template/prebuilds/invalidate",
  summary: "Replace the waiting prebuilds of the active version of a template",
  scopes: ["template:update"],
  params: Type.Object({ template: Type.String() }),
  response: InvalidatedPresets,
});
