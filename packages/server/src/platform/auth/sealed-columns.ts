/** A column of secrets encrypted by a `SecretBox`, and the key of its table. */
export interface SealedColumn {
  readonly table: string;
  readonly id: string;
  readonly column: string;
  /** True if rows marked as deleted stay in the table, where nothing reads their secrets. */
  readonly keepsDeleted: boolean;
  /**
   * The treatment of a secret whose key is lost for good: its row is deleted, because a new secret replaces it at its
   * next use, or only the secret is emptied.
   */
  readonly whenLost: "delete-row" | "empty";
}

/** All encrypted columns. A new one is named `…_encrypted` and added here. */
export const sealedColumns: readonly SealedColumn[] = [
  // A running agent is known by its token's hash.
  agent("auth_token_encrypted"),
  { ...replaceable("workspace_builds", "id", "driver_state_encrypted"), whenLost: "empty" },
  replaceable("git_ssh_keys", "user_id", "private_key_encrypted"),
  replaceable("relay_mesh_keys", "id", "key_encrypted"),
  replaceable("external_auth_links", "id", "tokens_encrypted"),
  replaceable("login_tests", "owner_id", "result_encrypted"),
  // The identity itself stays.
  { ...replaceable("user_identities", "id", "details_encrypted"), whenLost: "empty" },
];

function agent(column: string): SealedColumn {
  return { table: "workspace_agents", id: "id", column, keepsDeleted: true, whenLost: "empty" };
}

function replaceable(table: string, id: string, column: string): SealedColumn {
  return { table, id, column, keepsDeleted: false, whenLost: "delete-row" };
}
