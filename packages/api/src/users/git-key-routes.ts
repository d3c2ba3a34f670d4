import { defineRoute } from "../contract/route.ts";
import { GitKey } from "./git-key.ts";
import { UserParams } from "./routes.ts";

export const getGitKey = defineRoute({
  method: "GET",
  path: "/users/:user/gitsshkey",
  summary: "Get a user's public Git SSH key",
  scopes: ["user:read_personal"],
  params: UserParams,
  response: GitKey,
});

export const regenerateGitKey = defineRoute({
  method: "PUT",
  path: "/users/:user/gitsshkey",
  summary: "Regenerate a user's Git SSH key",
  scopes: ["user:update_personal"],
  params: UserParams,
  response: GitKey,
});
