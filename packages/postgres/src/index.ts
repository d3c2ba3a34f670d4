export { allowAccess, systemAccount } from "./account.ts";
export { findBinaries } from "./binaries.ts";
export { openEmbeddedPostgres } from "./embedded-postgres.ts";
export type { EmbeddedPostgres } from "./embedded-postgres.ts";
export { EmbeddedPostgresError } from "./errors.ts";
export { findEmbeddedPostgres, hasEmbeddedPostgres } from "./find-embedded-postgres.ts";
export { startPostmaster } from "./start-postmaster.ts";
