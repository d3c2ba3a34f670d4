import type { ScopeName } from "@slipway/api/contract/scopes";
import { createToken, getTokenConfig, listTokens } from "@slipway/api/users/key-routes";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useId, useState } from "react";

import { client } from "../../api/client.ts";
import { refresh, routeQuery } from "../../api/queries.ts";
import { formErrors } from "../../forms/form-errors.ts";
import { Button } from "../../ui/button.tsx";
import { RadioGroup } from "../../ui/choices.tsx";
import { CodeLine } from "../../ui/copy.tsx";
import { Dialog, useIsMounted } from "../../ui/dialog.tsx";
import { errorText } from "../../ui/error-text.ts";
import { Checkbox, Field, Select, TextArea, TextInput } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import { useToaster } from "../../ui/toasts.tsx";
import { allowListOf, lifetimeChoices, lifetimeNs, purposes, singleScopes } from "./token-text.ts";

/** Creates a token, and shows it once. */
export function CreateTokenDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const [key, setKey] = useState<string>();
  if (key === undefined) return <TokenForm onCreated={setKey} onClose={onClose} />;
  return (
    <Dialog
      title="Your new token"
      onClose={onClose}
      footer={<Button onClick={onClose}>Done</Button>}
    >
      <p className="text-ink-soft">Copy it now: it is shown only this once.</p>
      <CodeLine>{key}</CodeLine>
      <p className="text-sm text-ink-soft">
        Programs send it in the header <code className="font-mono">Coder-Session-Token</code>; the
        command reads it from <code className="font-mono">SLIPWAY_SESSION_TOKEN</code>.
      </p>
    </Dialog>
  );
}

interface TokenFormProps {
  readonly onCreated: (key: string) => void;
  readonly onClose: () => void;
}

const usualDays = 30;

function TokenForm({ onCreated, onClose }: TokenFormProps): ReactNode {
  const id = useId();
  const cache = useQueryClient();
  const toaster = useToaster();
  const isOpen = useIsMounted();
  const config = useQuery(routeQuery(getTokenConfig, { params: { user: "me" } }));
  const [name, setName] = useState("");
  const [days, setDays] = useState<number>();
  const [isLimited, setLimited] = useState(true);
  const [scopes, setScopes] = useState<readonly ScopeName[]>([]);
  const [allowed, setAllowed] = useState("");
  const choices = lifetimeChoices(config.data?.max_token_lifetime ?? 0);
  const chosen = days ?? choices.findLast((one) => one <= usualDays);
  const create = useMutation({
    mutationFn: async () => {
      const { key } = await client.call(createToken, {
        params: { user: "me" },
        body: {
          token_name: name,
          ...(chosen === undefined ? {} : { lifetime: lifetimeNs(chosen) }),
          ...(isLimited ? { scopes: [...scopes], allow_list: [...allowListOf(allowed)] } : {}),
        },
      });
      await refresh(cache, listTokens);
      return key;
    },
    onSuccess: (key) => {
      if (isOpen.current) onCreated(key);
      else toaster.fail("The new token was not shown: delete it, and create another.");
    },
    onError: (error) => {
      if (!isOpen.current) toaster.fail(errorText(error));
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    create.mutate();
  };
  const errors = formErrors(create.error, ["token_name", "lifetime", "allow_list", "scopes"]);
  return (
    <Dialog
      title="New token"
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
              isLimited && scopes.length === 0 ? "Choose at least one right" : undefined
            }
          >
            Create token
          </Button>
        </>
      }
    >
      <form id={id} onSubmit={submit} className="flex flex-col gap-4">
        {errors.general !== undefined && <Notice tone="bad" title={errors.general} />}
        <div className="grid items-start gap-4 sm:grid-cols-2">
          <Field label="Name" hint="What it is for, such as “ci”." error={errors.of("token_name")}>
            {(ids) => <TextInput {...ids} autoComplete="off" value={name} onValue={setName} />}
          </Field>
          <Field
            label="Lifetime"
            isRequired
            hint="It expires after this time."
            error={errors.of("lifetime")}
          >
            {(ids) => (
              <Select {...ids} value={chosen ?? ""} onValue={(text) => setDays(Number(text))}>
                {choices.map((one) => (
                  <option key={one} value={one}>
                    {one === 1 ? "1 day" : `${one} days`}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        </div>
        <RadioGroup
          isRequired
          isLabelHidden
          label="Rights"
          value={isLimited ? "limited" : "all"}
          choices={[
            { value: "limited", label: "Limited rights", hint: "Only what the program needs." },
            { value: "all", label: "All your rights", hint: "The same access as you." },
          ]}
          onValue={(value) => setLimited(value === "limited")}
        />
        {isLimited && <ScopeChoice scopes={scopes} onScopes={setScopes} />}
        {errors.of("scopes") !== undefined && <Notice tone="bad" title={errors.of("scopes")} />}
        {isLimited && (
          <Field
            label="Only these resources"
            hint="One per line, as type:id: workspace:5b0e3c4e-… or template:*. Leave it empty to allow everything that you can access."
            error={errors.of("allow_list")}
          >
            {(ids) => <TextArea {...ids} rows={2} value={allowed} onValue={setAllowed} />}
          </Field>
        )}
      </form>
    </Dialog>
  );
}

function ScopeChoice({
  scopes,
  onScopes,
}: {
  readonly scopes: readonly ScopeName[];
  readonly onScopes: (scopes: readonly ScopeName[]) => void;
}): ReactNode {
  const setScope = (scope: ScopeName, isChosen: boolean): void =>
    onScopes(isChosen ? [...scopes, scope] : scopes.filter((one) => one !== scope));
  return (
    <>
      <div className="grid gap-3 sm:grid-cols-2">
        {purposes.map(({ scope, label, hint }) => (
          <Checkbox
            key={scope}
            label={label}
            hint={hint}
            isChecked={scopes.includes(scope)}
            onChecked={(isChosen) => setScope(scope, isChosen)}
          />
        ))}
      </div>
      <details>
        <summary className="text-sm font-medium text-ink-soft">Single scopes</summary>
        <div className="mt-2 grid gap-x-4 gap-y-1 sm:grid-cols-2">
          {singleScopes.map((scope) => (
            <Checkbox
              key={scope}
              label={<code className="font-mono text-sm wrap-anywhere">{scope}</code>}
              isChecked={scopes.includes(scope)}
              onChecked={(isChosen) => setScope(scope, isChosen)}
            />
          ))}
        </div>
      </details>
    </>
  );
}
