import { capabilitiesOf, driversWith } from "@slipway/drivers";
import type { TemplateDefinition } from "@slipway/template";
import { type RawBuilder, sql } from "kysely";

/** Returns whether people start agents of a version by hand, or of one of its workspaces for some values of its parameters. */
export function declaresExternalAgents(
  definition: Pick<TemplateDefinition, "driver" | "hasExternalAgents"> | null,
): boolean {
  if (definition === null) return false;
  return definition.hasExternalAgents ?? capabilitiesOf(definition.driver).hasExternalAgents;
}

const drivers = sql.join(driversWith("hasExternalAgents").map((driver) => sql.lit(driver)));

/** Returns the SQL condition for `declaresExternalAgents`; `definition` is the column of a version's definition. */
export function hasDeclaredExternalAgents(definition: string): RawBuilder<boolean> {
  const column = sql.ref(definition);
  return sql<boolean>`coalesce((${column} ->> 'hasExternalAgents')::boolean,
    ${column} ->> 'driver' in (${drivers}), false)`;
}
