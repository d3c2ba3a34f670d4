import type { SharingLevel } from "@slipway/api/agents/app";
import {
  deleteTemplate,
  getTemplateByName,
  listTemplates,
  updateTemplate,
} from "@slipway/api/templates/routes";
import { type Template, type Weekday, weekdays } from "@slipway/api/templates/template";
import { listWorkspaces } from "@slipway/api/workspaces/routes";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useState } from "react";

import { client } from "../../api/client.ts";
import { ensureGone } from "../../api/ensure.ts";
import { refresh, routeQuery } from "../../api/queries.ts";
import { useRights } from "../../api/session.ts";
import { formErrors } from "../../forms/form-errors.ts";
import { useStoredForm } from "../../forms/stored-form.ts";
import { Button } from "../../ui/button.tsx";
import { CheckGroup } from "../../ui/choices.tsx";
import { ConfirmDialog } from "../../ui/dialog.tsx";
import { Checkbox, Field, Select, TextArea, TextInput } from "../../ui/field.tsx";
import { Panel } from "../../ui/layout.tsx";
import { Notice } from "../../ui/notice.tsx";
import { useToaster } from "../../ui/toasts.tsx";
import { untrusted } from "../../ui/untrusted-text.tsx";
import {
  changesOf,
  durationFields,
  formOf,
  plainFields,
  switchFields,
  type TemplateForm,
} from "./settings-fields.ts";
import { useTemplate } from "./use-template.ts";

const notAllowed = "Only owners and template admins can change templates";

export function TemplateSettingsPage(): ReactNode {
  const template = useTemplate();
  return (
    <>
      <SettingsForm key={template.id} template={template} />
      <DeletePanel template={template} />
    </>
  );
}

