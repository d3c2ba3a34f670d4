import { getAuthMethods, login } from "@slipway/api/users/routes";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";

import { client } from "../../api/client.ts";
import { routeQuery } from "../../api/queries.ts";
import { formErrors } from "../../forms/form-errors.ts";
import { Button, buttonClasses } from "../../ui/button.tsx";
import { Field, TextInput } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import { UntrustedText } from "../../ui/untrusted-text.tsx";
import { FailureNotice } from "../page-failure.tsx";

interface LogInWaysProps {
  /** The path at which the user continues after a log-in at a provider. */
  readonly path: string;
  /** True if providers open in another tab. */
  readonly opensTab?: boolean;
  /** The email to begin with (default: none). */
  readonly email?: string;
  readonly onLoggedIn: () => void;
}

/** The ways to log in that the deployment has: providers, and a password. */
export function LogInWays({
  path,
  opensTab = false,
  email = "",
  onLoggedIn,
}: LogInWaysProps): ReactNode {
  const methods = useQuery(routeQuery(getAuthMethods));
  const providers = methods.data?.providers ?? [];
  const query = path === "/" ? "" : `?${new URLSearchParams({ redirect: path }).toString()}`;
  return (
    <>
      {methods.isError && (
        <FailureNotice error={methods.error} onRetry={() => void methods.refetch()} />
      )}
      {providers.map((one) => (
        <a
          key={one.id}
          href={`${one.login_url}${query}`}
          className={buttonClasses("secondary")}
          {...(opensTab ? { target: "_blank", rel: "noopener" } : {})}
        >
          <span>
            Log in with <UntrustedText>{one.display_name}</UntrustedText>
            {opensTab && " in another tab"}
          </span>
        </a>
      ))}
      {providers.length > 0 && methods.data?.password.enabled === true && (
        <div className="flex items-center gap-3 text-xs text-ink-faint">
          <span className="h-px flex-1 bg-line" />
          or
          <span className="h-px flex-1 bg-line" />
        </div>
      )}
      {methods.data?.password.enabled === true && (
        <PasswordForm first={email} isOnly={providers.length === 0} onLoggedIn={onLoggedIn} />
      )}
    </>
  );
}

interface PasswordFormProps {
  readonly first: string;
  /** True if there is no other way: the form has the main action. */
  readonly isOnly: boolean;
  readonly onLoggedIn: () => void;
}

function PasswordForm({ first, isOnly, onLoggedIn }: PasswordFormProps): ReactNode {
  const [email, setEmail] = useState(first);
  const [password, setPassword] = useState("");
  const logIn = useMutation({
    mutationFn: () => client.call(login, { body: { email, password } }),
    onSuccess: onLoggedIn,
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    logIn.mutate();
  };
  const errors = formErrors(logIn.error, ["email", "password"]);
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      {errors.general !== undefined && <Notice tone="bad" title={errors.general} />}
      <Field label="Email" isRequired error={errors.of("email")}>
        {(ids) => (
          <TextInput
            {...ids}
            type="email"
            autoComplete="username"
            value={email}
            onValue={setEmail}
          />
        )}
      </Field>
      <Field label="Password" isRequired error={errors.of("password")}>
        {(ids) => (
          <TextInput
            {...ids}
            type="password"
            autoComplete="current-password"
            value={password}
            onValue={setPassword}
          />
        )}
      </Field>
      <Button type="submit" look={isOnly ? "primary" : "secondary"} isBusy={logIn.isPending}>
        Log in
      </Button>
    </form>
  );
}
