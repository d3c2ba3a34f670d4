import { parseScriptCron } from "../cron.ts";
import type { MetadataDefinition, ScriptDefinition } from "../definition.ts";
import { maxLineLength } from "../limits.ts";
import { command, icon, renderedLine } from "./common-text.ts";
import { choices } from "./list-shape.ts";
import { object } from "./map-shape.ts";
import { duration, flag, integer } from "./scalar-shape.ts";
import { checked, mapped, optional, required, type Shape, withDefault } from "./shape.ts";
import { choice, text } from "./text-shape.ts";

const day = 86_400;
const moments = ["start", "stop"] as const;

const cron = text({
  maxLength: 128,
  problem: (value) => {
    const parsed = parseScriptCron(value);
    return "problem" in parsed ? parsed.problem : undefined;
  },
  schema: { examples: ["0 3 * * *"] },
});

/** A script of an agent, under its key. */
export const script: Shape<ScriptDefinition> = mapped(
  checked(
    object({
      display_name: optional("What people see; the key if absent.", renderedLine),
      icon: withDefault(
        "A picture for its log: a path such as /icon/code.svg or an address.",
        icon,
        "",
      ),
      run_on: withDefault(
        "When the agent runs it: start, stop or both.",
        choices(choice(moments, "; by the clock is the key `cron` of the script"), moments),
        [],
      ),
      cron: optional(
        "When it runs by the clock: minute, hour, day of month, month, day of week; with six fields the second comes first.",
        cron,
      ),
      blocks_login: withDefault("Whether clients wait for it before they log in.", flag, false),
      timeout: withDefault(
        "After which time it is ended; 0s: never.",
        duration({ min: 0, max: day }),
        0,
        "0s",
      ),
      run: required("The script; ${{ … }} is replaced.", command),
      log_path: withDefault(
        "Its log file in the workspace; the agent chooses one if absent.",
        text({ maxLength: maxLineLength }),
        "",
      ),
    }),
    (fields, place, reader) => {
      if (fields.run_on.length === 0 && fields.cron === undefined) {
        reader.reportKey(
          place,
          "never runs: found neither `run_on` nor `cron`, wanted one of them",
        );
      }
      if (fields.blocks_login && !fields.run_on.includes("start")) {
        reader.report(
          reader.child(place, "blocks_login"),
          "found true for a script that does not run on start, wanted false",
        );
      }
    },
  ),
  (fields, { key }) => ({
    key,
    displayName: fields.display_name ?? key,
    icon: fields.icon,
    runOnStart: fields.run_on.includes("start"),
    runOnStop: fields.run_on.includes("stop"),
    cron: sixFields(fields.cron),
    blocksLogin: fields.blocks_login,
    timeoutSeconds: fields.timeout,
    run: fields.run,
    logPath: fields.log_path,
  }),
);

/** A value of the workspace that is measured again and again, under its key. `order` is -1 where none is given. */
export const metadata: Shape<MetadataDefinition> = mapped(
  object({
    display_name: optional("What people see; the key if absent.", renderedLine),
    interval: withDefault("How often it is measured.", duration({ min: 1, max: day }), 10, "10s"),
    timeout: optional(
      "How long one measurement may take; the interval if absent.",
      duration({ min: 1, max: day }),
    ),
    run: required("The command whose output is the value; ${{ … }} is replaced.", command),
    order: optional(
      "Its place among the others; as in the file if absent.",
      integer({ min: 0, max: 10_000 }),
    ),
  }),
  (fields, { key }) => ({
    key,
    displayName: fields.display_name ?? key,
    intervalSeconds: fields.interval,
    timeoutSeconds: fields.timeout ?? fields.interval,
    run: fields.run,
    order: fields.order ?? -1,
  }),
);

function sixFields(written: string | undefined): string {
  const parsed = written === undefined ? undefined : parseScriptCron(written);
  return parsed !== undefined && "cron" in parsed ? parsed.cron : "";
}
