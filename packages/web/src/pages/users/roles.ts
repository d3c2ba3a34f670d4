/** The permissions of each role, for the people who assign them. */
export const roleMeanings: Readonly<Record<string, string>> = {
  owner: "Everything, including all users' workspaces.",
  "template-admin": "Push, edit and delete templates; see every workspace, pool and user.",
  "user-admin": "Create users; change, suspend and delete users without a role.",
  auditor: "See every user, the audit trail and the connection log.",
  member: "Create and use their own workspaces. Every user is a member.",
};
