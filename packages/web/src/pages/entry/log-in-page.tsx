import { pagePaths } from "@slipway/api/deployment/page-paths";
import { refusalText } from "@slipway/api/users/log-in-refusals";
import { getAuthMethods, login } from "@slipway/api/users/routes";
import type { LogInMethod } from "@slipway/api/users/user";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useState } from "react";

import { client } from "../../api/client.ts";
import { routeQuery } from "../../api/queries.ts";
import { EntryFrame } from "../../components/entry-frame.tsx";
import { FailureNotice } from "../../components/page-failure.tsx";
import { formErrors } from "../../forms/form-errors.ts";
import { Button, buttonClasses } from "../../ui/button.tsx";
import { Field, TextInput } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import { UntrustedText } from "../../ui/untrusted-text.tsx";

const route = getRouteApi("/login");

export function LogInPage(): ReactNode {
  const { expired, error, provider, redirect } = route.useSearch();
  const methods = useQuery(routeQuery(getAuthMethods));
  const providers = methods.data?.providers ?? [];
  const providerName = providers.find(({ id }) => id === provider)?.display_name;
  const problem = refusalText(error ?? null, providerName ?? "the provider");
  return (
    <EntryFrame title="Log in to Slipway">
      {expired === true && (
        <Notice tone="info" title="Your session has ended.">
          Log in again to continue where you left off.
        </Notice>
      )}
      {methods.isError && (
        <FailureNotice error={methods.error} onRetry={() => void methods.refetch()} />
      )}
      {problem !== undefined && <Notice tone="bad" title={problem} />}
      {providers.map((one) => (
        <a key={one.id} href={beginPath(one, redirect)} className={buttonClasses("secondary")}>
          <span>
            Log in with <UntrustedText>{one.display_name}</UntrustedText>
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
      {methods.data?.password.enabled === true && <PasswordForm isOnly={providers.length === 0} />}
    </EntryFrame>
  );
}

/** Returns the address at which a log-in at a provider begins, and which leads back to a path. */
function beginPath({ login_url: url }: LogInMethod, redirect: string | undefined): string {
  const path = localPath(redirect);
  return path === "/" ? url : `${url}?${new URLSearchParams({ redirect: path }).toString()}`;
}

/** The form for a password; the main action of the page if there is no other way. */
function PasswordForm({ isOnly }: { readonly isOnly: boolean }): ReactNode {
  const { redirect } = route.useSearch();
  const router = useRouter();
  const cache = useQueryClient();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const logIn = useMutation({
    mutationFn: () => client.call(login, { body: { email, password } }),
    onSuccess: () => {
      cache.clear();
      const path = localPath(redirect);
      // Others are pages of the server itself, such as the log-in of an app.
      if (isDashboardPath(path)) router.history.push(path);
      else location.assign(path);
    },
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

/** Returns whether the router has a page for a path. */
function isDashboardPath(path: string): boolean {
  const { pathname } = new URL(path, location.origin);
  return pagePaths.some((pattern) => {
    const form = pattern.replaceAll(/:[a-z]+/g, "[^/]+").replace("*", ".*");
    return new RegExp(`^${form}$`).test(pathname) && !pathname.includes("/apps/");
  });
}

/** Returns the path to go on at: only one of this server. */
function localPath(path: string | undefined): string {
  if (path === undefined || !path.startsWith("/")) return "/";
  const url = new URL(path, location.origin);
  return url.origin === location.origin ? `${url.pathname}${url.search}${url.hash}` : "/";
}
