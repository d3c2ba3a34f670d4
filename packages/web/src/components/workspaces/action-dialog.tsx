import { listBuildParameters } from "@slipway/api/builds/routes";
import { getTemplateVersion } from "@slipway/api/templates/version-routes";
import { listBuilds } from "@slipway/api/workspaces/build-routes";
import { getWorkspaceByName, listWorkspaces } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

import { refresh, routeQuery } from "../../api/queries.ts";
import { formErrors } from "../../forms/form-errors.ts";
import { ConfirmDialog } from "../../ui/dialog.tsx";
import { Field, TextInput } from "../../ui/field.tsx";
import { Skeleton } from "../../ui/layout.tsx";
import { untrusted, UntrustedText } from "../../ui/untrusted-text.tsx";
import { FailureNotice } from "../page-failure.tsx";
import { EvaluationNotice } from "../parameters/evaluation-notice.tsx";
import { ParameterField, ParameterTexts } from "../parameters/parameter-field.tsx";
import {
  initialValues,
  missingParameters,
  namedValues,
  ofParameters,
  type ParameterValues,
} from "../parameters/parameter-values.ts";
import { useEvaluation } from "../parameters/use-evaluation.ts";
import type { WorkspaceAction } from "./action-refusal.ts";
import { runAction } from "./run-action.ts";

interface ActionDialogProps {
  readonly action: WorkspaceAction;
  readonly workspace: Workspace;
  readonly onClose: () => void;
}

/** Says what an action will do to a workspace, and carries it out once that is confirmed. */
export function ActionDialog({ action, ...rest }: ActionDialogProps): ReactNode {
  switch (action) {
    case "start":
      return <StartDialog {...rest} />;
    case "stop":
      return <StopDialog {...rest} />;
    case "restart":
      return <RestartDialog {...rest} />;
    case "update":
      return <UpdateDialog {...rest} />;
    case "delete":
      return <DeleteDialog {...rest} />;
    case "cancel":
      return <CancelDialog {...rest} />;
  }
}

type DialogProps = Omit<ActionDialogProps, "action">;

/** Returns a function that carries an action out and reads again what it changes. */
function useRunAction(
  workspace: Workspace,
): (action: WorkspaceAction, parameters?: ParameterValues) => Promise<void> {
  const cache = useQueryClient();
  return async (action, values = {}) => {
    const parameters = Object.entries(values).map(([name, value]) => ({ name, value }));
    try {
      await runAction(action, workspace, { parameters });
    } finally {
      await refresh(cache, getWorkspaceByName, listBuilds, listWorkspaces);
    }
  };
}

function StartDialog({ workspace, onClose }: DialogProps): ReactNode {
  const run = useRunAction(workspace);
  return (
    <ConfirmDialog
      title={`Start ${untrusted(workspace.name)}?`}
      action="Start"
      onConfirm={() => run("start")}
      onClose={onClose}
    >
      {workspace.dormant_at !== null && <p>It is dormant; starting it makes it active again.</p>}
      <VersionOfStart workspace={workspace} />
      <p>Its start scripts run, and the files it kept are back.</p>
    </ConfirmDialog>
  );
}

function VersionOfStart({ workspace }: { readonly workspace: Workspace }): ReactNode {
  const { latest_build: build, outdated, automatic_updates: updates } = workspace;
  const isRequired = workspace.template_require_active_version;
  if (outdated && (isRequired || updates === "always")) {
    return (
      <p>
        It is updated to the template’s active version, because{" "}
        {isRequired ? "the template requires it" : "it updates automatically"}. Its parameters keep
        their values.
      </p>
    );
  }
  return (
    <p>
      It starts with version <Name>{build.template_version_name}</Name> and the parameters of its
      last build.
    </p>
  );
}

function StopDialog({ workspace, onClose }: DialogProps): ReactNode {
  const run = useRunAction(workspace);
  return (
    <ConfirmDialog
      title={`Stop ${untrusted(workspace.name)}?`}
      action="Stop"
      onConfirm={() => run("stop")}
      onClose={onClose}
    >
      <p>
        Its processes, terminals and connections end. Files that its template keeps, such as its
        home directory or volumes, are preserved.
      </p>
    </ConfirmDialog>
  );
}

function RestartDialog({ workspace, onClose }: DialogProps): ReactNode {
  const run = useRunAction(workspace);
  return (
    <ConfirmDialog
      title={`Restart ${untrusted(workspace.name)}?`}
      action="Restart"
      onConfirm={() => run("restart")}
      onClose={onClose}
    >
      <p>
        Its processes, terminals and connections end, and it starts again. Files that its template
        keeps, such as its home directory or volumes, are preserved.
      </p>
      <VersionOfStart workspace={workspace} />
      <p className="text-ink-soft">Leave this page open until it has stopped.</p>
    </ConfirmDialog>
  );
}

