import type { Template } from "@slipway/api/templates/template";
import type { ReactNode } from "react";

import {
  dayLabels,
  type DayName,
  dayNames,
  encodeSchedule,
} from "../../components/workspaces/schedule.ts";
import type { FormErrors } from "../../forms/form-errors.ts";
import { CheckGroup } from "../../ui/choices.tsx";
import { Checkbox, Field, TextInput } from "../../ui/field.tsx";
import { duration } from "../../ui/time-text.ts";

/** The schedule of a new workspace. */
export interface ScheduleValues {
  /** Hours, or empty for the template's default. */
  readonly ttl: string;
  readonly startsByItself: boolean;
  readonly time: string;
  readonly days: readonly DayName[];
  readonly updates: boolean;
}

export const noSchedule: ScheduleValues = {
  ttl: "",
  startsByItself: false,
  time: "09:00",
  days: ["mon", "tue", "wed", "thu", "fri"],
  updates: false,
};

const hourMs = 3_600_000;

/** The time zone of this browser. */
function ownTimeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Returns the reason why a schedule cannot be saved; undefined if it can. */
export function scheduleRefusal({
  startsByItself,
  time,
  days,
}: ScheduleValues): string | undefined {
  if (!startsByItself || (time !== "" && days.length > 0)) return undefined;
  return "Choose a time and at least one day for the automatic start";
}

/** Returns the fields of the request. */
export function scheduleFields({ ttl, startsByItself, time, days, updates }: ScheduleValues): {
  readonly ttl_ms?: number;
  readonly autostart_schedule?: string;
  readonly automatic_updates?: "always";
} {
  const zone = ownTimeZone();
  return {
    ...(ttl.trim() === "" ? {} : { ttl_ms: Math.round(Number(ttl) * hourMs) }),
    ...(startsByItself ? { autostart_schedule: encodeSchedule({ time, days, zone }) } : {}),
    ...(updates ? { automatic_updates: "always" } : {}),
  };
}

interface ScheduleFieldsProps {
  readonly template: Template;
  readonly values: ScheduleValues;
  readonly onValues: (values: ScheduleValues) => void;
  readonly errors: FormErrors;
}

const dayChoices = dayLabels.map(([value, label]) => ({ value, label }));

/** The automatic starts, stops and updates of a new workspace, as far as the template allows. */
export function ScheduleFields({
  template,
  values,
  onValues,
  errors,
}: ScheduleFieldsProps): ReactNode {
  const set = (change: Partial<ScheduleValues>): void => onValues({ ...values, ...change });
  const { default_ttl_ms: defaultTtlMs } = template;
  const usual =
    defaultTtlMs === 0
      ? "Leave it empty to run until someone stops it."
      : `Leave it empty to stop ${duration(defaultTtlMs)} after the start.`;
  return (
    <details className="rounded-lg border border-line bg-surface">
      <summary className="px-4 py-3 text-base font-semibold">Schedule and updates</summary>
      <div className="flex max-w-2xl flex-col gap-5 border-t border-line p-4">
        {template.allow_user_autostop && (
          <Field
            label="Stop after (hours)"
            hint={`${usual} Activity postpones it.`}
            error={errors.of("ttl_ms")}
          >
            {(ids) => (
              <TextInput
                {...ids}
                type="number"
                min={0}
                step="any"
                value={values.ttl}
                onValue={(ttl) => set({ ttl })}
              />
            )}
          </Field>
        )}
        {template.allow_user_autostart && (
          <>
            <Checkbox
              label="Start it automatically"
              isChecked={values.startsByItself}
              onChecked={(startsByItself) => set({ startsByItself })}
            />
            {values.startsByItself && (
              <>
                <Field
                  label={`At (${ownTimeZone()})`}
                  isRequired
                  error={errors.of("autostart_schedule")}
                >
                  {(ids) => (
                    <TextInput
                      {...ids}
                      type="time"
                      value={values.time}
                      onValue={(time) => set({ time })}
                    />
                  )}
                </Field>
                <CheckGroup
                  label="On"
                  isRequired
                  choices={dayChoices}
                  values={values.days}
                  onValues={(chosen) =>
                    set({ days: dayNames.filter((day) => chosen.includes(day)) })
                  }
                />
              </>
            )}
          </>
        )}
        <Checkbox
          label="Update on every start"
          hint="It then gets the template’s active version."
          isChecked={values.updates || template.require_active_version}
          isDisabled={template.require_active_version}
          onChecked={(updates) => set({ updates })}
        />
      </div>
    </details>
  );
}
