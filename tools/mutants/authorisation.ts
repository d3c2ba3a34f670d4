import { agentHoles } from "./authorisation/agents.ts";
import { people } from "./authorisation/people.ts";
import { templateHoles } from "./authorisation/templates.ts";
import { tokenHoles } from "./authorisation/tokens.ts";
import { workspaceHoles } from "./authorisation/workspaces.ts";
import type { Mutant } from "./mutant.ts";

/** Holes in authorization: each must be found by its tests alone. */
export const authorisation: readonly Mutant[] = [
  ...people,
  ...tokenHoles,
  ...workspaceHoles,
  ...templateHoles,
  ...agentHoles,
];
