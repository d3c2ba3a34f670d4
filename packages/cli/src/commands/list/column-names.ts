/** Columns of workspace lists, with the names that `coder` gives them. */
export const workspaceColumnNames = [
  "workspace",
  "template",
  "status",
  "healthy",
  "last built",
  "outdated",
  "current version",
  "starts at",
  "starts next",
  "stops after",
  "stops next",
  "favorite",
  "organization name",
  "organization id",
  "daily cost",
] as const;
