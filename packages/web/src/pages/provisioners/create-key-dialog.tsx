import {
  createProvisionerKey,
  listProvisionerKeys,
} from "@slipway/api/organizations/provisioner-routes";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useId, useState } from "react";

import { client } from "../../api/client.ts";
import { refresh } from "../../api/queries.ts";
import { formErrors } from "../../forms/form-errors.ts";
import { Button } from "../../ui/button.tsx";
import { CodeLine } from "../../ui/copy.tsx";
import { Dialog, useIsMounted } from "../../ui/dialog.tsx";
import { errorText } from "../../ui/error-text.ts";
import { Field, TextArea, TextInput } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import { useToaster } from "../../ui/toasts.tsx";
import { readTagLines } from "./tag-lines.ts";

/** Creates a key, and shows it once. */
export function CreateKeyDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const [key, setKey] = useState<string>();
  if (key === undefined) return <KeyForm onCreated={setKey} onClose={onClose} />;
  return (
    <Dialog title="Your new key" onClose={onClose} footer={<Button onClick={onClose}>Done</Button>}>
      <p className="text-ink-soft">Copy it now: it is shown only this once.</p>
      <CodeLine>{key}</CodeLine>
      <p className="text-sm text-ink-soft">
        Start a provisioner on a machine with OpenTofu or Terraform and the server’s version of{" "}
        <code className="font-mono">slipway</code>:
      </p>
      <CodeLine>
        {`SLIPWAY_PROVISIONER_KEY=${key} slipway provisioner start --url ${location.origin}`}
      </CodeLine>
      <p className="text-sm text-ink-soft">
        One key serves many provisioners. Whoever has it gets the jobs with its tags, and the
        secrets of their workspaces.
      </p>
    </Dialog>
  );
}

interface KeyFormProps {
  readonly onCreated: (key: string) => void;
  readonly onClose: () => void;
}

function KeyForm({ onCreated, onClose }: KeyFormProps): ReactNode {
  const id = useId();
  const cache = useQueryClient();
  const toaster = useToaster();
  const isOpen = useIsMounted();
  const [name, setName] = useState("");
  const [tagText, setTagText] = useState("");
  const [tagProblem, setTagProblem] = useState<string>();
  const create = useMutation({
    mutationFn: async (tags: Readonly<Record<string, string>>) => {
      const { key } = await client.call(createProvisionerKey, {
        params: { organization: "default" },
        body: { name, tags: { ...tags } },
      });
      await refresh(cache, listProvisionerKeys);
      return key;
    },
    onSuccess: (key) => {
      if (isOpen.current) onCreated(key);
      else toaster.fail("The new key was not shown: delete it, and create another.");
    },
    onError: (error) => {
      if (!isOpen.current) toaster.fail(errorText(error));
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const read = readTagLines(tagText);
    setTagProblem("problem" in read ? read.problem : undefined);
    if ("tags" in read) create.mutate(read.tags);
  };
  const tagNames = Object.keys(create.variables ?? {});
  const errors = formErrors(create.error, [
    "name",
    "tags",
    ...tagNames.map((one) => `tags.${one}`),
  ]);
  const refused = tagNames.find((one) => errors.of(`tags.${one}`) !== undefined);
  const tagsError =
    refused === undefined ? errors.of("tags") : `${refused} ${errors.of(`tags.${refused}`)}`;
  return (
    <Dialog
      title="New key"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={id} look="primary" isBusy={create.isPending}>
            Create key
          </Button>
        </>
      }
    >
      <form id={id} onSubmit={submit} className="flex flex-col gap-4">
        {errors.general !== undefined && <Notice tone="bad" title={errors.general} />}
        <Field
          label="Name"
          isRequired
          hint="Where its provisioners run, such as “europe”."
          error={errors.of("name")}
        >
          {(ids) => <TextInput {...ids} autoComplete="off" value={name} onValue={setName} />}
        </Field>
        <Field
          label="Tags"
          isRequired
          hint="One per line, such as region=eu. Its provisioners take the jobs of template versions whose tags are all among these."
          error={tagProblem ?? tagsError}
        >
          {(ids) => <TextArea {...ids} rows={3} value={tagText} onValue={setTagText} />}
        </Field>
      </form>
    </Dialog>
  );
}
