import { getTemplate } from "@slipway/api/templates/routes";
import { getWorkspaceByName, updateAutostart, updateTtl } from "@slipway/api/workspaces/routes";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { FormEvent, ReactNode } from "react";

import { client } from "../../../api/client.ts";
import { refresh, routeQuery } from "../../../api/queries.ts";
import {
  dayLabels,
  dayNames,
  type DayName,
  encodeSchedule,
  parseSchedule,
  type WeeklySchedule,
} from "../../../components/workspaces/schedule.ts";
import { formErrors } from "../../../forms/form-errors.ts";
import { useStoredForm } from "../../../forms/stored-form.ts";
import { Button } from "../../../ui/button.tsx";
import { Checkbox, Field, Select, TextInput } from "../../../ui/field.tsx";
import { Panel } from "../../../ui/layout.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { duration } from "../../../ui/time-text.ts";
import { useToaster } from "../../../ui/toasts.tsx";
import { useWorkspace } from "../use-workspace.tsx";

const hourMs = 3_600_000;

/** The automatic starts and stops of a workspace. */
export function SchedulePanel(): ReactNode {
  const { template_id: template } = useWorkspace();
  const rules = useQuery(routeQuery(getTemplate, { params: { template } }));
  const { allow_user_autostart: mayStart = true, allow_user_autostop: mayStop = true } =
    rules.data ?? {};
  return (
    <Panel title="Schedule">
      <div className="flex flex-col gap-6">
        <StartForm
          refusal={mayStart ? undefined : "The template does not allow automatic starts"}
        />
        <StopForm
          refusal={mayStop ? undefined : "The template sets when its workspaces stop"}
          templateTtlMs={rules.data?.default_ttl_ms ?? 0}
        />
      </div>
    </Panel>
  );
}

function defaultSchedule(): WeeklySchedule {
  return {
    time: "09:00",
    days: ["mon", "tue", "wed", "thu", "fri"],
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
}

interface FormProps {
  readonly refusal: string | undefined;
}

function StartForm({ refusal }: FormProps): ReactNode {
  const { id, autostart_schedule: current } = useWorkspace();
  const parsed = current === null ? undefined : parseSchedule(current);
  const isCustom = current !== null && parsed === undefined;
  const [form, setForm] = useStoredForm({
    isOn: current !== null,
    weekly: parsed ?? defaultSchedule(),
    cron: current ?? "",
  });
  const { isOn, weekly, cron } = form;
  const schedule = isOn ? (isCustom ? cron : encodeSchedule(weekly)) : null;
  // Other clients may write the same schedule in another way.
  const stored = parsed === undefined ? current : encodeSchedule(parsed);
  const cache = useQueryClient();
  const toaster = useToaster();
  const save = useMutation({
    mutationFn: () =>
      client.call(updateAutostart, { params: { workspace: id }, body: { schedule } }),
    onSuccess: async () => {
      await refresh(cache, getWorkspaceByName);
      toaster.show("Saved.");
    },
  });
  const errors = formErrors(save.error, ["schedule"]);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <Checkbox
        label="Start it automatically"
        hint={refusal ?? "So that it is ready when you start work."}
        isChecked={isOn}
        isDisabled={refusal !== undefined}
        onChecked={(next) => setForm({ ...form, isOn: next })}
      />
      {errors.general !== undefined && <Notice tone="bad" title={errors.general} />}
      {isOn &&
        (isCustom ? (
          <Field
            label="Schedule"
            isRequired
            error={errors.of("schedule")}
            hint="A cron expression with its time zone before it."
          >
            {(ids) => (
              <TextInput
                {...ids}
                value={cron}
                onValue={(next) => setForm({ ...form, cron: next })}
              />
            )}
          </Field>
        ) : (
          <WeeklyFields
            schedule={weekly}
            onSchedule={(next) => setForm({ ...form, weekly: next })}
            error={errors.of("schedule")}
          />
        ))}
      <div>
        <Button
          type="submit"
          isBusy={save.isPending}
          disabledReason={
            refusal ??
            (isOn && weekly.days.length === 0
              ? "Choose at least one day"
              : schedule === stored
                ? "Nothing has changed"
                : undefined)
          }
        >
          Save start
        </Button>
      </div>
    </form>
  );
}

interface WeeklyFieldsProps {
  readonly schedule: WeeklySchedule;
  readonly onSchedule: (schedule: WeeklySchedule) => void;
  readonly error: string | undefined;
}

function WeeklyFields({ schedule, onSchedule, error }: WeeklyFieldsProps): ReactNode {
  const { time, days, zone } = schedule;
  const zones = Intl.supportedValuesOf("timeZone");
  const toggle = (day: DayName, isIn: boolean): void => {
    const chosen = isIn ? [...days, day] : days.filter((one) => one !== day);
    onSchedule({ ...schedule, days: dayNames.filter((one) => chosen.includes(one)) });
  };
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Time" isRequired error={error}>
          {(ids) => (
            <TextInput
              {...ids}
              type="time"
              value={time}
              onValue={(value) => onSchedule({ ...schedule, time: value })}
            />
          )}
        </Field>
        <Field label="Time zone" isRequired>
          {(ids) => (
            <Select
              {...ids}
              value={zone}
              onValue={(value) => onSchedule({ ...schedule, zone: value })}
            >
              {!zones.includes(zone) && <option value={zone}>{zone}</option>}
              {zones.map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
      <fieldset>
        <legend className="mb-1 text-sm font-medium">Days</legend>
        <div className="flex flex-wrap gap-x-5 gap-y-2">
          {dayLabels.map(([day, label]) => (
            <Checkbox
              key={day}
              label={label}
              isChecked={days.includes(day)}
              onChecked={(isIn) => toggle(day, isIn)}
            />
          ))}
        </div>
      </fieldset>
    </>
  );
}

interface StopFormProps extends FormProps {
  readonly templateTtlMs: number;
}

function StopForm({ refusal, templateTtlMs }: StopFormProps): ReactNode {
  const { id, ttl_ms: current } = useWorkspace();
  const stored = current === null ? "" : String(current / hourMs);
  const [{ hours }, setForm] = useStoredForm({ hours: stored });
  const cache = useQueryClient();
  const toaster = useToaster();
  const save = useMutation({
    mutationFn: () => {
      const ttlMs = hours === "" ? null : Math.round(Number(hours) * hourMs);
      return client.call(updateTtl, { params: { workspace: id }, body: { ttl_ms: ttlMs } });
    },
    onSuccess: async () => {
      await refresh(cache, getWorkspaceByName);
      toaster.show("Saved. It applies from the next start.");
    },
  });
  const errors = formErrors(save.error, ["ttl_ms"]);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      {errors.general !== undefined && <Notice tone="bad" title={errors.general} />}
      <Field
        label="Stop it this many hours after each start"
        error={errors.of("ttl_ms")}
        hint={
          refusal ??
          (templateTtlMs > 0
            ? `Activity moves the deadline. The template’s default is ${duration(templateTtlMs)}.`
            : "Activity moves the deadline. Leave it empty to run until someone stops it.")
        }
      >
        {(ids) => (
          <div className="w-32">
            <TextInput
              {...ids}
              type="number"
              min={0}
              step="any"
              value={hours}
              readOnly={refusal !== undefined}
              onValue={(next) => setForm({ hours: next })}
            />
          </div>
        )}
      </Field>
      <div>
        <Button
          type="submit"
          isBusy={save.isPending}
          disabledReason={refusal ?? (hours === stored ? "Nothing has changed" : undefined)}
        >
          Save stop
        </Button>
      </div>
    </form>
  );
}
