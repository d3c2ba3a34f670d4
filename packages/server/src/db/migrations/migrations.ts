import type { Migration } from "kysely/migration";

import { up as foundation } from "./0001-foundation.ts";

/** All migrations by name, in the order of their names. A merged one is never edited. */
export const migrations: Readonly<Record<string, Migration>> = {
  "0001-foundation": { up: foundation },
};
