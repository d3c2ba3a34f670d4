import {
  activateUser,
  deleteUser,
  listUsers,
  suspendUser,
  updatePassword,
} from "@slipway/api/users/routes";
import type { User } from "@slipway/api/users/user";
import { listWorkspaces } from "@slipway/api/workspaces/routes";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useRef, useState } from "react";

import { client } from "../../api/client.ts";
import { ensureGone } from "../../api/ensure.ts";
import { refresh, routeQuery } from "../../api/queries.ts";
import { Button } from "../../ui/button.tsx";
import { CodeLine } from "../../ui/copy.tsx";
import { ConfirmDialog, Dialog } from "../../ui/dialog.tsx";
import { Notice } from "../../ui/notice.tsx";
import { useToaster } from "../../ui/toasts.tsx";
import { untrusted } from "../../ui/untrusted-text.tsx";
import { generatePassword } from "./new-password.ts";

interface UserDialogProps {
  readonly user: User;
  readonly onClose: () => void;
}

/** Sets a new password for a user, and shows it once. */
export function PasswordDialog({ user, onClose }: UserDialogProps): ReactNode {
  const [password, setPassword] = useState<string>();
  const isReset = useRef(false);
  const name = untrusted(user.username);
  if (password !== undefined) {
    return <NewPassword name={name} password={password} onClose={onClose} />;
  }
  return (
    <ConfirmDialog
      title={`Reset the password of ${name}?`}
      action="Reset password"
      isDangerous
      onConfirm={async () => {
        const next = generatePassword();
        await client.call(updatePassword, {
          params: { user: user.id },
          body: { password: next },
        });
        isReset.current = true;
        setPassword(next);
      }}
      // Once it is reset, the dialog with the password follows.
      onClose={() => {
        if (!isReset.current) onClose();
      }}
    >
      <p>
        The user gets a new password, which you see once. All their sessions and tokens are revoked;
        their workspaces go on.
      </p>
    </ConfirmDialog>
  );
}

interface NewPasswordProps {
  readonly name: string;
  readonly password: string;
  readonly onClose: () => void;
}

/** A password that is shown once, to be handed to its user. */
export function NewPassword({ name, password, onClose }: NewPasswordProps): ReactNode {
  return (
    <Dialog
      title={`The password of ${name}`}
      onClose={onClose}
      footer={<Button onClick={onClose}>Done</Button>}
    >
      <p className="text-ink-soft">
        Hand it to them by a way that only they can read. It is shown only this once; they change it
        in their account.
      </p>
      <CodeLine>{password}</CodeLine>
    </Dialog>
  );
}

/** Suspends a user, or lets a suspended one in again. */
export function StatusDialog({ user, onClose }: UserDialogProps): ReactNode {
  const cache = useQueryClient();
  const toaster = useToaster();
  // The question stays the same until it is answered, whatever becomes of the user.
  const [isSuspended] = useState(user.status === "suspended");
  const name = untrusted(user.username);
  return (
    <ConfirmDialog
      title={isSuspended ? `Reactivate ${name}?` : `Suspend ${name}?`}
      action={isSuspended ? "Reactivate user" : "Suspend user"}
      isDangerous={!isSuspended}
      onConfirm={async () => {
        await client.call(isSuspended ? activateUser : suspendUser, { params: { user: user.id } });
        await refresh(cache, listUsers);
        toaster.show(isSuspended ? `${name} can log in again.` : `${name} is suspended.`);
      }}
      onClose={onClose}
    >
      <p>
        {isSuspended
          ? "The user can log in again and finds their workspaces as they are."
          : "Their sessions, terminals and connections end at once, and they cannot log in until you reactivate them. Their workspaces are kept, and running ones keep running."}
      </p>
    </ConfirmDialog>
  );
}

/** Deletes a user without workspaces. */
export function DeleteDialog({ user, onClose }: UserDialogProps): ReactNode {
  const cache = useQueryClient();
  const toaster = useToaster();
  const name = untrusted(user.username);
  const workspaces = useQuery(
    routeQuery(listWorkspaces, { query: { q: `owner:${user.username}`, limit: "1" } }),
  );
  const count = workspaces.data?.count ?? 0;
  return (
    <ConfirmDialog
      title={`Delete ${name}?`}
      action="Delete user"
      isDangerous
      disabledReason={count > 0 ? "The user still has workspaces" : undefined}
      onConfirm={async () => {
        await ensureGone(client.call(deleteUser, { params: { user: user.id } }));
        await refresh(cache, listUsers);
        toaster.show(`${name} is deleted.`);
      }}
      onClose={onClose}
    >
      {count > 0 && (
        <Notice
          tone="warn"
          title={count === 1 ? "This user has 1 workspace." : `This user has ${count} workspaces.`}
        >
          Delete them first, or suspend the user instead.
        </Notice>
      )}
      <p>
        The account, its tokens and its SSH key are deleted for good. Entries of the audit trail
        stay.
      </p>
    </ConfirmDialog>
  );
}
