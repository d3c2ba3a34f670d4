import { agentHoles } from "./authorization/agents.ts";
import { templateHoles } from "./authorization/templates.ts";
import { tokenHoles } from "./authorization/tokens.ts";
import { userHoles } from "./authorization/users.ts";
import { workspaceHoles } from "./authorization/workspaces.ts";
import type { Mutant } from "./mutant.ts";

/** Holes in authorization: each must be found by its tests alone. */
export const authorization: readonly Mutant[] = [
  ...userHoles,
  ...tokenHoles,
  ...workspaceHoles,
  ...templateHoles,
  ...agentHoles,
];
