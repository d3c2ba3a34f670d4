import { type RawBuilder, sql } from "kysely";

/**
 * Returns a condition that every id fulfills, for a list that rows are updated from: the planner then expects it to be
 * short and looks the rows up by their index. A plan made while the table is small would otherwise read all of it, and
 * be kept after it has grown (`force_generic_plan`).
 */
export function isOneOfFew(id: string): RawBuilder<boolean> {
  const [first, last] = [
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
  ];
  return sql<boolean>`${sql.ref(id)} between ${sql.lit(first)} and ${sql.lit(last)}`;
}
