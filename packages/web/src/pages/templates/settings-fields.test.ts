import type { Template } from "@slipway/api/templates/template";
import { describe, expect, it } from "vitest";

import { changesOf, formOf } from "./settings-fields.ts";

/** The fields of a template that the form has. */
const fields = {
  name: "demo",
  display_name: "Demo",
  description: "",
  icon: "",
  deprecation_message: "",
  max_port_share_level: "owner",
  cors_behavior: "simple",
  autostop_requirement: { days_of_week: ["sunday", "friday"], weeks: 0 },
  default_ttl_ms: 5_400_000,
  activity_bump_ms: 0,
  failure_ttl_ms: 0,
  time_til_dormant_ms: 86_400_000,
  time_til_dormant_autodelete_ms: 0,
  require_active_version: false,
  allow_user_autostart: true,
  allow_user_autostop: true,
  allow_user_cancel_workspace_jobs: false,
};
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the form reads no other field
const form = formOf(fields as unknown as Template);

describe("the form of a template's settings", () => {
  it("has lengths of time in hours and days", () => {
    expect(form.durations).toMatchObject({ default_ttl_ms: "1.5", time_til_dormant_ms: "1" });
  });

  it("sends nothing that has not changed", () => {
    expect(changesOf(form, form)).toEqual({});
  });

  it("has the nights of the required stops in the order of the week", () => {
    expect(form).toMatchObject({ stopDays: ["friday", "sunday"], stopWeeks: "1" });
    expect(changesOf({ ...form, stopDays: ["monday"], stopWeeks: "2" }, form)).toEqual({
      autostop_requirement: { days_of_week: ["monday"], weeks: 2 },
    });
  });

  it("sends what has changed, in milliseconds", () => {
    const durations = { ...form.durations, default_ttl_ms: "2", time_til_dormant_ms: "0.5" };
    const switches = { ...form.switches, require_active_version: true };
    const changed = { ...form, name: "other", icon: "/icon/go.svg", durations, switches };
    expect(changesOf(changed, form)).toEqual({
      name: "other",
      icon: "/icon/go.svg",
      default_ttl_ms: 7_200_000,
      time_til_dormant_ms: 43_200_000,
      require_active_version: true,
    });
  });
});
