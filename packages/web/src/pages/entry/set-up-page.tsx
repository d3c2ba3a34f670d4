import { createFirstUser, login } from "@slipway/api/users/routes";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useState } from "react";

import { client } from "../../api/client.ts";
import { EntryFrame } from "../../components/entry-frame.tsx";
import { formErrors } from "../../forms/form-errors.ts";
import { Button } from "../../ui/button.tsx";
import { Field, TextInput } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";

/** Creates the first user of a new deployment. */
export function SetUpPage(): ReactNode {
  const navigate = useNavigate();
  const cache = useQueryClient();
  const [values, setValues] = useState({ email: "", username: "", password: "" });
  const create = useMutation({
    mutationFn: async () => {
      await client.call(createFirstUser, { body: values });
      await client.call(login, { body: { email: values.email, password: values.password } });
    },
    onSuccess: async () => {
      cache.clear();
      await navigate({ to: "/workspaces" });
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    create.mutate();
  };
  const errors = formErrors(create.error, ["email", "username", "password"]);
  return (
    <EntryFrame
      title="Welcome to Slipway"
      lead="Create the account of the first owner of this deployment."
    >
      <form onSubmit={submit} className="flex flex-col gap-4">
        {errors.general !== undefined && <Notice tone="bad" title={errors.general} />}
        <Field label="Email" isRequired error={errors.of("email")}>
          {(ids) => (
            <TextInput
              {...ids}
              type="email"
              autoComplete="username"
              value={values.email}
              onValue={(email) => setValues({ ...values, email })}
            />
          )}
        </Field>
        <Field
          label="Username"
          isRequired
          hint="Lower-case letters, digits and hyphens; used in the addresses of your workspaces."
          error={errors.of("username")}
        >
          {(ids) => (
            <TextInput
              {...ids}
              autoComplete="off"
              value={values.username}
              onValue={(username) => setValues({ ...values, username })}
            />
          )}
        </Field>
        <Field label="Password" isRequired error={errors.of("password")}>
          {(ids) => (
            <TextInput
              {...ids}
              type="password"
              autoComplete="new-password"
              value={values.password}
              onValue={(password) => setValues({ ...values, password })}
            />
          )}
        </Field>
        <Button type="submit" look="primary" isBusy={create.isPending}>
          Create account
        </Button>
      </form>
    </EntryFrame>
  );
}