function SettingsForm({ template }: { readonly template: Template }): ReactNode {
  const cache = useQueryClient();
  const navigate = useNavigate();
  const toaster = useToaster();
  const { createTemplates } = useRights();
  const before = formOf(template);
  const [form, setForm] = useStoredForm(before);
  const changes = changesOf(form, before);
  const isUnchanged = Object.keys(changes).length === 0;
  const save = useMutation({
    mutationFn: () =>
      client.call(updateTemplate, { params: { template: template.id }, body: changes }),
    onSuccess: async ({ name }) => {
      toaster.show("Settings saved.");
      if (name !== template.name) {
        await navigate({
          to: "/templates/$template/settings",
          params: { template: name },
          replace: true,
        });
      }
      await refresh(cache, getTemplateByName, listTemplates);
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save.mutate();
  };
  const errors = formErrors(save.error, [
    ...plainFields,
    "autostop_requirement",
    ...durationFields.map(({ field }) => field),
  ]);
  return (
    <form onSubmit={submit} className="flex flex-col gap-5">
      {errors.general !== undefined && <Notice tone="bad" title={errors.general} />}
      <Panel title="General">
        <div className="grid max-w-3xl gap-5 sm:grid-cols-2">
          <Field
            label="Name"
            isRequired
            hint="In commands and addresses."
            error={errors.of("name")}
          >
            {(ids) => (
              <TextInput
                {...ids}
                value={form.name}
                onValue={(name) => setForm({ ...form, name })}
              />
            )}
          </Field>
          <Field label="Display name" hint="In lists." error={errors.of("display_name")}>
            {(ids) => (
              <TextInput
                {...ids}
                value={form.display_name}
                onValue={(display_name) => setForm({ ...form, display_name })}
              />
            )}
          </Field>
          <div className="sm:col-span-2">
            <Field label="Description" error={errors.of("description")}>
              {(ids) => (
                <TextArea
                  {...ids}
                  rows={2}
                  value={form.description}
                  onValue={(description) => setForm({ ...form, description })}
                />
              )}
            </Field>
          </div>
          <div className="sm:col-span-2">
            <Field
              label="Icon"
              hint="The address of a picture, for editors and other clients. This dashboard loads no pictures of other hosts."
              error={errors.of("icon")}
            >
              {(ids) => (
                <TextInput
                  {...ids}
                  value={form.icon}
                  onValue={(icon) => setForm({ ...form, icon })}
                />
              )}
            </Field>
          </div>
          <div className="sm:col-span-2">
            <Field
              label="Deprecation message"
              hint="A message marks the template as deprecated: existing workspaces keep working, but no new ones can be created."
              error={errors.of("deprecation_message")}
            >
              {(ids) => (
                <TextArea
                  {...ids}
                  rows={2}
                  value={form.deprecation_message}
                  onValue={(deprecation_message) => setForm({ ...form, deprecation_message })}
                />
              )}
            </Field>
          </div>
        </div>
      </Panel>
      <Panel title="Schedule and lifecycle">
        <div className="grid max-w-3xl gap-5 sm:grid-cols-2">
          {durationFields.map(({ field, label, hint }) => (
            <Field key={field} label={label} isRequired hint={hint} error={errors.of(field)}>
              {(ids) => (
                <TextInput
                  {...ids}
                  type="number"
                  min={0}
                  step="any"
                  value={form.durations[field]}
                  onValue={(text) =>
                    setForm({ ...form, durations: { ...form.durations, [field]: text } })
                  }
                />
              )}
            </Field>
          ))}
          <div className="sm:col-span-2">
            <StopFields form={form} onForm={setForm} error={errors.of("autostop_requirement")} />
          </div>
        </div>
      </Panel>
      <Panel title="Rules">
        <div className="flex max-w-3xl flex-col gap-4">
          {switchFields.map(({ field, label, hint }) => (
            <Checkbox
              key={field}
              label={label}
              hint={hint}
              isChecked={form.switches[field]}
              onChecked={(isOn) =>
                setForm({ ...form, switches: { ...form.switches, [field]: isOn } })
              }
            />
          ))}
          <div className="max-w-xs">
            <Field
              label="Cross-origin requests"
              isRequired
              hint="Whether pages of other origins may read the responses of apps."
              error={errors.of("cors_behavior")}
            >
              {(ids) => (
                <Select
                  {...ids}
                  value={form.cors_behavior}
                  onValue={(value) =>
                    setForm({
                      ...form,
                      cors_behavior: value === "passthru" ? "passthru" : "simple",
                    })
                  }
                >
                  <option value="simple">Only apps of the same owner</option>
                  <option value="passthru">As each app decides</option>
                </Select>
              )}
            </Field>
          </div>
          <div className="max-w-xs">
            <Field
              label="Ports may be shared with"
              isRequired
              hint="A lower level also lowers existing shares."
              error={errors.of("max_port_share_level")}
            >
              {(ids) => (
                <Select
                  {...ids}
                  value={form.max_port_share_level}
                  onValue={(value) => {
                    const level = levels.find(([one]) => one === value)?.[0];
                    if (level !== undefined) setForm({ ...form, max_port_share_level: level });
                  }}
                >
                  {levels.map(([level, words]) => (
                    <option key={level} value={level}>
                      {words}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
          </div>
        </div>
      </Panel>
      <div>
        <Button
          type="submit"
          look="primary"
          isBusy={save.isPending}
          disabledReason={
            createTemplates ? (isUnchanged ? "Nothing has changed" : undefined) : notAllowed
          }
        >
          Save settings
        </Button>
      </div>
    </form>
  );
}

interface StopFieldsProps {
  readonly form: TemplateForm;
  readonly onForm: (form: TemplateForm) => void;
  readonly error: string | undefined;
}

/** The nights in which running workspaces stop, in use or not. */
function StopFields({ form, onForm, error }: StopFieldsProps): ReactNode {
  const { stopDays, stopWeeks } = form;
  return (
    <div className="flex flex-col gap-3">
      <CheckGroup
        label="Required stops"
        hint="Running workspaces stop at midnight UTC at the start of these days, even if they are in use."
        error={error}
        choices={weekdays.map((day) => ({ value: day, label: dayText(day) }))}
        values={stopDays}
        onValues={(days) =>
          onForm({ ...form, stopDays: weekdays.filter((day) => days.includes(day)) })
        }
      />
      {stopDays.length > 0 && (
        <div className="w-40">
          <Field label="Interval in weeks" isRequired hint="From 1 to 16.">
            {(ids) => (
              <TextInput
                {...ids}
                type="number"
                min={1}
                max={16}
                value={stopWeeks}
                onValue={(weeks) => onForm({ ...form, stopWeeks: weeks })}
              />
            )}
          </Field>
        </div>
      )}
    </div>
  );
}

function dayText(day: Weekday): string {
  return day.charAt(0).toUpperCase() + day.slice(1);
}

const levels: readonly (readonly [level: SharingLevel, words: string])[] = [
  ["owner", "Nobody"],
  ["organization", "The organization"],
  ["authenticated", "Everyone who is logged in"],
  ["public", "Everyone"],
];

function DeletePanel({ template }: { readonly template: Template }): ReactNode {
  const cache = useQueryClient();
  const navigate = useNavigate();
  const toaster = useToaster();
  const { createTemplates } = useRights();
  const [isAsking, setAsking] = useState(false);
  const workspaces = useQuery(
    routeQuery(listWorkspaces, { query: { q: `template:${template.name}`, limit: "1" } }),
  );
  const count = workspaces.data?.count ?? 0;
  const name = untrusted(template.name);
  return (
    <Panel title="Delete">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="text-ink-soft">
          Only a template without workspaces can be deleted. Its versions are deleted with it.
        </p>
        <Button
          look="danger"
          disabledReason={
            createTemplates
              ? count > 0
                ? `${count === 1 ? "1 workspace is" : `${count} workspaces are`} made from it`
                : undefined
              : notAllowed
          }
          onClick={() => setAsking(true)}
        >
          Delete template…
        </Button>
      </div>
      {isAsking && (
        <ConfirmDialog
          title={`Delete ${name}?`}
          action="Delete template"
          isDangerous
          onConfirm={async () => {
            await ensureGone(client.call(deleteTemplate, { params: { template: template.id } }));
            toaster.show(`${name} is deleted.`);
            await navigate({ to: "/templates" });
            await refresh(cache, listTemplates);
          }}
          onClose={() => setAsking(false)}
        >
          <p>The template and all its versions are permanently deleted.</p>
        </ConfirmDialog>
      )}
    </Panel>
  );
}
