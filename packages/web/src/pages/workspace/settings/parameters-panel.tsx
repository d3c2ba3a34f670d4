import type { BuildParameter } from "@slipway/api/builds/build";
import { listBuildParameters } from "@slipway/api/builds/routes";
import type { EvaluatedParameter } from "@slipway/api/templates/dynamic-parameters";
import { listBuilds } from "@slipway/api/workspaces/build-routes";
import { getWorkspaceByName } from "@slipway/api/workspaces/routes";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";

import { refresh, routeQuery } from "../../../api/queries.ts";
import { FailureNotice } from "../../../components/page-failure.tsx";
import { valueText } from "../../../components/parameters/list-value.ts";
import { ParameterField, parameterTitle } from "../../../components/parameters/parameter-field.tsx";
import { ParameterValue } from "../../../components/parameters/parameter-value.tsx";
import { changedValues, initialValues } from "../../../components/parameters/parameter-values.ts";
import { versionParametersQuery } from "../../../components/parameters/version-parameters.ts";
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
  const version = build.template_version_id;
  const parameters = useQuery(versionParametersQuery(version));
  const last = useQuery(routeQuery(listBuildParameters, { params: { build: build.id } }));
  const error = parameters.error ?? last.error;
  return (
    <Panel title="Parameters">
      {error !== null && <FailureNotice error={error} />}
      {error === null && (parameters.data === undefined || last.data === undefined) && (
        <Skeleton className="h-24" />
      )}
      {parameters.data !== undefined && last.data !== undefined && (
        <ParametersForm key={build.id} parameters={parameters.data.parameters} last={last.data} />
      )}
    </Panel>
  );
}

interface ParametersFormProps {
  readonly parameters: readonly EvaluatedParameter[];
  readonly last: readonly BuildParameter[];
}

function ParametersForm({ parameters, last }: ParametersFormProps): ReactNode {
  const workspace = useWorkspace();
  const cache = useQueryClient();
  const initial = initialValues(parameters, last);
  const [values, setValues] = useState(initial);
  const [isAsking, setAsking] = useState(false);
  const [error, setError] = useState<unknown>();
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
    setAsking(true);
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
  const { status } = workspace.latest_build;
  const refusal = isBuilding(status)
    ? `The workspace is ${status}`
    : changes.length === 0
      ? "Nothing has changed"
      : undefined;
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      {errors.general !== undefined && <Notice tone="bad" title={errors.general} />}
      {parameters.map((parameter) =>
        parameter.mutable ? (
          <ParameterField
            key={parameter.name}
            parameter={parameter}
            value={values[parameter.name] ?? ""}
            onValue={(value) => setValues({ ...values, [parameter.name]: value })}
            error={errors.of(parameter.name)}
          />
        ) : (
          <FixedParameter
            key={parameter.name}
            parameter={parameter}
            value={initial[parameter.name] ?? ""}
          />
        ),
      )}
      <div>
        <Button type="submit" disabledReason={refusal}>
          Start with these values…
        </Button>
      </div>
      {isAsking && (
        <ConfirmDialog
          title={
            status === "running" ? "Change the running workspace?" : "Start with these values?"
          }
          action="Start"
          onConfirm={start}
          onClose={() => setAsking(false)}
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
    </form>
  );
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
