import { updatePassword } from "@slipway/api/users/routes";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";

import { client } from "../../api/client.ts";
import { useMe } from "../../api/session.ts";
import { formErrors } from "../../forms/form-errors.ts";
import { Button } from "../../ui/button.tsx";
import { Field, TextInput } from "../../ui/field.tsx";
import { EmptyState, Panel } from "../../ui/layout.tsx";
import { Notice } from "../../ui/notice.tsx";
import { ProviderPanel } from "./provider-panel.tsx";
import { SessionsPanel } from "./sessions-panel.tsx";

export function SecurityPage(): ReactNode {
  const me = useMe();
  return (
    <>
      <SessionsPanel />
      <Panel title="Password">
        {me.login_type === "password" ? (
          <PasswordForm />
        ) : (
          <EmptyState title="You have no password here">
            You log in at a provider, which keeps your password.
          </EmptyState>
        )}
      </Panel>
      {me.login_type === "password" && <ProviderPanel />}
    </>
  );
}

const noValues = { old: "", next: "", again: "" };

function PasswordForm(): ReactNode {
  const [values, setValues] = useState(noValues);
  const [hasSubmitted, setSubmitted] = useState(false);
  const change = useMutation({
    mutationFn: () =>
      client.call(updatePassword, {
        params: { user: "me" },
        body: { old_password: values.old, password: values.next },
      }),
    // The session of this page is revoked too, and the log-in says so.
    onSuccess: () => location.assign("/login?redirect=%2Fsettings%2Fsecurity&expired=true"),
  });
  const mismatch =
    hasSubmitted && values.again !== values.next ? "must match the new password" : undefined;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setSubmitted(true);
    if (values.again === values.next) change.mutate();
  };
  const errors = formErrors(change.error, ["old_password", "password"]);
  return (
    <form onSubmit={submit} className="flex max-w-md flex-col gap-4">
      <Notice tone="info" title="Changing the password revokes all your sessions and tokens.">
        This page and the command ask you to log in again; programs need new tokens.
      </Notice>
      {errors.general !== undefined && <Notice tone="bad" title={errors.general} />}
      <Field label="Current password" isRequired error={errors.of("old_password")}>
        {(ids) => (
          <TextInput
            {...ids}
            type="password"
            autoComplete="current-password"
            value={values.old}
            onValue={(old) => setValues({ ...values, old })}
          />
        )}
      </Field>
      <Field label="New password" isRequired error={errors.of("password")}>
        {(ids) => (
          <TextInput
            {...ids}
            type="password"
            autoComplete="new-password"
            value={values.next}
            onValue={(next) => setValues({ ...values, next })}
          />
        )}
      </Field>
      <Field label="Confirm new password" isRequired error={mismatch}>
        {(ids) => (
          <TextInput
            {...ids}
            type="password"
            autoComplete="new-password"
            value={values.again}
            onValue={(again) => setValues({ ...values, again })}
          />
        )}
      </Field>
      <div>
        <Button type="submit" look="primary" isBusy={change.isPending || change.isSuccess}>
          Change password
        </Button>
      </div>
    </form>
  );
}
