import { maxFileBytes } from "@slipway/api/files/routes";
import { createTemplate, listTemplateExamples, listTemplates } from "@slipway/api/templates/routes";
import type { TemplateExample } from "@slipway/api/templates/template";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";

import { client } from "../../api/client.ts";
import { refresh, routeQuery } from "../../api/queries.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { formErrors } from "../../forms/form-errors.ts";
import { Button } from "../../ui/button.tsx";
import { RadioGroup } from "../../ui/choices.tsx";
import { Dialog, useIsMounted } from "../../ui/dialog.tsx";
import { Field, TextInput } from "../../ui/field.tsx";
import { Skeleton } from "../../ui/layout.tsx";
import { Notice } from "../../ui/notice.tsx";
import { useToaster } from "../../ui/toasts.tsx";
import { untrusted, untrustedLines } from "../../ui/untrusted-text.tsx";
import { importVersion } from "./import-version.ts";
import { createArchive, readDefinition } from "./template-archive.ts";

/** The choice that stands for a file instead of an example. */
const ownFile = "file";

/** Creates a template from an example, or from a file of the user. */
export function CreateTemplateDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const id = useId();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const toaster = useToaster();
  const isOpen = useIsMounted();
  const importing = useRef<AbortController>(undefined);
  useEffect(() => () => importing.current?.abort(), []);
  const examples = useQuery(
    routeQuery(listTemplateExamples, { params: { organization: "default" } }),
  );
  const [choice, setChoice] = useState<string>();
  const [file, setFile] = useState<File>();
  const [typedName, setName] = useState<string>();
  const [lines, setLines] = useState<readonly string[]>([]);
  const chosen = choice ?? examples.data?.[0]?.id ?? ownFile;
  const example = examples.data?.find((one) => one.id === chosen);
  const name = typedName ?? example?.id ?? "";
  const create = useMutation({
    mutationFn: async () => {
      setLines([]);
      importing.current = new AbortController();
      const { signal } = importing.current;
      const version = await importVersion({
        source: example === undefined ? { tar: await archiveOf(file) } : { exampleId: example.id },
        templateId: undefined,
        message: "First version",
        onLine: (line) => setLines((all) => [...all, line]),
        signal,
      });
      if (version.job.status !== "succeeded") {
        throw new Error(version.job.error ?? "The import failed.");
      }
      signal.throwIfAborted();
      return client.call(createTemplate, {
        params: { organization: "default" },
        body: {
          name,
          template_version_id: version.id,
          ...(example === undefined ? {} : { description: example.description }),
        },
      });
    },
    onSuccess: async (template) => {
      await refresh(cache, listTemplates);
      // Whoever closed the dialog too late to cancel it is elsewhere by now.
      if (!isOpen.current) toaster.show(`${untrusted(template.name)} created.`);
      else await navigate({ to: "/templates/$template", params: { template: template.name } });
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    create.mutate();
  };
  const errors = formErrors(create.error, ["name"]);
  return (
    <Dialog
      title="New template"
      isWide
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            form={id}
            look="primary"
            isBusy={create.isPending}
            disabledReason={
              chosen === ownFile && file === undefined ? "Choose a file first" : undefined
            }
          >
            Create template
          </Button>
        </>
      }
    >
      <form id={id} onSubmit={submit} className="flex flex-col gap-4">
        {errors.general !== undefined && (
          <Notice tone="bad" title="The template was not created.">
            <pre className="font-mono whitespace-pre-wrap">{untrustedLines(errors.general)}</pre>
          </Notice>
        )}
        {examples.isError && <FailureNotice error={examples.error} />}
        {examples.isPending ? (
          <Skeleton className="h-40 w-full" />
        ) : (
          <RadioGroup
            isRequired
            isLabelHidden
            label="Start from"
            value={chosen}
            choices={choicesOf(examples.data ?? [])}
            onValue={setChoice}
          />
        )}
        {chosen === ownFile && (
          <Field
            label="File"
            isRequired
            hint="A slipway.yaml, or a tar archive with one and the files that it uses."
          >
            {(ids) => (
              <input
                {...ids}
                type="file"
                accept=".yaml,.yml,.tar"
                className="text-sm file:mr-3 file:h-8 file:rounded-md file:border file:border-line file:bg-surface file:px-3 file:text-ink"
                onChange={(event) => setFile(event.target.files?.[0])}
              />
            )}
          </Field>
        )}
        <Field
          label="Name"
          isRequired
          hint="In commands and addresses: letters, digits and hyphens."
          error={errors.of("name")}
        >
          {(ids) => <TextInput {...ids} value={name} onValue={setName} />}
        </Field>
        {(create.isPending || create.isError) && lines.length > 0 && (
          <pre
            tabIndex={0}
            aria-label="Log of the import"
            className="max-h-40 overflow-auto rounded-md bg-sunken p-3 font-mono text-sm whitespace-pre-wrap"
          >
            {untrustedLines(lines.join("\n"))}
          </pre>
        )}
      </form>
    </Dialog>
  );
}

function choicesOf(
  examples: readonly TemplateExample[],
): readonly { readonly value: string; readonly label: string; readonly hint: string }[] {
  return [
    ...examples.map(({ id, name, description }) => ({
      value: id,
      label: untrusted(name),
      hint: untrusted(description),
    })),
    { value: ownFile, label: "Your own file", hint: "slipway.yaml or a tar archive." },
  ];
}

/** Returns the archive of a file: a tar as it is, and a definition in a new archive. */
async function archiveOf(file: File | undefined): Promise<Uint8Array<ArrayBuffer>> {
  if (file === undefined) throw new Error("Choose a file first.");
  if (file.size > maxFileBytes) {
    throw new Error(`The file has ${file.size} bytes; at most ${maxFileBytes} are allowed.`);
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  const isArchive = file.name.endsWith(".tar") || readDefinition(bytes) !== undefined;
  return isArchive ? bytes : createArchive(new TextDecoder().decode(bytes));
}
