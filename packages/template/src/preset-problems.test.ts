import { describe, it } from "vitest";

import { agent, expectProblem, head, inSchedule } from "../tests/support/template-texts.ts";

describe("problems of presets", () => {
  const parameters = "parameters: { p: { type: number } }\n";
  const preset = (text: string) => `${head}${agent}${parameters}presets:\n  a: ${text}`;
  it.each([
    [
      "an unknown parameter",
      preset("{ parameters: { «q: 1 } }"),
      "presets.a.parameters.q",
      "unknown parameter `q`",
    ],
    [
      "a value that does not fit",
      preset("{ parameters: { p: «x } }"),
      "presets.a.parameters.p",
      "wanted a number",
    ],
    [
      "a second default",
      preset("{ default: true }\n  b: { default: «true }"),
      "presets.b.default",
      "`a` already is the default",
    ],
    [
      "a restart of agents that somebody starts by hand",
      `driver: external\non_claim: «restart\n${agent}`,
      "on_claim",
      "found `restart` with the driver `external`",
    ],
    [
      "an effect of claims that does not exist",
      `${head}on_claim: «stop\n${agent}`,
      "on_claim",
      "wanted one of take-over, restart",
    ],
    [
      "a pool without a required value",
      preset("{ prebuilds: { instances: 1 } }").replace("  a:", "  «a:"),
      "presets.a",
      "missing `p`",
    ],
    [
      "fewer than no prebuilds",
      preset("{ parameters: { p: 1 }, prebuilds: { instances: «-1 } }"),
      "presets.a.prebuilds.instances",
      "from 0 to 1000",
    ],
    [
      "parts of a prebuild",
      preset("{ parameters: { p: 1 }, prebuilds: { instances: «1.5 } }"),
      "presets.a.prebuilds.instances",
      "whole number",
    ],
    [
      "a bad time",
      preset("{ parameters: { p: 1 }, prebuilds: { instances: 1, expire_after: «soon } }"),
      "presets.a.prebuilds.expire_after",
      "whole seconds",
    ],
    [
      "more prebuilds than there may be",
      preset("{ parameters: { p: 1 }, prebuilds: { instances: «1001 } }"),
      "presets.a.prebuilds.instances",
      "from 0 to 1000",
    ],
    [
      "a pool without a number",
      preset("{ parameters: { p: 1 }, «prebuilds: { expire_after: 1h } }"),
      "presets.a.prebuilds",
      "missing key `instances`",
    ],
    [
      "a key of pools that there is not",
      preset("{ parameters: { p: 1 }, prebuilds: { instances: 1, «instnaces: 2 } }"),
      "presets.a.prebuilds.instnaces",
      "instances",
    ],
  ])("says where %s is", (_, text, path, message) => {
    expectProblem(text, path, message);
  });

  const path = "presets.p.prebuilds.schedule";
  it.each([
    [
      "an unknown zone",
      inSchedule('{ timezone: «Berlin, windows: [{ cron: "* 1 * * *", instances: 1 }] }'),
      `${path}.timezone`,
      "IANA",
    ],
    [
      "an offset as zone",
      inSchedule('{ timezone: «"+02:00", windows: [{ cron: "* 1 * * *", instances: 1 }] }'),
      `${path}.timezone`,
      "IANA",
    ],
    ["no windows", inSchedule("{ timezone: UTC, «windows: [] }"), `${path}.windows`, "at least 1"],
    [
      "a minute",
      inSchedule('{ timezone: UTC, windows: [{ cron: «"0 1 * * *", instances: 1 }] }'),
      `${path}.windows[0].cron`,
      "whole hours",
    ],
    [
      "six fields",
      inSchedule('{ timezone: UTC, windows: [{ cron: «"0 * 1 * * *", instances: 1 }] }'),
      `${path}.windows[0].cron`,
      "found 6 fields",
    ],
    [
      "an hour that there is not",
      inSchedule('{ timezone: UTC, windows: [{ cron: «"* 25 * * *", instances: 1 }] }'),
      `${path}.windows[0].cron`,
      'found "25" for the hour',
    ],
    [
      "a day that never comes",
      inSchedule('{ timezone: UTC, windows: [{ cron: «"* 8 31 2 *", instances: 1 }] }'),
      `${path}.windows[0].cron`,
      "never occurs",
    ],
    [
      "fewer than no prebuilds during a window",
      inSchedule('{ timezone: UTC, windows: [{ cron: "* 8 * * *", instances: «-1 }] }'),
      `${path}.windows[0].instances`,
      "from 0 to 1000",
    ],
    [
      "windows without a zone",
      inSchedule('{ windows: [{ cron: "* 8 * * *", instances: 1 }] }').replace("sch", "«sch"),
      path,
      "missing key `timezone`",
    ],
    [
      "windows that overlap",
      inSchedule(
        '{ timezone: UTC, windows: [{ cron: "* 8-12 * * 1-5", instances: 1 }, { cron: «"* 12 * * fri", instances: 2 }] }',
      ),
      `${path}.windows[1].cron`,
      "overlaps with windows[0]",
    ],
  ])("says where %s is", (_, text, at, message) => {
    expectProblem(text, at, message);
  });
});
