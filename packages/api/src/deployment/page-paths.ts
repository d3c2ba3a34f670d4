/**
 * The addresses of the dashboard's pages, which are also those that stock clients open and print
 * (docs/protocol/clients.md §1.2). The server answers them with the dashboard; `:name` is one part of a path, and `*`
 * the rest of it.
 */
export const pagePaths = [
  "/",
  "/login",
  "/login/device",
  "/setup",
  "/cli-auth",
  "/workspaces",
  "/workspaces/new",
  "/@:owner/:workspace",
  "/@:owner/:workspace/*",
  "/templates",
  "/templates/*",
  "/pools",
  "/inbox",
  "/settings",
  "/settings/*",
  "/users",
  "/audit",
  "/connectionlog",
  "/provisioners",
  "/health",
  "/deployment",
  "/design",
] as const;
