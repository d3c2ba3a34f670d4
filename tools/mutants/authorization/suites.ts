/** Every route by every caller: the table of statuses. */
export const statuses = {
  project: "db",
  files: ["packages/server/tests/authorization.test.ts"],
} as const;

/** The lists, for every caller. */
export const lists = {
  project: "db",
  files: ["packages/server/tests/authorization-lists.test.ts"],
} as const;

/** Every route that takes an upgrade by every caller, as a socket. */
export const sockets = {
  project: "db",
  files: ["packages/server/tests/authorization-sockets.test.ts"],
} as const;

/** Every RPC of an agent about its own things and those of others. */
export const rpcs = {
  project: "db",
  files: ["packages/server/tests/authorization-rpc.test.ts"],
} as const;

/** The access of limited tokens, and the lifetime of tokens. */
export const tokens = {
  project: "db",
  files: ["packages/server/tests/token-scopes.test.ts", "packages/server/tests/tokens.test.ts"],
} as const;

/** The requests that clients and agents may make of the coordinator. */
export const coordination = {
  project: "db",
  files: ["packages/server/tests/coordination.test.ts"],
} as const;
