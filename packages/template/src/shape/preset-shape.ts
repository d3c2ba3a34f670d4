import { isTimezone, windowCronProblem, windowsOverlap } from "../cron.ts";
import type {
  NamedValue,
  PrebuildsDefinition,
  PresetDefinition,
  ScheduleDefinition,
} from "../definition.ts";
import { maxInstances, maxParameters, maxWindows } from "../limits.ts";
import { quote } from "../quote.ts";
import { description, icon, line } from "./common-fields.ts";
import { list } from "./list-shape.ts";
import { object, record } from "./map-shape.ts";
import { parameterValue } from "./parameter-shape.ts";
import { boolean, duration, integer } from "./scalar-shape.ts";
import {
  optional,
  optionalMap,
  refine,
  required,
  type Shape,
  transform,
  withDefault,
  withExample,
} from "./shape.ts";
import { text } from "./text-shape.ts";

const instances = integer({ min: 0, max: maxInstances });

const schedule: Shape<ScheduleDefinition> = refine(
  object({
    timezone: required(
      withExample("Time zone of the windows, by its IANA name.", "Europe/Berlin"),
      text({
        maxLength: 64,
        problem: (name) =>
          isTimezone(name)
            ? undefined
            : `found the time zone ${quote(name)}, wanted an IANA name such as Europe/Berlin`,
      }),
    ),
    windows: required(
      "Time windows with a different number of waiting workspaces. They must not overlap.",
      list(
        object({
          cron: required(
            withExample(
              "Cron expression of the minutes in the window: `*`, hour, day of month, month, day of week.",
              "* 8-18 * * 1-5",
            ),
            text({
              maxLength: 128,
              problem: windowCronProblem,
            }),
          ),
          instances: required(
            withExample("Number of workspaces that wait during the window.", 5),
            instances,
          ),
        }),
        { max: maxWindows, min: 1 },
      ),
    ),
  }),
  ({ windows }, location, reader) => {
    for (const [index, window] of windows.entries()) {
      const earlier = windows.findIndex((other) => windowsOverlap(other.cron, window.cron));
      if (earlier >= index) continue;
      const at = reader.child(location, "windows", index, "cron");
      reader.report(
        at,
        `overlaps with windows[${earlier}], ${quote(windows[earlier]?.cron ?? "")}`,
      );
    }
  },
);

const prebuilds: Shape<PrebuildsDefinition> = transform(
  object({
    instances: required(withExample("Number of workspaces that wait.", 2), instances),
    expire_after: withDefault(
      withExample("Age at which a waiting workspace is replaced; `0s` for never.", "1d"),
      duration({ min: 0, max: 365 * 86_400 }),
      0,
      "0s",
    ),
    schedule: optional("Time windows with a different number of waiting workspaces.", schedule),
  }),
  (fields) => ({
    instances: fields.instances,
    expireAfterSeconds: fields.expire_after,
    schedule: fields.schedule,
  }),
);

const values: Shape<readonly NamedValue[]> = transform(
  record(parameterValue, {
    keys: { pattern: "", wanted: "the name of a parameter" },
    max: maxParameters,
  }),
  (entries) => entries.map(([name, value]) => ({ name, value })),
);

/** A preset, keyed by name. The template's own check decides whether its values fit. */
export const preset: Shape<PresetDefinition> = transform(
  object({
    display_name: optional(
      withExample(
        "Name that people see (default: the name of the preset).",
        "Large, ready at once",
      ),
      line,
    ),
    description: withDefault(
      withExample("Longer explanation.", "For builds of the whole project."),
      description,
      "",
    ),
    icon,
    default: withDefault(
      "True if the preset applies when users choose none. At most one preset is the default.",
      boolean,
      false,
    ),
    parameters: optionalMap(
      withExample("Values of parameters, by name.", { size: "large" }),
      values,
    ),
    prebuilds: optional("Pool of running workspaces that wait for an owner.", prebuilds),
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
