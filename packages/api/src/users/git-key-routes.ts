import { defineRoute } from "../contract/route.ts";
import { GitKey } from "./git-key.ts";
import { UserParams } from "./routes.ts";

export const getGitKey = defineRoute({
  method: "GET",
  path: "/users/:user/gitsshkey",
  summary: "Get the public key with which a user's workspaces use git",
  scopes: ["user:read_personal"],
  params: UserParams,
  response: GitKey,
});

export const regenerateGitKey = defineRoute({
  method: "PUT",
  path: "/users/:user/gitsshkey",
  summary: "Replace the key with which a user's workspaces use git",
  scopes: ["user:update_personal"],
  params: UserParams,
  response: GitKey,
});
