import {
  type Template,
  type UpdateTemplateRequest,
  type Weekday,
  weekdays,
} from "@slipway/api/templates/template";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** The settings with a length of time, in the unit in which a person sets each. */
export const durationFields = [
  {
    field: "default_ttl_ms",
    label: "Stop after",
    hint: "Hours from the start until a workspace stops; 0 for never.",
    unitMs: hourMs,
  },
  {
    field: "activity_bump_ms",
    label: "Extend on activity",
    hint: "Hours by which activity postpones the stop; 0 for none.",
    unitMs: hourMs,
  },
  {
    field: "failure_ttl_ms",
    label: "Clean up failures after",
    hint: "Hours until a workspace whose start failed is stopped; 0 for never.",
    unitMs: hourMs,
  },
  {
    field: "time_til_dormant_ms",
    label: "Dormant after",
    hint: "Days without use until a workspace stops and becomes dormant; 0 for never.",
    unitMs: dayMs,
  },
  {
    field: "time_til_dormant_autodelete_ms",
    label: "Delete dormant after",
    hint: "Days until a dormant workspace is deleted with its files; 0 for never.",
    unitMs: dayMs,
  },
] as const;

/** The settings that are on or off. */
export const switchFields = [
  {
    field: "require_active_version",
    label: "Require the active version",
    hint: "Workspaces update when they start.",
  },
  {
    field: "allow_user_autostart",
    label: "Owners may schedule starts",
    hint: "Otherwise their schedules have no effect.",
  },
  {
    field: "allow_user_autostop",
    label: "Owners may set when their workspaces stop",
    hint: "Otherwise the time above applies.",
  },
  {
    field: "allow_user_cancel_workspace_jobs",
    label: "Owners may cancel builds",
    hint: "A canceled build may leave parts behind.",
  },
] as const;

/** The settings that are a text or one of a few values, and are sent as they stand in the form. */
export const plainFields = [
  "name",
  "display_name",
  "description",
  "icon",
  "deprecation_message",
  "max_port_share_level",
  "cors_behavior",
] as const;

type PlainField = (typeof plainFields)[number];
type DurationField = (typeof durationFields)[number]["field"];
type SwitchField = (typeof switchFields)[number]["field"];

/** The values of the form of a template's settings; durations are the texts that were typed. */
export interface TemplateForm extends Pick<Template, PlainField> {
  /** The nights of the required stops, by the days that begin with them. */
  readonly stopDays: readonly Weekday[];
  /** The weeks from one required stop to the next, as typed. */
  readonly stopWeeks: string;
  readonly durations: Readonly<Record<DurationField, string>>;
  readonly switches: Readonly<Record<SwitchField, boolean>>;
}

/** Returns the form of a template as it stands. */
export function formOf(template: Template): TemplateForm {
  const durations = durationFields.map(({ field, unitMs }) => [
    field,
    String(Math.round((template[field] / unitMs) * 100) / 100),
  ]);
  const switches = switchFields.map(({ field }) => [field, template[field]]);
  const { days_of_week: stopDays, weeks } = template.autostop_requirement;
  return {
    name: template.name,
    display_name: template.display_name,
    description: template.description,
    icon: template.icon,
    deprecation_message: template.deprecation_message,
    max_port_share_level: template.max_port_share_level,
    cors_behavior: template.cors_behavior,
    stopDays: weekdays.filter((day) => stopDays.includes(day)),
    stopWeeks: String(Math.max(1, weeks)),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an entry for each field
    durations: Object.fromEntries(durations) as TemplateForm["durations"],
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an entry for each field
    switches: Object.fromEntries(switches) as TemplateForm["switches"],
  };
}

/** Returns the request for what has changed; a length of time that is not a number is NaN, which the server refuses. */
export function changesOf(form: TemplateForm, before: TemplateForm): UpdateTemplateRequest {
  const changes: Record<string, unknown> = {};
  for (const field of plainFields) {
    if (form[field] !== before[field]) changes[field] = form[field];
  }
  const { stopDays, stopWeeks } = form;
  if (stopDays.join() !== before.stopDays.join() || stopWeeks !== before.stopWeeks) {
    changes["autostop_requirement"] = { days_of_week: stopDays, weeks: Number(stopWeeks) };
  }
  for (const { field, unitMs } of durationFields) {
    const text = form.durations[field];
    if (text !== before.durations[field]) changes[field] = Math.round(Number(text) * unitMs);
  }
  for (const { field } of switchFields) {
    if (form.switches[field] !== before.switches[field]) changes[field] = form.switches[field];
  }
  return changes;
}
