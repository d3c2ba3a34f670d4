import { getUser, updateProfile } from "@slipway/api/users/routes";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { FormEvent, ReactNode } from "react";

import { client } from "../../api/client.ts";
import { refresh } from "../../api/queries.ts";
import { useMe } from "../../api/session.ts";
import { formErrors } from "../../forms/form-errors.ts";
import { useStoredForm } from "../../forms/stored-form.ts";
import { Button } from "../../ui/button.tsx";
import { Field, TextInput } from "../../ui/field.tsx";
import { Facts, Panel } from "../../ui/layout.tsx";
import { Notice } from "../../ui/notice.tsx";
import { Badge } from "../../ui/status.tsx";
import { Time } from "../../ui/time.tsx";
import { useToaster } from "../../ui/toasts.tsx";
import { untrusted, UntrustedText } from "../../ui/untrusted-text.tsx";

const logInTexts: Readonly<Record<string, string>> = {
  password: "Email and password",
  oidc: "At a login provider",
  github: "At GitHub",
};

export function AccountPage(): ReactNode {
  const me = useMe();
  return (
    <>
      <ProfileForm />
      <Panel title="About your account">
        <Facts
          facts={[
            ["Email", <UntrustedText key="email">{me.email}</UntrustedText>],
            ["Roles", <RoleList key="roles" />],
            ["Login", logInTexts[me.login_type] ?? me.login_type],
            ["Created", <Time key="created" time={me.created_at} />],
          ]}
        />
      </Panel>
    </>
  );
}

function RoleList(): ReactNode {
  const { roles } = useMe();
  if (roles.length === 0) return "Member";
  return (
    <span className="flex flex-wrap gap-1.5">
      {roles.map(({ name, display_name }) => (
        <Badge key={name}>{untrusted(display_name || name)}</Badge>
      ))}
    </span>
  );
}

function ProfileForm(): ReactNode {
  const me = useMe();
  const cache = useQueryClient();
  const toaster = useToaster();
  const stored = { username: me.username, name: me.name ?? "" };
  const [form, setForm] = useStoredForm(stored);
  const save = useMutation({
    mutationFn: () => client.call(updateProfile, { params: { user: "me" }, body: form }),
    onSuccess: async () => {
      toaster.show("Profile saved.");
      await refresh(cache, getUser);
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save.mutate();
  };
  const errors = formErrors(save.error, ["username", "name"]);
  const isUnchanged = form.username === stored.username && form.name === stored.name;
  return (
    <Panel title="Profile">
      <form onSubmit={submit} className="flex max-w-md flex-col items-start gap-4 *:w-full">
        {errors.general !== undefined && <Notice tone="bad" title={errors.general} />}
        <Field label="Name" hint="Your name as others see it." error={errors.of("name")}>
          {(ids) => (
            <TextInput
              {...ids}
              autoComplete="name"
              value={form.name}
              onValue={(name) => setForm({ ...form, name })}
            />
          )}
        </Field>
        <Field
          label="Username"
          isRequired
          hint="Part of the addresses of your workspaces: links and SSH host names with the old name stop working."
          error={errors.of("username")}
        >
          {(ids) => (
            <TextInput
              {...ids}
              autoComplete="off"
              value={form.username}
              onValue={(username) => setForm({ ...form, username })}
            />
          )}
        </Field>
        <div>
          <Button
            type="submit"
            look="primary"
            isBusy={save.isPending}
            disabledReason={isUnchanged ? "Nothing has changed" : undefined}
          >
            Save
          </Button>
        </div>
      </form>
    </Panel>
  );
}
