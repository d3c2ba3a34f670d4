import type { TemplateUsers } from "@slipway/api";

import type { Queryable } from "../../platform/db/database.ts";
import { invalidField } from "../../platform/errors/errors.ts";
import { selectUsersByDay } from "./queries.ts";
import { requireTemplate } from "./service.ts";

/** The number of days over which users are counted. */
const days = 60;

/** Reads the number of people who used workspaces of a template, for each day with any. */
export async function readTemplateUsers(
  db: Queryable,
  templateId: string,
  tzOffset: string | undefined,
): Promise<TemplateUsers> {
  const template = await requireTemplate(db, templateId);
  const offsetHours = readOffset(tzOffset ?? "");
  const entries = await selectUsersByDay(db, template.id, { days, offsetHours });
  return { tz_hour_offset: offsetHours, entries };
}

function readOffset(text: string): number {
  if (text === "") return 0;
  const hours = /^[+-]?\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  if (hours >= -12 && hours <= 14) return hours;
  throw invalidField("tz_offset", `must be an integer from -12 to 14, found "${text}"`);
}
