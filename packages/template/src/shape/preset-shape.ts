import { isTimezone, parseWindowCron, windowsOverlap } from "../cron.ts";
import type {
  NamedValue,
  PrebuildsDefinition,
  PresetDefinition,
  ScheduleDefinition,
} from "../definition.ts";
import { maxInstances, maxParameters, maxWindows } from "../limits.ts";
import { quoted } from "../quoted.ts";
import { description, icon, iconMeaning, line } from "./common-text.ts";
import { list } from "./list-shape.ts";
import { object, record } from "./map-shape.ts";
import { parameterValue } from "./parameter-shape.ts";
import { duration, flag, integer } from "./scalar-shape.ts";
import { about, checked, mapped, optional, required, type Shape, withDefault } from "./shape.ts";
import { text } from "./text-shape.ts";

const instances = integer({ min: 0, max: maxInstances });

const schedule: Shape<ScheduleDefinition> = checked(
  object({
    timezone: required(
      about("Time zone of the windows, by its IANA name.", "Europe/Berlin"),
      text({
        maxLength: 64,
        problem: (name) =>
          isTimezone(name)
            ? undefined
            : `found the time zone ${quoted(name)}, wanted an IANA name such as Europe/Berlin`,
      }),
    ),
    windows: required(
      "Times at which another number of workspaces waits. They must not overlap.",
      list(
        object({
          cron: required(
            about(
              "Cron expression of the minutes in the window: `*`, hour, day of month, month, day of week.",
              "* 8-18 * * 1-5",
            ),
            text({
              maxLength: 128,
              problem: (value) => {
                const parsed = parseWindowCron(value);
                return "problem" in parsed ? parsed.problem : undefined;
              },
            }),
          ),
          instances: required(
            about("Number of workspaces that wait during the window.", 5),
            instances,
          ),
        }),
        { max: maxWindows, min: 1 },
      ),
    ),
  }),
  ({ windows }, place, reader) => {
    for (const [index, window] of windows.entries()) {
      const earlier = windows.findIndex((other) => windowsOverlap(other.cron, window.cron));
      if (earlier >= index) continue;
      const at = reader.child(reader.item(reader.child(place, "windows"), index), "cron");
      reader.report(
        at,
        `overlaps with windows[${earlier}], ${quoted(windows[earlier]?.cron ?? "")}, wanted windows apart`,
      );
    }
  },
);

const prebuilds: Shape<PrebuildsDefinition> = mapped(
  object({
    instances: required(about("Number of workspaces that wait.", 2), instances),
    expire_after: withDefault(
      about("Age at which a waiting workspace is replaced; `0s` for never.", "1d"),
      duration({ min: 0, max: 365 * 86_400 }),
      0,
      "0s",
    ),
    schedule: optional("Other numbers of waiting workspaces at certain times.", schedule),
  }),
  (fields) => ({
    instances: fields.instances,
    expireAfterSeconds: fields.expire_after,
    schedule: fields.schedule,
  }),
);

const values: Shape<readonly NamedValue[]> = mapped(
  record(parameterValue, {
    keys: { pattern: "", wanted: "the name of a parameter" },
    max: maxParameters,
  }),
  (entries) => entries.map(([name, value]) => ({ name, value })),
);

/** A preset, under its name. The template's own check decides whether its values fit. */
export const preset: Shape<PresetDefinition> = mapped(
  object({
    display_name: optional(
      about("Name that people see (default: the name of the preset).", "Large, ready at once"),
      line,
    ),
    description: withDefault(
      about("Longer explanation.", "For builds of the whole project."),
      description,
      "",
    ),
    icon: withDefault(iconMeaning, icon, ""),
    default: withDefault(
      "Whether the preset applies when people choose none. At most one preset is the default.",
      flag,
      false,
    ),
    parameters: withDefault(
      about("Values of parameters, by name.", { size: "large" }),
      values,
      [],
      {},
    ),
    prebuilds: optional("Pool of workspaces that run already and wait for an owner.", prebuilds),
  }),
  (fields, { key }) => ({
    name: key,
    displayName: fields.display_name ?? key,
    description: fields.description,
    icon: fields.icon,
    isDefault: fields.default,
    parameters: fields.parameters,
    prebuilds: fields.prebuilds,
  }),
);
