/** The argument that names one workspace or several. */
export const workspacesArgument = {
  summary: "name, owner/name or id of a workspace; several are processed in order",
  required: true,
  variadic: true,
  completion: "workspace",
} as const;

/** The argument that names a workspace. */
export const workspaceArgument = {
  summary: "name, owner/name or id of a workspace",
  required: true,
  completion: "workspace",
} as const;
