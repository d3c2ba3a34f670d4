import type { Queryable } from "../db/database.ts";
import { selectOtherPrefixes } from "./rotation-queries.ts";
import { sealedColumns } from "./sealed-columns.ts";
import { keyIdOf, type SecretBox } from "./secret-box.ts";

/** Returns the ids of keys that encrypted secrets in use and that the box does not have. */
export async function findMissingKeys(
  db: Queryable,
  secrets: Pick<SecretBox, "prefixes">,
): Promise<readonly string[]> {
  const { prefixes } = secrets;
  const others: Buffer[] = [];
  for (const column of sealedColumns) {
    others.push(...(await selectOtherPrefixes(db, column, prefixes)));
  }
  return [...new Set(others.map(keyIdOf))].toSorted();
}
