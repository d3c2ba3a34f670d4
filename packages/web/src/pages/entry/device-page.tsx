import {
  approveDeviceLogin,
  findWaitingProgram,
  refuseDeviceLogin,
  type WaitingProgram,
} from "@slipway/api/users/device-routes";
import { useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useState } from "react";

import { client } from "../../api/client.ts";
import { useMe } from "../../api/session.ts";
import { EntryFrame } from "../../components/entry-frame.tsx";
import { FailureNotice } from "../../components/page-failure.tsx";
import { programOf } from "../../components/program-of.ts";
import { formErrors } from "../../forms/form-errors.ts";
import { Button } from "../../ui/button.tsx";
import { errorText } from "../../ui/error-text.ts";
import { Field, TextInput } from "../../ui/field.tsx";
import { Facts, Skeleton } from "../../ui/layout.tsx";
import { Notice } from "../../ui/notice.tsx";
import { Time } from "../../ui/time.tsx";
import { UntrustedText } from "../../ui/untrusted-text.tsx";

const route = getRouteApi("/member/login/device");

/** Approves or refuses the login of a program that shows a code (docs/login.md). */
export function DevicePage(): ReactNode {
  const me = useMe();
  const { code } = route.useSearch();
  return (
    <EntryFrame
      title="Log in a program"
      lead={
        <>
          You are logged in as <UntrustedText>{me.username}</UntrustedText>.
        </>
      }
    >
      {code === undefined ? <CodeForm error={undefined} /> : <Request key={code} code={code} />}
    </EntryFrame>
  );
}

function CodeForm({ error }: { readonly error: string | undefined }): ReactNode {
  const { code } = route.useSearch();
  const navigate = route.useNavigate();
  const [text, setText] = useState(code ?? "");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void navigate({ search: { code: text } });
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <Field
        label="Code"
        isRequired
        hint="The program shows it, such as WDJBM-JHTKX."
        error={error}
      >
        {(ids) => (
          <TextInput
            {...ids}
            autoComplete="off"
            autoCapitalize="characters"
            spellCheck={false}
            maxLength={64}
            value={text}
            onValue={setText}
          />
        )}
      </Field>
      <Button type="submit" look="primary">
        Continue
      </Button>
    </form>
  );
}

/** The request for a program's login; it is shown before it can be approved. */
function Request({ code }: { readonly code: string }): ReactNode {
  const request = useQuery({
    queryKey: [findWaitingProgram.path, code],
    queryFn: ({ signal }) => client.call(findWaitingProgram, { body: { user_code: code }, signal }),
    // The server waits for the program meanwhile; the answer is about this moment.
    refetchInterval: ({ state }) => state.data?.program === null && 1_000,
    refetchOnWindowFocus: false,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const decide = useMutation({
    mutationFn: async (decision: "approved" | "refused") => {
      const decided = decision === "approved" ? approveDeviceLogin : refuseDeviceLogin;
      await client.call(decided, { body: { user_code: code } });
      return decision;
    },
  });
  if (decide.data !== undefined) return <Decided decision={decide.data} />;
  if (request.isError)
    return <NoRequest error={request.error} onRetry={() => void request.refetch()} />;
  const program = request.data?.program ?? undefined;
  const missing = request.isPending
    ? "Looking for the program"
    : "No program is waiting with this code";
  const reason = program === undefined ? missing : undefined;
  return (
    <>
      <p className="text-ink-soft">
        A program wants to log in as you. Approve it only if you have just started the login
        yourself and it shows this code. Nobody should ever ask you for a code.
      </p>
      <p className="rounded-md bg-sunken py-3 text-center font-mono text-xl tracking-wide">
        <UntrustedText>{request.data?.user_code ?? code}</UntrustedText>
      </p>
      {request.data?.program === null ? (
        <Notice tone="warn" title="No program is waiting with this code.">
          Check the code. If the command has ended, start it again to get a new one.
        </Notice>
      ) : (
        <ProgramFacts program={program} />
      )}
      {decide.isError && <Notice tone="bad" title={errorText(decide.error)} />}
      <div className="flex flex-col gap-2">
        <Button
          look="primary"
          isBusy={decide.isPending && decide.variables === "approved"}
          disabledReason={reason}
          onClick={() => decide.mutate("approved")}
        >
          Approve
        </Button>
        <Button
          isBusy={decide.isPending && decide.variables === "refused"}
          onClick={() => decide.mutate("refused")}
        >
          Refuse
        </Button>
      </div>
    </>
  );
}

function ProgramFacts({ program }: { readonly program: WaitingProgram | undefined }): ReactNode {
  const shown = (of: (found: WaitingProgram) => ReactNode): ReactNode =>
    program === undefined ? <Skeleton className="my-1 h-3.5 w-40" /> : of(program);
  return (
    <div role="status" aria-label="The program" aria-busy={program === undefined}>
      <Facts
        facts={[
          [
            "Program",
            shown(({ user_agent }) => <UntrustedText>{programOf(user_agent)}</UntrustedText>),
          ],
          ["Address", shown(({ ip }) => <UntrustedText>{ip}</UntrustedText>)],
          ["Asked", shown(({ begun_at }) => <Time time={begun_at} />)],
        ]}
      />
    </div>
  );
}

function Decided({ decision }: { readonly decision: "approved" | "refused" }): ReactNode {
  return decision === "approved" ? (
    <Notice tone="good" title="The program is logged in as you.">
      You can close this page. You can end the session under Settings, Security.
    </Notice>
  ) : (
    <Notice tone="info" title="The login was refused.">
      The program got no access. If you did not start it, somebody else gave you the code: tell an
      administrator.
    </Notice>
  );
}

function NoRequest({
  error,
  onRetry,
}: {
  readonly error: unknown;
  readonly onRetry: () => void;
}): ReactNode {
  const problem = formErrors(error, ["user_code"]).of("user_code");
  return problem === undefined ? (
    <FailureNotice error={error} onRetry={onRetry} />
  ) : (
    <CodeForm error={`This code ${problem}: check it for typing errors.`} />
  );
}
