import { parseScriptCron, scriptCronProblem } from "../cron.ts";
import type { MetadataDefinition, ScriptDefinition } from "../definition.ts";
import { maxLineLength } from "../limits.ts";
import { command, icon, order, renderedLine } from "./common-fields.ts";
import { choices } from "./list-shape.ts";
import { object } from "./map-shape.ts";
import { boolean, duration } from "./scalar-shape.ts";
import {
  optional,
  refine,
  required,
  type Shape,
  transform,
  withDefault,
  withExample,
} from "./shape.ts";
import { choice, text } from "./text-shape.ts";

const day = 86_400;
const events = ["start", "stop"] as const;

const cron = text({
  maxLength: 128,
  problem: scriptCronProblem,
});

/** A script of an agent, by key. */
export const script: Shape<ScriptDefinition> = transform(
  refine(
    object({
      display_name: optional(
        withExample(
          "Name that people see (default: the key). May contain expressions.",
          "Install the tools",
        ),
        renderedLine,
      ),
      icon,
      run_on: withDefault(
        withExample("Events at which the agent runs the script.", ["start"]),
        choices(choice(events, "; for a schedule use the key `cron` of the script"), events),
        [],
      ),
      cron: optional(
        withExample(
          "Cron expression of the times at which the agent runs the script: minute, hour, day of month, month, day of week; with six fields, seconds come first.",
          "0 3 * * *",
        ),
        cron,
      ),
      blocks_login: withDefault(
        "True if clients wait for the script before they log in. Only for scripts that run on start.",
        boolean,
        false,
      ),
      timeout: withDefault(
        withExample("Time after which the script is killed; `0s` for never.", "5m"),
        duration({ min: 0, max: day }),
        0,
        "0s",
      ),
      run: required(
        withExample(
          "Script for the shell, or for the interpreter of its `#!` line. May contain expressions except `parameters.*`, `owner.name` and `owner.email`, which would run as code: pass those in `env`.",
          "make setup",
        ),
        command,
      ),
      log_path: withDefault(
        withExample(
          "Log file of the script in the workspace (default: one that the agent chooses).",
          "~/setup.log",
        ),
        text({ maxLength: maxLineLength }),
        "",
      ),
    }),
    (fields, location, reader) => {
      if (fields.run_on.length === 0 && fields.cron === undefined) {
        reader.reportKey(
          location,
          "never runs: found neither `run_on` nor `cron`, wanted one of them",
        );
      }
      if (fields.blocks_login && !fields.run_on.includes("start")) {
        reader.report(
          reader.child(location, "blocks_login"),
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

/** A value of the workspace that is measured repeatedly, by key. `order` is -1 by default. */
export const metadata: Shape<MetadataDefinition> = transform(
  object({
    display_name: optional(
      withExample("Name that people see (default: the key). May contain expressions.", "CPU usage"),
      renderedLine,
    ),
    interval: withDefault(
      withExample("Time between two measurements.", "1m"),
      duration({ min: 1, max: day }),
      10,
      "10s",
    ),
    timeout: optional(
      withExample("Time after which one measurement is killed (default: the interval).", "5s"),
      duration({ min: 1, max: day }),
    ),
    run: required(
      withExample(
        "Command whose output is the value. May contain the same expressions as the `run` of scripts.",
        "slipway stat cpu",
      ),
      command,
    ),
    order,
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
