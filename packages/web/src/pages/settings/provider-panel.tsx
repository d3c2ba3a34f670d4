import { convertLogin } from "@slipway/api/logins/routes";
import { refusalText } from "@slipway/api/users/log-in-refusals";
import { getAuthMethods } from "@slipway/api/users/routes";
import type { LogInMethod } from "@slipway/api/users/user";
import { useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useId, useState } from "react";

import { client } from "../../api/client.ts";
import { routeQuery } from "../../api/queries.ts";
import { formErrors } from "../../forms/form-errors.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog, useIsMounted } from "../../ui/dialog.tsx";
import { Field, TextInput } from "../../ui/field.tsx";
import { Panel } from "../../ui/layout.tsx";
import { Notice } from "../../ui/notice.tsx";
import { UntrustedText } from "../../ui/untrusted-text.tsx";

const route = getRouteApi("/member/framed/settings/security");

/** The login providers to which a user with a password can convert their account; nothing if the server has none. */
export function ProviderPanel(): ReactNode {
  const { error, provider } = route.useSearch();
  const methods = useQuery(routeQuery(getAuthMethods));
  const [chosen, setChosen] = useState<LogInMethod>();
  const providers = methods.data?.providers ?? [];
  const failed = providers.find(({ id }) => id === provider);
  const problem = refusalText(error ?? null, failed?.display_name ?? "the provider");
  if (providers.length === 0) return null;
  return (
    <Panel title="Login provider">
      <div className="flex flex-col items-start gap-4">
        {problem !== undefined && (
          <Notice tone="bad" title={<UntrustedText>{problem}</UntrustedText>}>
            Your account has not changed: you still log in with your password.
          </Notice>
        )}
        <p className="max-w-prose text-ink-soft">
          Log in at a provider instead of with a password. Your workspaces, tokens and keys stay.
        </p>
        <div className="flex flex-wrap gap-2">
          {providers.map((one) => (
            <Button key={one.id} onClick={() => setChosen(one)}>
              <span>
                Log in with <UntrustedText>{one.display_name}</UntrustedText>…
              </span>
            </Button>
          ))}
        </div>
      </div>
      {chosen !== undefined && (
        <ConversionDialog provider={chosen} onClose={() => setChosen(undefined)} />
      )}
    </Panel>
  );
}

interface ConversionDialogProps {
  readonly provider: LogInMethod;
  readonly onClose: () => void;
}

/** Confirms the user's password, and goes to the provider. */
function ConversionDialog({ provider, onClose }: ConversionDialogProps): ReactNode {
  const [password, setPassword] = useState("");
  const form = useId();
  const isOpen = useIsMounted();
  const convert = useMutation({
    mutationFn: () =>
      client.call(convertLogin, {
        params: { user: "me" },
        body: { to_type: provider.type, provider: provider.id, password },
      }),
    onSuccess: ({ state_string: state }) => {
      // Nothing has changed yet: the provider asks, and whoever closed the dialog does not want to go there.
      if (!isOpen.current) return;
      const query = { oidc_merge_state: state, redirect: "/settings/security" };
      location.assign(`${provider.login_url}?${new URLSearchParams(query).toString()}`);
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    convert.mutate();
  };
  const errors = formErrors(convert.error, ["password"]);
  const name = <UntrustedText>{provider.display_name}</UntrustedText>;
  return (
    <Dialog
      title={<>Log in with {name}?</>}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            form={form}
            look="primary"
            isBusy={convert.isPending || convert.isSuccess}
          >
            <span>Continue at {name}</span>
          </Button>
        </>
      }
    >
      <ul className="flex list-disc flex-col gap-1 pl-5 text-ink-soft">
        <li>From then on you log in at {name} only: your password here stops working.</li>
        <li>{name} determines your name, your email address and, if so configured, your roles.</li>
        <li>Your other sessions end. API tokens keep working.</li>
        <li>Only an administrator of the server can give you a password again.</li>
      </ul>
      {errors.general !== undefined && <Notice tone="bad" title={errors.general} />}
      <form id={form} onSubmit={submit}>
        <Field label="Current password" isRequired error={errors.of("password")}>
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
      </form>
    </Dialog>
  );
}
