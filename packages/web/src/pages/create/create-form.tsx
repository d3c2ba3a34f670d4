import type { EvaluatedParameter } from "@slipway/api/templates/dynamic-parameters";
import type { Template } from "@slipway/api/templates/template";
import type { Preset } from "@slipway/api/templates/template-version";
import { listTemplateVersionExternalAuth } from "@slipway/api/templates/version-routes";
import {
  createWorkspace,
  getWorkspaceAllowances,
  listWorkspaces,
} from "@slipway/api/workspaces/routes";
import type { CreateWorkspaceRequest } from "@slipway/api/workspaces/workspace";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";

import { client } from "../../api/client.ts";
import { refresh, routeQuery } from "../../api/queries.ts";
import {
  EvaluationNotice,
  EvaluationStatus,
  OverdueNotice,
} from "../../components/parameters/evaluation-notice.tsx";
import { ParameterField, ParameterTexts } from "../../components/parameters/parameter-field.tsx";
import type { ParameterValues } from "../../components/parameters/parameter-values.ts";
import { type Evaluation, useEvaluation } from "../../components/parameters/use-evaluation.ts";
import { workspacePath } from "../../components/workspaces/workspace-address.ts";
import { formErrors } from "../../forms/form-errors.ts";
import { Button } from "../../ui/button.tsx";
import { Field, TextInput } from "../../ui/field.tsx";
import { Panel, Skeleton } from "../../ui/layout.tsx";
import { Notice } from "../../ui/notice.tsx";
import { duration } from "../../ui/time-text.ts";
import { useToaster } from "../../ui/toasts.tsx";
import { AllowanceNotice, allowanceRefusal, AllowanceText } from "./allowances.tsx";
import { presetValues, valuesToSend } from "./form-values.ts";
import { LogIns, missingLogIns } from "./log-ins.tsx";
import { type Prefill, prefilledValues } from "./prefill.ts";
import { PresetChoice } from "./preset-choice.tsx";
import {
  ScheduleFields,
  type ScheduleValues,
  noSchedule,
  scheduleFields,
  scheduleRefusal,
} from "./schedule-fields.tsx";
import { randomBelow, suggestedName } from "./suggested-name.ts";

interface CreateFormProps {
  readonly template: Template;
  readonly version: string;
  readonly presets: readonly Preset[];
  readonly prefill: Prefill;
}

