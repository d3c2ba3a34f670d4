/** The argument that names a workspace. */
export const workspaceArgument = {
  summary: "name, owner/name or id of a workspace",
  required: true,
  completes: "workspace",
} as const;
