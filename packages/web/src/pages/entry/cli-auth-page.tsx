import { createKey } from "@slipway/api/users/key-routes";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { client } from "../../api/client.ts";
import { useMe } from "../../api/session.ts";
import { EntryFrame } from "../../components/entry-frame.tsx";
import { Button } from "../../ui/button.tsx";
import { CodeLine } from "../../ui/copy.tsx";
import { errorText } from "../../ui/error-text.ts";
import { Notice } from "../../ui/notice.tsx";
import { UntrustedText } from "../../ui/untrusted-text.tsx";

/** Gives the user a key for the command or the editor that opened this page (docs/protocol/clients.md §1.2). */
export function CliAuthPage(): ReactNode {
  const me = useMe();
  // Only a click creates one: another site may have led the user here.
  const create = useMutation({
    mutationFn: () => client.call(createKey, { params: { user: "me" } }),
  });
  return (
    <EntryFrame
      title="Log in on the command line"
      lead={
        <>
          You are logged in as <UntrustedText>{me.username}</UntrustedText>.
        </>
      }
    >
      {create.isError && <Notice tone="bad" title={errorText(create.error)} />}
      {create.data === undefined ? (
        <>
          <p className="text-ink-soft">
            The key gives the command or editor that sent you here full access to your account for a
            week. Create one only if you have just started that program yourself.
          </p>
          <Button look="primary" isBusy={create.isPending} onClick={() => create.mutate()}>
            Create key
          </Button>
        </>
      ) : (
        <>
          <p className="text-ink-soft">
            Paste this key where you were asked for it. It is shown only once.
          </p>
          <CodeLine>{create.data.key}</CodeLine>
        </>
      )}
    </EntryFrame>
  );
}
