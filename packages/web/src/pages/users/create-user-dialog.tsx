import { createUser, getAuthMethods, listUsers } from "@slipway/api/users/routes";
import type { CreateUserRequest } from "@slipway/api/users/user";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useId, useState } from "react";

import { client } from "../../api/client.ts";
import { refresh, routeQuery } from "../../api/queries.ts";
import { formErrors } from "../../forms/form-errors.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog, useIsMounted } from "../../ui/dialog.tsx";
import { errorText } from "../../ui/error-text.ts";
import { Field, Select, TextInput } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import { useToaster } from "../../ui/toasts.tsx";
import { untrusted } from "../../ui/untrusted-text.tsx";
import { generatePassword } from "./new-password.ts";
import { NewPassword } from "./user-dialogs.tsx";

type LogIn = NonNullable<CreateUserRequest["login_type"]>;

type NewUser = Required<Pick<CreateUserRequest, "email" | "username" | "name" | "login_type">>;

/** Creates a user, and shows the generated password once. */
export function CreateUserDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const id = useId();
  const cache = useQueryClient();
  const toaster = useToaster();
  const isOpen = useIsMounted();
  const methods = useQuery(routeQuery(getAuthMethods));
  const [values, setValues] = useState({ email: "", username: "", name: "" });
  const [logIn, setLogIn] = useState<LogIn>("password");
  const create = useMutation({
    mutationFn: async (user: NewUser) => {
      const password = user.login_type === "password" ? generatePassword() : "";
      await client.call(createUser, { body: { ...user, password } });
      await refresh(cache, listUsers);
      return password;
    },
    onSuccess: (password, { username }) => {
      const name = untrusted(username);
      if (password === "") toaster.show(`${name} created.`);
      else if (!isOpen.current) toaster.fail(`${name} created. Reset the password to see one.`);
      if (password === "" && isOpen.current) onClose();
    },
    onError: (error) => {
      if (!isOpen.current) toaster.fail(errorText(error));
    },
  });
  if (create.isSuccess && create.data !== "") {
    const { username } = create.variables;
    return <NewPassword name={untrusted(username)} password={create.data} onClose={onClose} />;
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    create.mutate({ ...values, login_type: logIn });
  };
  const errors = formErrors(create.error, ["email", "username", "name", "login_type"]);
  const fields = [
    ["email", "Email", "email", true],
    ["username", "Username", "text", true],
    ["name", "Name", "text", false],
  ] as const;
  return (
    <Dialog
      title="New user"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={id} look="primary" isBusy={create.isPending}>
            Create user
          </Button>
        </>
      }
    >
      <form id={id} onSubmit={submit} className="flex flex-col gap-4">
        {errors.general !== undefined && <Notice tone="bad" title={errors.general} />}
        {fields.map(([field, label, type, isRequired]) => (
          <Field key={field} label={label} isRequired={isRequired} error={errors.of(field)}>
            {(ids) => (
              <TextInput
                {...ids}
                type={type}
                autoComplete="off"
                value={values[field]}
                onValue={(value) => setValues({ ...values, [field]: value })}
              />
            )}
          </Field>
        ))}
        <Field label="Logs in" isRequired hint={logInHints[logIn]} error={errors.of("login_type")}>
          {(ids) => (
            <Select
              {...ids}
              value={logIn}
              // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one of the options below
              onValue={(value) => setLogIn(value as LogIn)}
            >
              <option value="password">With a password</option>
              {methods.data?.oidc.enabled === true && (
                <option value="oidc">At the OpenID provider</option>
              )}
              {methods.data?.github.enabled === true && <option value="github">At GitHub</option>}
              <option value="none">Not at all</option>
            </Select>
          )}
        </Field>
      </form>
    </Dialog>
  );
}

const logInHints: Readonly<Record<LogIn, string>> = {
  "": "",
  password: "A password is generated and shown to you once.",
  oidc: "An invitation: the provider must verify this email address.",
  github: "An invitation: GitHub must have verified this email address.",
  none: "For programs: give the user tokens.",
};
