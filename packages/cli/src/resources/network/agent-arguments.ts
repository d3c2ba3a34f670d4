/** The argument that names an agent of a workspace. */
export const agentArgument = {
  summary: "[owner/]workspace[.agent]; the agent can be left out if there is only one",
  required: true,
  completion: "workspace",
} as const;
