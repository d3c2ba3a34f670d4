/** A column of secrets encrypted by a `SecretBox`, and the key of its table. */
export interface SealedColumn {
  readonly table: string;
  readonly id: string;
  readonly column: string;
}

/** All encrypted columns. A new one is named `…_encrypted` and added here. */
export const sealedColumns: readonly SealedColumn[] = [
  { table: "workspace_agents", id: "id", column: "auth_token_encrypted" },
  { table: "git_ssh_keys", id: "user_id", column: "private_key_encrypted" },
  { table: "relay_mesh_keys", id: "id", column: "key_encrypted" },
  { table: "external_auth_links", id: "id", column: "tokens_encrypted" },
];
