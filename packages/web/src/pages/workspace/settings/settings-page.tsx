import {
  getWorkspaceByName,
  listWorkspaces,
  renameWorkspace,
  updateAutomaticUpdates,
} from "@slipway/api/workspaces/routes";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useState } from "react";

import { client } from "../../../api/client.ts";
import { refresh } from "../../../api/queries.ts";
import { useRights } from "../../../api/session.ts";
import { ActionDialog } from "../../../components/workspaces/action-dialog.tsx";
import { actionRefusal } from "../../../components/workspaces/action-refusal.ts";
import { formErrors } from "../../../forms/form-errors.ts";
import { useStoredForm } from "../../../forms/stored-form.ts";
import { Button } from "../../../ui/button.tsx";
import { errorText } from "../../../ui/error-text.ts";
import { Checkbox, Field, TextInput } from "../../../ui/field.tsx";
import { Panel } from "../../../ui/layout.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { useToaster } from "../../../ui/toasts.tsx";
import { useWorkspace } from "../use-workspace.tsx";
import { ParametersPanel } from "./parameters-panel.tsx";
import { SchedulePanel } from "./schedule-panel.tsx";

/** The settings of a workspace. */
export function SettingsPage(): ReactNode {
  return (
    <div className="flex max-w-3xl flex-col gap-5">
      <Panel title="General">
        <div className="flex flex-col gap-5">
          <NameForm />
          <AutomaticUpdates />
        </div>
      </Panel>
      <div id="schedule">
        <SchedulePanel />
      </div>
      <div id="parameters">
        <ParametersPanel />
      </div>
      <DeletePanel />
    </div>
  );
}

function NameForm(): ReactNode {
  const { id, name: current, owner_name: owner, allow_renames: isAllowed } = useWorkspace();
  const [{ name }, setForm] = useStoredForm({ name: current });
  const cache = useQueryClient();
  const navigate = useNavigate();
  const rename = useMutation({
    mutationFn: (wanted: string) =>
      client.call(renameWorkspace, { params: { workspace: id }, body: { name: wanted } }),
    onSuccess: async (_answer, wanted) => {
      await refresh(cache, listWorkspaces);
      await navigate({
        to: "/@{$owner}/$workspace/settings",
        params: { owner, workspace: wanted },
        replace: true,
      });
    },
  });
  const errors = formErrors(rename.error, ["name"]);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    rename.mutate(name);
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-3">
      {errors.general !== undefined && <Notice tone="bad" title={errors.general} />}
      <Field
        label="Name"
        isRequired
        error={errors.of("name")}
        hint="Part of its addresses and SSH host names: those with the old name stop working."
      >
        {(ids) => (
          <TextInput
            {...ids}
            value={name}
            onValue={(next) => setForm({ name: next })}
            readOnly={!isAllowed}
          />
        )}
      </Field>
      <div>
        <Button
          type="submit"
          isBusy={rename.isPending}
          disabledReason={
            isAllowed
              ? name === current
                ? "The name has not changed"
                : undefined
              : "Workspaces cannot be renamed on this server"
          }
        >
          Rename
        </Button>
      </div>
    </form>
  );
}

function AutomaticUpdates(): ReactNode {
  const workspace = useWorkspace();
  const cache = useQueryClient();
  const toaster = useToaster();
  const update = useMutation({
    mutationFn: (isOn: boolean) =>
      client.call(updateAutomaticUpdates, {
        params: { workspace: workspace.id },
        body: { automatic_updates: isOn ? "always" : "never" },
      }),
    onSuccess: async () => {
      await refresh(cache, getWorkspaceByName);
      toaster.show("Saved.");
    },
  });
  const isRequired = workspace.template_require_active_version;
  return (
    <>
      <Checkbox
        label="Update on every start"
        hint={
          isRequired
            ? "The template requires it."
            : "A start uses the template’s active version, unless it needs new parameters."
        }
        isChecked={isRequired || workspace.automatic_updates === "always"}
        isDisabled={isRequired || update.isPending}
        onChecked={(isOn) => update.mutate(isOn)}
      />
      {update.isError && <Notice tone="bad" title={errorText(update.error)} />}
    </>
  );
}

function DeletePanel(): ReactNode {
  const workspace = useWorkspace();
  const rights = useRights();
  const [isAsking, setAsking] = useState(false);
  return (
    <Panel title="Delete">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="text-sm text-ink-soft">
          Permanently deletes the machine and all of its files.
        </p>
        <Button
          disabledReason={actionRefusal("delete", workspace, {
            mayWriteTemplates: rights.createTemplates,
          })}
          onClick={() => setAsking(true)}
        >
          Delete workspace…
        </Button>
      </div>
      {isAsking && (
        <ActionDialog action="delete" workspace={workspace} onClose={() => setAsking(false)} />
      )}
    </Panel>
  );
}
