import { isTimezone, parseWindowCron, windowsOverlap } from "../cron.ts";
import type {
  NamedValue,
  PrebuildsDefinition,
  PresetDefinition,
  ScheduleDefinition,
} from "../definition.ts";
import { maxInstances, maxParameters, maxWindows } from "../limits.ts";
import { quoted } from "../quoted.ts";
import { description, icon, line } from "./common-text.ts";
import { list } from "./list-shape.ts";
import { object, record } from "./map-shape.ts";
import { parameterValue } from "./parameter-shape.ts";
import { duration, flag, integer } from "./scalar-shape.ts";
import { checked, mapped, optional, required, type Shape, withDefault } from "./shape.ts";
import { text } from "./text-shape.ts";

const instances = integer({ min: 0, max: maxInstances });

const schedule: Shape<ScheduleDefinition> = checked(
  object({
    timezone: required(
      "The IANA name of the time zone of the windows.",
      text({
        maxLength: 64,
        problem: (name) =>
          isTimezone(name)
            ? undefined
            : `found the time zone ${quoted(name)}, wanted an IANA name such as Europe/Berlin`,
        schema: { examples: ["Europe/Berlin", "UTC"] },
      }),
    ),
    windows: required(
      "Windows of time with another number of instances. They must not overlap.",
      list(
        object({
          cron: required(
            "The minutes that belong to it: *, hour, day of month, month, day of week.",
            text({
              maxLength: 128,
              problem: (value) => {
                const parsed = parseWindowCron(value);
                return "problem" in parsed ? parsed.problem : undefined;
              },
              schema: { examples: ["* 8-18 * * 1-5"] },
            }),
          ),
          instances: required("How many prebuilds wait during it.", instances),
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
    instances: required("How many prebuilds wait.", instances),
    expire_after: withDefault(
      "After which time a waiting prebuild is replaced; 0s: never.",
      duration({ min: 0, max: 365 * 86_400 }),
      0,
      "0s",
    ),
    schedule: optional("Windows of time with another number of instances.", schedule),
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

/** A preset, under its name. Whether its values fit is for the template's own check. */
export const preset: Shape<PresetDefinition> = mapped(
  object({
    display_name: optional("What people see; the name if absent.", line),
    description: withDefault("More about it.", description, ""),
    icon: withDefault("A path such as /icon/code.svg or an address.", icon, ""),
    default: withDefault(
      "Whether it is chosen where people choose nothing; of one preset at most.",
      flag,
      false,
    ),
    parameters: withDefault("Values of parameters by name.", values, [], {}),
    prebuilds: optional("A pool of workspaces that wait for an owner.", prebuilds),
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