/** The fields of a new workspace: its name, a preset, the parameters of the version, and when it runs. */
export function CreateForm({ template, version, presets, prefill }: CreateFormProps): ReactNode {
  const first = presets.find(({ ID, Name }) => ID === prefill.preset || Name === prefill.preset);
  const initial = first ?? presets.find((preset) => preset.Default);
  const [name, setName] = useState(() => prefill.name ?? suggestedName(randomBelow));
  const [presetId, setPresetId] = useState(initial?.ID);
  const [values, setValues] = useState<ParameterValues>(() => ({
    ...presetValues(initial),
    ...prefilledValues(prefill),
  }));
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const [schedule, setSchedule] = useState<ScheduleValues>(noSchedule);
  const evaluation = useEvaluation({ version, owner: undefined }, values);
  const { parameters, isCurrent } = evaluation;
  const [isSubmitted, setSubmitted] = useState(false);
  const logIns = useLogIns(version);
  const allowances = useQuery(routeQuery(getWorkspaceAllowances, { params: { user: "me" } }));
  const preset = presets.find(({ ID }) => ID === presetId);
  const isPreset = Object.entries(presetValues(preset)).every(
    ([key, value]) => values[key] === value,
  );
  const create = useCreate();
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    // The field may be far above the button.
    if (create.isError) form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [create.isError, create.error]);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setSubmitted(true);
  };
  const send = useRef(() => {});
  useEffect(() => {
    send.current = () =>
      create.mutate({
        name: name.trim(),
        template_version_id: version,
        rich_parameter_values: valuesToSend(parameters ?? [], values),
        ...(preset !== undefined && isPreset ? { template_version_preset_id: preset.ID } : {}),
        ...scheduleFields(schedule),
      });
  });
  const sendNow = (): void => {
    setSubmitted(false);
    send.current();
  };
  useEffect(() => {
    // What is sent depends on the answer to the current values.
    if (isSubmitted && isCurrent) sendNow();
  }, [isSubmitted, isCurrent]);
  const known = [
    "name",
    "ttl_ms",
    "autostart_schedule",
    ...(parameters ?? []).map((one) => one.name),
  ];
  const errors = formErrors(create.error, known);
  const problemOf = (parameter: NonNullable<typeof parameters>[number]): string | undefined => {
    const [problem] = parameter.diagnostics;
    const isShown = touched.has(parameter.name) || create.isError;
    return errors.of(parameter.name) ?? (isShown ? problem?.detail : undefined);
  };
  const missing = missingLogIns(logIns.data ?? []);
  const refusal =
    allowanceRefusal(allowances.data) ??
    (missing.length > 0 ? `Log in to ${missing.join(" and ")} first` : undefined) ??
    scheduleRefusal(schedule) ??
    (parameters === undefined ? loadingText(evaluation) : undefined);
  return (
    <form ref={form} onSubmit={submit} noValidate className="flex flex-col gap-5">
      <AllowanceNotice allowances={allowances.data} />
      <Panel>
        <div className="flex max-w-2xl flex-col gap-5">
          <Field
            label="Name"
            isRequired
            hint="Letters and digits, separated by single hyphens."
            error={errors.of("name")}
          >
            {(ids) => (
              <TextInput
                {...ids}
                autoComplete="off"
                maxLength={32}
                value={name}
                onValue={setName}
              />
            )}
          </Field>
          {presets.length > 0 && (
            <PresetChoice
              version={version}
              presets={presets}
              value={isPreset ? presetId : undefined}
              onPreset={(chosen) => {
                setPresetId(chosen?.ID);
                setValues((old) => ({ ...old, ...presetValues(chosen) }));
              }}
            />
          )}
          <LogIns logIns={logIns.data ?? []} />
        </div>
      </Panel>
      {parameters?.length !== 0 && (
        <Panel title="Parameters">
          <div className="flex max-w-2xl flex-col gap-5">
            {parameters === undefined && <Skeleton className="h-8 w-full" />}
            <EvaluationNotice evaluation={evaluation} />
            <ParameterTexts parameters={parameters ?? []}>
              {parameters?.map((parameter) => (
                <ParameterField
                  key={parameter.name}
                  parameter={parameter}
                  value={values[parameter.name] ?? parameter.value.value}
                  onValue={(value) => {
                    setValues((old) => ({ ...old, [parameter.name]: value }));
                    setTouched((old) => new Set([...old, parameter.name]));
                  }}
                  error={problemOf(parameter)}
                  remark={remarkOn(parameter)}
                />
              ))}
            </ParameterTexts>
          </div>
        </Panel>
      )}
      <ScheduleFields
        template={template}
        values={schedule}
        onValues={setSchedule}
        errors={errors}
      />
      {errors.general !== undefined && <Notice tone="bad" title={errors.general} />}
      {isSubmitted && (
        <OverdueNotice
          evaluation={evaluation}
          action="Create without waiting"
          onContinue={sendNow}
          onCancel={() => setSubmitted(false)}
        />
      )}
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <Button
          type="submit"
          look="primary"
          isBusy={create.isPending || isSubmitted}
          disabledReason={refusal}
        >
          Create workspace
        </Button>
        <span className="text-sm text-ink-soft">
          {refusal ??
            (evaluation.isLate ? undefined : <AllowanceText allowances={allowances.data} />)}
          {refusal === undefined && <EvaluationStatus evaluation={evaluation} />}
        </span>
      </div>
    </form>
  );
}

/** Says for how long a value holds, unless it can be changed whenever one likes. */
function remarkOn({ mutable, ephemeral }: EvaluatedParameter): string {
  if (ephemeral) return "Applies to the first start only.";
  return mutable ? "" : "Cannot be changed later.";
}

/** Returns the reason why nothing can be created before the parameters are known. */
function loadingText({ isOverdue, isLost }: Evaluation): string {
  return isOverdue && isLost
    ? "No connection to the server: the parameters cannot be loaded"
    : "The parameters are still loading";
}

/** Reads the log-ins that a version needs, until none is missing. */
function useLogIns(version: string) {
  return useQuery({
    ...routeQuery(listTemplateVersionExternalAuth, { params: { version } }),
    // The log-in happens in another window.
    staleTime: 0,
    refetchOnWindowFocus: true,
    refetchInterval: ({ state }) => (missingLogIns(state.data ?? []).length > 0 ? 10_000 : false),
  });
}

/** Returns the creation, which ends on the page of the workspace. */
function useCreate() {
  const cache = useQueryClient();
  const router = useRouter();
  const toaster = useToaster();
  return useMutation({
    mutationFn: async (body: CreateWorkspaceRequest) => {
      const startMs = performance.now();
      const workspace = await client.call(createWorkspace, { params: { user: "me" }, body });
      return { workspace, tookMs: performance.now() - startMs };
    },
    onSuccess: ({ workspace, tookMs }) => {
      const isClaimed = workspace.latest_build.status === "running";
      const what = isClaimed ? "was ready" : "was created";
      toaster.show(`${workspace.name} ${what} in ${duration(tookMs)}.`);
      void refresh(cache, listWorkspaces, getWorkspaceAllowances);
      router.history.push(workspacePath(workspace));
    },
  });
}
