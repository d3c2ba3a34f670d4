import type { BuildParameter } from "@slipway/api/builds/build";
import { listBuildParameters } from "@slipway/api/builds/routes";
import type { EvaluatedParameter } from "@slipway/api/templates/dynamic-parameters";
import { listBuilds } from "@slipway/api/workspaces/build-routes";
import { getWorkspaceByName } from "@slipway/api/workspaces/routes";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";

import { refresh, routeQuery } from "../../../api/queries.ts";
import { FailureNotice } from "../../../components/page-failure.tsx";
import {
  EvaluationNotice,
  EvaluationStatus,
  OverdueNotice,
} from "../../../components/parameters/evaluation-notice.tsx";
import { valueText } from "../../../components/parameters/list-value.ts";
import {
  ParameterField,
  ParameterTexts,
  parameterTitle,
} from "../../../components/parameters/parameter-field.tsx";
import { ParameterValue } from "../../../components/parameters/parameter-value.tsx";
import {
  changedValues,
  initialValues,
  namedValues,
  ofParameters,
  type ParameterValues,
} from "../../../components/parameters/parameter-values.ts";
import { useEvaluation } from "../../../components/parameters/use-evaluation.ts";
import { isBuilding } from "../../../components/workspaces/action-refusal.ts";
import { runAction } from "../../../components/workspaces/run-action.ts";
import { formErrors } from "../../../forms/form-errors.ts";
import { Button } from "../../../ui/button.tsx";
import { ConfirmDialog } from "../../../ui/dialog.tsx";
import { Panel, Skeleton } from "../../../ui/layout.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { UntrustedText } from "../../../ui/untrusted-text.tsx";
import { useWorkspace } from "../use-workspace.tsx";

/** The parameters of a workspace, which a new start can change. */
export function ParametersPanel(): ReactNode {
  const { latest_build: build } = useWorkspace();
  const last = useQuery(routeQuery(listBuildParameters, { params: { build: build.id } }));
  const { error } = last;
  return (
    <Panel title="Parameters">
      {error !== null && <FailureNotice error={error} />}
      {error === null && last.data === undefined && <Skeleton className="h-24" />}
      {last.data !== undefined && <ParametersForm key={build.id} last={last.data} />}
    </Panel>
  );
}

function ParametersForm({ last }: { readonly last: readonly BuildParameter[] }): ReactNode {
  const workspace = useWorkspace();
  const cache = useQueryClient();
  const [changed, setChanged] = useState<ParameterValues>({});
  const [asked, setAsked] = useState<"when-current" | "now">();
  const [error, setError] = useState<unknown>();
  const subject = {
    version: workspace.latest_build.template_version_id,
    owner: workspace.owner_id,
  };
  const evaluation = useEvaluation(subject, { ...namedValues(last), ...changed });
  const { parameters, isCurrent } = evaluation;
  if (parameters === undefined) {
    return (
      <div className="text-sm text-ink-soft">
        <Skeleton className="h-24" />
        <EvaluationStatus evaluation={evaluation} />
      </div>
    );
  }
  const initial = initialValues(parameters, last);
  const values = { ...initial, ...ofParameters(parameters, changed) };
  if (parameters.length === 0) {
    return <p className="text-sm text-ink-soft">The template has no parameters.</p>;
  }
  const changes = changedValues(values, initial);
  const masked = new Set(parameters.filter(isMasked).map(({ name }) => name));
  const errors = formErrors(
    error,
    parameters.map(({ name }) => name),
  );
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setAsked("when-current");
  };
  const start = async (): Promise<void> => {
    setError(undefined);
    try {
      await runAction("start", workspace, { parameters: changes });
    } catch (failure) {
      // The fields say what is wrong with them, so the dialog closes.
      setError(failure);
    } finally {
      await refresh(cache, getWorkspaceByName, listBuilds);
    }
  };
  const isWaiting = asked === "when-current" && !isCurrent;
  const { status } = workspace.latest_build;
  const refusal = isBuilding(status)
    ? `The workspace is ${status}`
    : changes.length === 0
      ? "Nothing has changed"
      : undefined;
  return (
    <>
      <form onSubmit={submit} className="flex flex-col gap-4">
        {errors.general !== undefined && <Notice tone="bad" title={errors.general} />}
        <EvaluationNotice evaluation={evaluation} />
        <ParameterTexts parameters={parameters}>
          {parameters.map((parameter) =>
            parameter.mutable ? (
              <ParameterField
                key={parameter.name}
                parameter={parameter}
                value={values[parameter.name] ?? ""}
                onValue={(value) => setChanged({ ...changed, [parameter.name]: value })}
                error={errors.of(parameter.name) ?? problemOf(parameter)}
              />
            ) : (
              <FixedParameter
                key={parameter.name}
                parameter={parameter}
                value={initial[parameter.name] ?? ""}
              />
            ),
          )}
        </ParameterTexts>
        {isWaiting && (
          <OverdueNotice
            evaluation={evaluation}
            action="Continue without waiting"
            onContinue={() => setAsked("now")}
            onCancel={() => setAsked(undefined)}
          />
        )}
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2 text-sm text-ink-soft">
          <Button type="submit" isBusy={isWaiting} disabledReason={refusal}>
            Start with these values…
          </Button>
          <EvaluationStatus evaluation={evaluation} />
        </div>
      </form>
      {asked !== undefined && !isWaiting && (
        <ConfirmDialog
          title={
            status === "running" ? "Change the running workspace?" : "Start with these values?"
          }
          action="Start"
          onConfirm={start}
          onClose={() => setAsked(undefined)}
        >
          <ul className="flex flex-col gap-1 text-sm">
            {changes.map(({ name, value }) => (
              <li key={name} className="wrap-anywhere">
                <UntrustedText>{name}</UntrustedText>:{" "}
                {masked.has(name) ? (
                  "a new value"
                ) : (
                  <>
                    <s className="text-ink-soft">
                      <UntrustedText>{valueText(initial[name] ?? "")}</UntrustedText>
                    </s>{" "}
                    <UntrustedText>{valueText(value)}</UntrustedText>
                  </>
                )}
              </li>
            ))}
          </ul>
          {status === "running" && (
            <p>
              A new build applies them. Depending on the template, this ends the processes of the
              workspace.
            </p>
          )}
        </ConfirmDialog>
      )}
    </>
  );
}

/** Returns the problem with a value that does not fit the others; a value for one build only is not there yet. */
function problemOf({ diagnostics, ephemeral }: EvaluatedParameter): string | undefined {
  return ephemeral ? undefined : diagnostics.find(({ severity }) => severity === "error")?.detail;
}

function isMasked({ styling }: EvaluatedParameter): boolean {
  return styling.mask_input === true;
}

function FixedParameter({
  parameter,
  value,
}: {
  readonly parameter: EvaluatedParameter;
  readonly value: string;
}): ReactNode {
  const title = parameterTitle(parameter);
  return (
    <div className="text-sm">
      <p className="font-medium">
        <bdi>{title}</bdi>
      </p>
      <div className="text-ink-soft wrap-anywhere">
        <ParameterValue title={title} value={value} isMasked={isMasked(parameter)} />
      </div>
      <p className="text-ink-faint">Set when the workspace was created; it cannot be changed.</p>
    </div>
  );
}
