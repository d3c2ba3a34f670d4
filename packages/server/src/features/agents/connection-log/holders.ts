/** How the name of whoever holds addresses and keys in the network begins, by what it is; an id follows. */
export const holderPrefixes = {
  user: "user:",
  server: "server:",
  workspace: "workspace:",
} as const;