/** Returns the reason why an update cannot begin yet; undefined if it can. */
function updateRefusal(
  form: Readonly<Record<"isReady" | "isLate" | "isUnset", boolean>>,
): string | undefined {
  if (!form.isReady) return "Still loading";
  if (form.isLate) return "The parameters are being updated";
  return form.isUnset ? "Fill in the new parameters" : undefined;
}

function UpdateDialog({ workspace, onClose }: DialogProps): ReactNode {
  const run = useRunAction(workspace);
  const { latest_build: build, template_active_version_id: version } = workspace;
  const target = useQuery(routeQuery(getTemplateVersion, { params: { version } }));
  const last = useQuery(routeQuery(listBuildParameters, { params: { build: build.id } }));
  const [changed, setChanged] = useState<ParameterValues>({});
  const [failure, setFailure] = useState<unknown>();
  const evaluation = useEvaluation(
    { version, owner: workspace.owner_id },
    last.data && { ...namedValues(last.data), ...changed },
  );
  const { parameters } = evaluation;
  // Nobody has to wait for long: the server checks the values in any case.
  const isLate = evaluation.isLate && !evaluation.isOverdue;
  const error = target.error ?? last.error;
  const isReady = parameters !== undefined && last.isSuccess && target.isSuccess;
  const missing = isReady ? missingParameters(parameters, last.data) : [];
  const values = { ...initialValues(missing, []), ...ofParameters(missing, changed) };
  const unset = missing.filter(({ name, required }) => required && values[name] === "");
  const names = missing.map(({ name }) => name);
  const kept = isReady ? last.data.filter(({ name }) => !names.includes(name)).length : 0;
  const errors = formErrors(failure, names);
  const update = async (): Promise<void> => {
    setFailure(undefined);
    try {
      await run("update", values);
    } catch (refusal) {
      setFailure(refusal);
      throw refusal;
    }
  };
  return (
    <ConfirmDialog
      title={`Update ${untrusted(workspace.name)}?`}
      action="Update and start"
      disabledReason={updateRefusal({ isReady, isLate, isUnset: unset.length > 0 })}
      onConfirm={update}
      onClose={onClose}
    >
      {error !== null && <FailureNotice error={error} />}
      {isReady ? (
        <p>
          It moves from version <Name>{build.template_version_name}</Name> to{" "}
          <Name>{target.data.name}</Name>
          {kept > 0 && " and keeps the values of its parameters"}.
          {build.status === "running" && " It is running: its processes and connections may end."}
        </p>
      ) : (
        <Skeleton className="h-5 w-3/4" />
      )}
      {isReady && target.data.message !== "" && (
        <blockquote className="border-l-2 border-line-strong pl-3 text-ink-soft">
          <UntrustedText>{target.data.message}</UntrustedText>
        </blockquote>
      )}
      {isReady && <EvaluationNotice evaluation={evaluation} />}
      <ParameterTexts parameters={missing}>
        {missing.map((parameter) => (
          <ParameterField
            key={parameter.name}
            parameter={parameter}
            value={values[parameter.name] ?? ""}
            onValue={(value) => setChanged({ ...changed, [parameter.name]: value })}
            error={errors.of(parameter.name)}
          />
        ))}
      </ParameterTexts>
    </ConfirmDialog>
  );
}

function DeleteDialog({ workspace, onClose }: DialogProps): ReactNode {
  const run = useRunAction(workspace);
  const [typed, setTyped] = useState("");
  const { name } = workspace;
  return (
    <ConfirmDialog
      title={`Delete ${untrusted(name)}?`}
      action="Delete workspace"
      isDangerous
      disabledReason={typed === name ? undefined : "Type the name of the workspace"}
      onConfirm={() => run("delete")}
      onClose={onClose}
    >
      <p>
        Its machine and all of its files are deleted and cannot be restored. Its build history is
        kept.
      </p>
      <Field label={`Type ${untrusted(name)} to confirm`} isRequired>
        {(ids) => <TextInput {...ids} autoComplete="off" value={typed} onValue={setTyped} />}
      </Field>
    </ConfirmDialog>
  );
}

function CancelDialog({ workspace, onClose }: DialogProps): ReactNode {
  const run = useRunAction(workspace);
  const { transition, build_number: number } = workspace.latest_build;
  return (
    <ConfirmDialog
      title={`Cancel build ${String(number)}?`}
      action="Cancel build"
      isDangerous
      onConfirm={() => run("cancel")}
      onClose={onClose}
    >
      <p>
        The {transition} stops where it is. What it has created or removed so far stays as it is;
        the next build cleans up.
      </p>
    </ConfirmDialog>
  );
}

function Name({ children }: { readonly children: string }): ReactNode {
  return (
    <span className="font-medium">
      <UntrustedText>{children}</UntrustedText>
    </span>
  );
}
